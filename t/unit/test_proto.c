/*
 * The wire format: what is written is read back, what is malformed is refused
 * without a byte beyond it being read.
 */

#include "tap.h"

#include "../../sandbox/codr_limits.h"
#include "../../sandbox/codr_proto.h"

#include <stdlib.h>


/* Fields in memory of exactly their size, so that a sanitizer sees a read
   beyond them. */
static int
next_field(const void *bytes, size_t len, codr_field_t *ret)
{
    int             rc;
    void           *copy;
    codr_fields_t   fields;

    copy = malloc(len ? len : 1);
    if (copy == NULL) {
        return -2;
    }

    memcpy(copy, bytes, len);
    codr_fields_init(&fields, copy, len);
    rc = codr_fields_next(&fields, ret);
    free(copy);
    return rc;
}


static void
frames_are_read_back(void)
{
    size_t         size;
    uint8_t        buffer[512];
    uint64_t       number;
    uint32_t       id;
    codr_field_t   field;
    codr_frame_t   frame;
    codr_fields_t  fields;
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_EXECUTE);
    codr_put_number(&writer, CODR_FIELD_LOCATION, 7);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "python");
    codr_put_bytes(&writer, CODR_FIELD_OWNER, "a\0b", 3);
    codr_put_limit(&writer, CODR_FIELD_LIMIT, CODR_LIMIT_MEMORY, UINT64_MAX);
    size = codr_frame_end(&writer);

    tap_number(size, 8 + 16 + 14 + 11 + 20, "a frame has the size of its "
               "header and fields");
    tap_number(codr_frame_decode(&frame, buffer), 0, "its header is read");
    tap_number(frame.type, CODR_FRAME_EXECUTE, "the type is the one written");
    tap_number(frame.length, size - 8, "the length is the payload's");

    codr_fields_init(&fields, buffer + 8, frame.length);
    tap_ok(codr_fields_next(&fields, &field) == 1
           && field.tag == CODR_FIELD_LOCATION
           && codr_field_number(&field, 0, 10, &number) == 0 && number == 7,
           "a number is read back");
    tap_number(codr_field_number(&field, 8, 10, &number), -1,
               "a number below its range is refused");
    tap_number(codr_field_number(&field, 0, 6, &number), -1,
               "a number above its range is refused");
    tap_ok(codr_fields_next(&fields, &field) == 1
           && field.tag == CODR_FIELD_LANGUAGE && field.length == 6
           && memcmp(field.data, "python", 6) == 0
           && codr_field_text(&field, 6) == 0, "text is read back");
    tap_number(codr_field_text(&field, 5), -1, "longer text is refused");
    tap_number(codr_field_number(&field, 0, UINT64_MAX, &number), -1,
               "text is no number");
    tap_ok(codr_fields_next(&fields, &field) == 1 && field.length == 3,
           "bytes are read back with their NUL");
    tap_number(codr_field_text(&field, 10), -1, "text with a NUL is refused");
    tap_ok(codr_fields_next(&fields, &field) == 1
           && codr_field_limit(&field, &id, &number) == 0
           && id == CODR_LIMIT_MEMORY && number == UINT64_MAX,
           "a limit is read back");
    tap_number(codr_fields_next(&fields, &field), 0, "then comes the end");
}


static void
bad_headers_are_refused(void)
{
    int           i;
    uint8_t       header[CODR_FRAME_HEADER];
    codr_frame_t  frame;

    codr_frame_header(header, CODR_FRAME_DATA, CODR_FRAME_MAX);
    tap_number(codr_frame_decode(&frame, header), 0,
               "a frame may have the greatest length");

    codr_frame_header(header, CODR_FRAME_DATA, CODR_FRAME_MAX + 1);
    tap_number(codr_frame_decode(&frame, header), -1, "but not one byte more");

    codr_frame_header(header, CODR_FRAME_DATA, UINT32_MAX);
    tap_number(codr_frame_decode(&frame, header), -1,
               "nor the greatest number");

    codr_frame_header(header, CODR_FRAME_DATA, 0);
    header[4] = 0;
    tap_number(codr_frame_decode(&frame, header), -1, "type 0 is refused");

    header[4] = CODR_FRAME_TYPES;
    tap_number(codr_frame_decode(&frame, header), -1,
               "an unknown type is refused");

    for (i = 5; i < 8; i++) {
        codr_frame_header(header, CODR_FRAME_DATA, 0);
        header[i] = 1;
        tap_number(codr_frame_decode(&frame, header), -1,
                   "a reserved byte must be zero");
    }
}


static void
bad_fields_are_refused(void)
{
    codr_field_t   field;
    const uint8_t  good[] = { CODR_FIELD_OWNER, 0, 0, 0, 2, 0, 0, 0, 'a', 'b' };
    uint8_t        bad[sizeof(good)];
    size_t         len;
    bool           refused = true;

    tap_number(next_field(good, 0, &field), 0, "no bytes are no fields");
    tap_number(next_field(good, sizeof(good), &field), 1,
               "a whole field is one");

    for (len = 1; len < sizeof(good); len++) {
        refused = refused && next_field(good, len, &field) == -1;
    }
    tap_ok(refused, "a field cut short anywhere is refused");

    memcpy(bad, good, sizeof(bad));
    bad[0] = 0;
    tap_number(next_field(bad, sizeof(bad), &field), -1, "tag 0 is refused");

    bad[0] = CODR_FIELD_TAGS;
    tap_number(next_field(bad, sizeof(bad), &field), -1,
               "an unknown tag is refused");

    memcpy(bad, good, sizeof(bad));
    bad[2] = 1;
    tap_number(next_field(bad, sizeof(bad), &field), -1,
               "reserved bytes of a field must be zero");

    memcpy(bad, good, sizeof(bad));
    memset(bad + 4, 0xff, 4);
    tap_number(next_field(bad, sizeof(bad), &field), -1,
               "the greatest length does not wrap around");
}


static void
bad_limits_are_refused(void)
{
    uint8_t        payload[64];
    uint32_t       id = 99;
    uint64_t       value = 99;
    codr_field_t   field;
    codr_fields_t  fields;
    codr_writer_t  writer;

    codr_writer_init(&writer, payload, sizeof(payload));
    codr_put_limit(&writer, CODR_FIELD_LIMIT, CODR_LIMIT_COUNT, 1);
    codr_fields_init(&fields, payload, (size_t) (writer.pos - payload));
    tap_ok(codr_fields_next(&fields, &field) == 1
           && codr_field_limit(&field, &id, &value) == -1
           && id == 99 && value == 99,
           "an unknown limit is refused, what was there stays");

    field.length = 11;
    tap_number(codr_field_limit(&field, &id, &value), -1,
               "a limit of another size is refused");
}


static void
figures_and_quotas(void)
{
    uint8_t        payload[128], key[CODR_QUOTA_KEY] = { 7 };
    uint32_t       id = 99, max = 99;
    uint64_t       value = 99;
    codr_field_t   field;
    codr_fields_t  fields;
    codr_writer_t  writer;

    codr_writer_init(&writer, payload, sizeof(payload));
    codr_put_limit(&writer, CODR_FIELD_FIGURE, CODR_FIGURE_COUNT, 1);
    codr_put_limit(&writer, CODR_FIELD_FIGURE, CODR_FIGURE_QUEUED, 5);
    codr_put_quota(&writer, key, 3);
    codr_fields_init(&fields, payload, (size_t) (writer.pos - payload));

    tap_ok(codr_fields_next(&fields, &field) == 1
           && codr_field_figure(&field, &id, &value) == -1 && id == 99,
           "an unknown figure is refused");
    tap_ok(codr_fields_next(&fields, &field) == 1
           && codr_field_figure(&field, &id, &value) == 0
           && id == CODR_FIGURE_QUEUED && value == 5, "a figure");

    key[0] = 0;
    tap_ok(codr_fields_next(&fields, &field) == 1
           && codr_field_quota(&field, key, &max) == 0
           && key[0] == 7 && max == 3, "a quota");
    field.length--;
    tap_number(codr_field_quota(&field, key, &max), -1,
               "a quota of another size is refused");
}


static void
writer_stays_failed(void)
{
    uint8_t        buffer[32];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, 24);
    codr_frame_begin(&writer, CODR_FRAME_QUEUED);
    codr_put_number(&writer, CODR_FIELD_POSITION, 1);
    tap_number(codr_frame_end(&writer), 24, "a frame may fill its buffer");

    codr_writer_init(&writer, buffer, 23);
    codr_frame_begin(&writer, CODR_FRAME_QUEUED);
    codr_put_number(&writer, CODR_FIELD_POSITION, 1);
    tap_number(codr_frame_end(&writer), 0, "but not run over it");

    codr_put_bytes(&writer, CODR_FIELD_OWNER, "", 0);
    tap_number(codr_frame_end(&writer), 0,
               "a failed writer takes nothing more");

    codr_writer_init(&writer, buffer, 7);
    codr_frame_begin(&writer, CODR_FRAME_STOP);
    tap_number(codr_frame_end(&writer), 0, "a header needs its room");
}


static void
outputs_are_read_back(void)
{
    uint8_t        payload[CODR_OUTPUT_HEADER + 2];
    codr_output_t  output;

    codr_output_header(payload, 2, 1ULL << 40);
    memcpy(payload + CODR_OUTPUT_HEADER, "hi", 2);
    tap_ok(codr_output_decode(&output, payload, sizeof(payload)) == 0
           && output.stream == 2 && output.offset == 1ULL << 40
           && output.length == 2 && memcmp(output.data, "hi", 2) == 0,
           "an output is read back");
    tap_ok(codr_output_decode(&output, payload, CODR_OUTPUT_HEADER) == 0
           && output.length == 0, "it may be empty");
    tap_number(codr_output_decode(&output, payload, CODR_OUTPUT_HEADER - 1),
               -1, "it has its header");

    payload[0] = 0;
    tap_number(codr_output_decode(&output, payload, sizeof(payload)), -1,
               "stream 0 is refused");
    payload[0] = 3;
    tap_number(codr_output_decode(&output, payload, sizeof(payload)), -1,
               "stream 3 is refused");
}


static void
file_names(void)
{
    size_t      i;
    char        part[102];
    const char  *good[] = { "a", "main.py", "A-b_c.9", "a/b/c/d/e/f/g/h",
                            "a..b", "a.", "x-" };
    const char  *bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", ".a", "a/.",
                           "a/..", "../a", "a/../b", "-", "-a", "a/-b", "a b",
                           "a\nb", "a\\b", "a:b", "\xc3\xa4", "~a", "$a",
                           "a/b/c/d/e/f/g/h/i" };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!tap_ok(codr_file_name_valid(good[i], strlen(good[i])),
                    "a good file name"))
        {
            fprintf(stderr, "#     %s\n", good[i]);
        }
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!tap_ok(!codr_file_name_valid(bad[i], strlen(bad[i])),
                    "a bad file name"))
        {
            fprintf(stderr, "#     %s\n", bad[i]);
        }
    }

    tap_ok(!codr_file_name_valid("a\0b", 3), "a NUL is no character of one");

    memset(part, 'a', sizeof(part));
    tap_ok(codr_file_name_valid(part, 100), "a part has up to 100 bytes");
    tap_ok(!codr_file_name_valid(part, 101), "not 101");
}


static void
names(void)
{
    int         i;
    const char  *name;
    bool        good = true;

    for (i = 0; i < CODR_STATUS_COUNT; i++) {
        good = good && codr_status_name((uint64_t) i) != NULL;
    }
    for (i = 0; i < CODR_ERROR_COUNT; i++) {
        good = good && codr_error_name((uint64_t) i) != NULL;
    }
    for (i = 0; i < CODR_NOTICE_COUNT; i++) {
        good = good && codr_notice_name((uint64_t) i) != NULL;
    }
    tap_ok(good, "every status, error and notice has a name");

    tap_text(codr_status_name(CODR_STATUS_COUNT), NULL,
             "a number beyond has none");
    tap_text(codr_error_name(UINT64_MAX), NULL, "the greatest neither");
    tap_text(codr_signal_name(11), "SIGSEGV", "signals have their names");
    tap_text(codr_signal_name(0), NULL, "but not signal 0");

    for (i = 1; i < 32; i++) {
        name = codr_signal_name((uint64_t) i);
        good = good && name && codr_signal_number(name, strlen(name)) == i;
    }
    tap_ok(good, "and back");
    tap_number(codr_signal_number("SIGIN", 5), 0, "a part of a name is none");
    tap_number(codr_signal_number("", 0), 0, "nothing is none");
}


int
main(void)
{
    frames_are_read_back();
    bad_headers_are_refused();
    bad_fields_are_refused();
    bad_limits_are_refused();
    figures_and_quotas();
    writer_stays_failed();
    outputs_are_read_back();
    file_names();
    names();

    return tap_done();
}
