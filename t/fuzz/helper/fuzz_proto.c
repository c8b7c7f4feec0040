/*
 * Drives every decoder of the wire format with arbitrary bytes: first as a
 * frame header, then as a list of fields, then as an output.  What is read as
 * fields is written again and must come out the same.
 */

#include "../../../sandbox/codr_proto.h"

#include "../fuzz.h"


static void
check_field(const codr_field_t *field, const uint8_t *end)
{
    uint8_t   key[CODR_QUOTA_KEY];
    uint32_t  id;
    uint64_t  number;

    if (field->data + field->length > end) {
        abort();
    }

    (void) codr_field_number(field, 0, UINT64_MAX, &number);
    (void) codr_field_text(field, 100);
    (void) codr_field_id(field);
    (void) codr_field_limit(field, &id, &number);
    (void) codr_field_figure(field, &id, &number);
    (void) codr_field_quota(field, key, &id);
    (void) codr_file_name_valid((const char *) field->data, field->length);
    (void) codr_signal_number((const char *) field->data, field->length);
}


static void
check_fields(const uint8_t *data, size_t size)
{
    int            rc;
    uint8_t        *copy;
    codr_field_t   field;
    codr_fields_t  fields;
    codr_writer_t  writer;

    copy = malloc(size ? size : 1);
    if (copy == NULL) {
        return;
    }

    codr_writer_init(&writer, copy, size);
    codr_fields_init(&fields, data, size);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {
        check_field(&field, data + size);
        codr_put_bytes(&writer, (codr_field_tag_t) field.tag, field.data,
                       field.length);
    }

    if (writer.failed || (rc == 0 && memcmp(copy, data, size) != 0)) {
        abort();
    }

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    codr_frame_t   frame;
    codr_output_t  output;

    if (size >= CODR_FRAME_HEADER && codr_frame_decode(&frame, data) == 0
        && frame.length > CODR_FRAME_MAX)
    {
        abort();
    }

    if (codr_output_decode(&output, data, size) == 0
        && output.data + output.length != data + size)
    {
        abort();
    }

    check_fields(data, size);
    return 0;
}
