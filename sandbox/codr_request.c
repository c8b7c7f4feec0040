/*
 * Decodes EXECUTE.  Runs in the broker, on bytes from a worker that may have
 * been taken over.  Pure but for malloc.
 */

#include "codr_request.h"

#include <errno.h>
#include <string.h>

#define COLS    80
#define ROWS    24


static int
take_bool(bool *ret, const codr_field_t *field)
{
    uint64_t value;

    if (codr_field_number(field, 0, 1, &value) != 0) {
        return -EPROTO;
    }

    *ret = value == 1;
    return 0;
}


static int
take_size(uint16_t *ret, const codr_field_t *field)
{
    uint64_t value;

    if (codr_field_number(field, 1, 1000, &value) != 0) {
        return -EPROTO;
    }

    *ret = (uint16_t) value;
    return 0;
}


static int
take_language(codr_request_t *request, const codr_field_t *field)
{
    if (codr_field_text(field, CODR_NAME_MAX) != 0) {
        return -EPROTO;
    }

    memcpy(request->language, field->data, field->length);
    request->language[field->length] = '\0';
    return 0;
}


static int
take_owner(codr_request_t *request, const codr_field_t *field)
{
    if (field->length > sizeof(request->owner)) {
        return -EPROTO;
    }

    memcpy(request->owner, field->data, field->length);
    request->owner_len = field->length;
    return 0;
}


static int
take_tag(codr_request_t *request, const codr_field_t *field)
{
    if (codr_field_text(field, CODR_TAG_MAX) != 0) {
        return -EPROTO;
    }

    memcpy(request->tag, field->data, field->length);
    request->tag[field->length] = '\0';
    return 0;
}


static int
take_job_id(codr_request_t *request, const codr_field_t *field)
{
    if (codr_field_id(field) != 0) {
        return -EPROTO;
    }

    memcpy(request->job_id, field->data, field->length);
    request->job_id[field->length] = '\0';
    return 0;
}


static int
take_arg(codr_request_t *request, const codr_field_t *field)
{
    if (request->args.count >= CODR_ARGS_MAX
        || codr_field_text(field, CODR_FRAME_MAX) != 0)
    {
        return -EPROTO;
    }

    return codr_list_add(&request->args, field->data, field->length);
}


static int
take_limit(codr_request_t *request, const codr_field_t *field)
{
    uint32_t id;
    uint64_t value;

    if (codr_field_limit(field, &id, &value) != 0) {
        return -EPROTO;
    }

    /* only what is a client's to choose */
    if (codr_limit_info(id)->client == NULL) {
        return -EPROTO;
    }

    if (value == 0) {
        request->invalid = (int) id;
    }

    request->asked.value[id] = value;
    return 0;
}


static int
take_cap(codr_request_t *request, const codr_field_t *field)
{
    uint32_t id;
    uint64_t value;

    if (codr_field_limit(field, &id, &value) != 0) {
        return -EPROTO;
    }

    request->caps.value[id] = value;
    return 0;
}


static int
take_enum(codr_request_t *request, const codr_field_t *field)
{
    uint64_t value;
    uint64_t max = field->tag == CODR_FIELD_KIND ? CODR_KIND_BATCH
                                                 : CODR_TERMINAL_FULL;

    if (codr_field_number(field, 0, max, &value) != 0) {
        return -EPROTO;
    }

    if (field->tag == CODR_FIELD_KIND) {
        request->kind = (codr_kind_t) value;
    } else {
        request->terminal = (codr_terminal_t) value;
    }

    return 0;
}


static int
take_quota(codr_request_t *request, const codr_field_t *field)
{
    codr_quota_t *quota;

    if (request->quotas >= CODR_QUOTAS_MAX) {
        return -EPROTO;
    }

    quota = &request->quota[request->quotas++];
    return codr_field_quota(field, quota->key, &quota->max) ? -EPROTO : 0;
}


static int
take_cpu_quota(codr_request_t *request, const codr_field_t *field)
{
    if (request->cpu_quotas >= CODR_QUOTAS_MAX
        || field->length != CODR_CPU_QUOTA)
    {
        return -EPROTO;
    }

    memcpy(request->cpu_quota[request->cpu_quotas++], field->data,
           CODR_CPU_QUOTA);
    return 0;
}


static int
take_field(codr_request_t *request, const codr_field_t *field)
{
    switch (field->tag) {

    case CODR_FIELD_LOCATION:
        return codr_field_number(field, 0, UINT32_MAX, &request->location)
               ? -EPROTO : 0;

    case CODR_FIELD_LANGUAGE:
        return take_language(request, field);

    case CODR_FIELD_OWNER:
        return take_owner(request, field);

    case CODR_FIELD_KIND:
    case CODR_FIELD_TERMINAL:
        return take_enum(request, field);

    case CODR_FIELD_LIVE:
        return take_bool(&request->live, field);

    case CODR_FIELD_ECHO:
        return take_bool(&request->echo, field);

    case CODR_FIELD_OUTPUT_DROP:
        return take_bool(&request->output_drop, field);

    case CODR_FIELD_ASYNC:
        return take_bool(&request->async, field);

    case CODR_FIELD_QUIET:
        return take_bool(&request->quiet, field);

    case CODR_FIELD_TRACE:
        return take_bool(&request->trace, field);

    case CODR_FIELD_DETACH_MS:
        return codr_field_number(field, 0, UINT32_MAX, &request->detach_ms)
               ? -EPROTO : 0;

    case CODR_FIELD_POLICY_MODE:
        return codr_field_number(field, 0, CODR_POLICY_MODES - 1,
                                 &request->policy_mode) ? -EPROTO : 0;

    case CODR_FIELD_POLICY_LEVEL:
        return codr_field_number(field, 0, CODR_POLICY_LEVELS - 1,
                                 &request->policy_level) ? -EPROTO : 0;

    case CODR_FIELD_TAG:
        return take_tag(request, field);

    case CODR_FIELD_JOB_ID:
        return take_job_id(request, field);

    case CODR_FIELD_COLS:
        return take_size(&request->cols, field);

    case CODR_FIELD_ROWS:
        return take_size(&request->rows, field);

    case CODR_FIELD_ARG:
        return take_arg(request, field);

    case CODR_FIELD_LIMIT:
        return take_limit(request, field);

    case CODR_FIELD_CAP:
        return take_cap(request, field);

    case CODR_FIELD_QUOTA:
        return take_quota(request, field);

    case CODR_FIELD_CPU_QUOTA:
        return take_cpu_quota(request, field);

    default:                        /* a tag of another frame */
        return -EPROTO;
    }
}


int
codr_request_decode(codr_request_t *request, const void *payload, size_t len)
{
    int           result;
    codr_field_t  field;
    codr_fields_t fields;

    request->cols = COLS;
    request->rows = ROWS;
    request->invalid = -1;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        result = take_field(request, &field);
        if (result < 0) {
            return result;
        }
    }

    return result < 0 || request->language[0] == '\0' ? -EPROTO : 0;
}


void
codr_request_free(codr_request_t *request)
{
    codr_list_free(&request->args);
}
