
/*
 * Frames of the broker, read into one struct: a table says where each field
 * goes and in which bounds, another what each frame must have.  The broker is
 * trusted less than this worker: a frame that is odd in any way is refused,
 * and the job ends.  Runs in workers.
 */

#include "ngx_http_codr_answer.h"


typedef enum {
    answer_number = 0,
    answer_text,                               /* at most max bytes, no NUL */
    answer_bytes
} ngx_http_codr_answer_kind_e;


typedef struct {
    ngx_uint_t                   tag;          /* codr_field_tag_t */
    ngx_http_codr_answer_kind_e  kind;
    size_t                       offset;
    uint64_t                     max;
} ngx_http_codr_answer_field_t;


typedef struct {
    ngx_uint_t                   type;         /* codr_frame_type_t */
    uint64_t                     required;
} ngx_http_codr_answer_frame_t;


static ngx_int_t ngx_http_codr_answer_field(ngx_http_codr_answer_t *a,
    codr_field_t *field);


#define field(tag, kind, member, max)                                         \
    { CODR_FIELD_##tag, answer_##kind,                                        \
      offsetof(ngx_http_codr_answer_t, member), max }

#define bit(tag)  (1ULL << CODR_FIELD_##tag)

_Static_assert(CODR_FIELD_COMPILE_OUTPUT < 64, "answers' tags fit into bits");


static const ngx_http_codr_answer_field_t  ngx_http_codr_answer_fields[] = {
    field(JOB_ID, text, job_id, CODR_JOB_ID_LEN),
    field(ATTACH_TOKEN, text, attach_token, CODR_TOKEN_LEN),
    field(VIEW_TOKEN, text, view_token, CODR_TOKEN_LEN),
    field(LANGUAGE, text, language, CODR_NAME_MAX),
    field(MESSAGE, text, message, CODR_MESSAGE_MAX),
    field(CODE, number, code, UINT32_MAX),
    field(POSITION, number, position, UINT32_MAX),
    field(WAIT_MS, number, wait_ms, UINT32_MAX),
    field(RETRY_MS, number, retry_ms, UINT32_MAX),
    field(STAGE, number, stage, CODR_STAGE_RUN),
    field(CACHED, number, cached, 1),
    field(STATUS, number, status, CODR_STATUS_COUNT - 1),
    field(EXIT_CODE, number, exit_code, UINT64_MAX),
    field(SIGNAL, number, signal, 64),
    field(CPU_US, number, cpu_us, UINT64_MAX),
    field(WALL_US, number, wall_us, UINT64_MAX),
    field(QUEUE_US, number, queue_us, UINT64_MAX),
    field(START_US, number, start_us, UINT64_MAX),
    field(MEMORY_PEAK, number, memory_peak, UINT64_MAX),
    field(OUTPUT_BYTES, number, output_bytes, UINT64_MAX),
    field(TRUNCATED, number, truncated, 1),
    field(PATH, number, path, CODR_PATH_ZYGOTE),
    field(COMPILE_CPU_US, number, compile_cpu_us, UINT64_MAX),
    field(COMPILE_WALL_US, number, compile_wall_us, UINT64_MAX),
    field(COMPILE_MEMORY, number, compile_memory, UINT64_MAX),
    field(COMPILE_OUTPUT, bytes, compile_output, CODR_FRAME_MAX),
};


static const ngx_http_codr_answer_frame_t  ngx_http_codr_answer_frames[] = {

    { CODR_FRAME_QUEUED, bit(JOB_ID)|bit(POSITION) },

    { CODR_FRAME_STARTED,
      bit(JOB_ID)|bit(ATTACH_TOKEN)|bit(VIEW_TOKEN)|bit(LANGUAGE) },

    { CODR_FRAME_STAGE, bit(STAGE) },

    { CODR_FRAME_COMPLETE,
      bit(STATUS)|bit(EXIT_CODE)|bit(CPU_US)|bit(WALL_US)|bit(QUEUE_US)
      |bit(START_US)|bit(OUTPUT_BYTES)|bit(TRUNCATED)|bit(PATH) },

    { CODR_FRAME_ERROR, bit(CODE)|bit(MESSAGE) },

    { CODR_FRAME_NOTICE, bit(CODE)|bit(MESSAGE) },
};


ngx_int_t
ngx_http_codr_answer_decode(ngx_http_codr_answer_t *a, codr_frame_t *frame,
    u_char *payload)
{
    int            rc;
    ngx_uint_t     i, n;
    codr_field_t   field;
    codr_fields_t  fields;

    ngx_memzero(a, sizeof(ngx_http_codr_answer_t));
    a->type = frame->type;

    codr_fields_init(&fields, payload, frame->length);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {
        if (ngx_http_codr_answer_field(a, &field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (rc != 0) {
        return NGX_ERROR;
    }

    n = sizeof(ngx_http_codr_answer_frames)
        / sizeof(ngx_http_codr_answer_frames[0]);

    for (i = 0; i < n; i++) {
        if (ngx_http_codr_answer_frames[i].type == a->type) {
            return (~a->present & ngx_http_codr_answer_frames[i].required)
                   ? NGX_ERROR : NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_codr_answer_field(ngx_http_codr_answer_t *a, codr_field_t *field)
{
    void                                *p;
    uint64_t                             value;
    ngx_str_t                           *s;
    ngx_uint_t                           i, n;
    const ngx_http_codr_answer_field_t  *row;

    if (field->tag == CODR_FIELD_LIMIT) {
        if (codr_field_limit(field, &a->limit, &value) != 0) {
            return NGX_ERROR;
        }

        a->limits.value[a->limit] = value;
        a->present |= bit(LIMIT);

        return NGX_OK;
    }

    n = sizeof(ngx_http_codr_answer_fields)
        / sizeof(ngx_http_codr_answer_fields[0]);

    for (i = 0; i < n; i++) {
        row = &ngx_http_codr_answer_fields[i];

        if (row->tag != field->tag) {
            continue;
        }

        p = (u_char *) a + row->offset;
        a->present |= 1ULL << row->tag;

        if (row->kind == answer_number) {
            return codr_field_number(field, 0, row->max, p) == 0
                   ? NGX_OK : NGX_ERROR;
        }

        if (row->kind == answer_text
            && codr_field_text(field, (size_t) row->max) != 0)
        {
            return NGX_ERROR;
        }

        s = p;
        s->data = (u_char *) field->data;
        s->len = field->length;

        return NGX_OK;
    }

    return NGX_ERROR;
}


void
ngx_http_codr_answer_error(ngx_http_codr_answer_t *a, codr_error_t code,
    const char *message)
{
    ngx_memzero(a, sizeof(ngx_http_codr_answer_t));

    a->type = CODR_FRAME_ERROR;
    a->present = bit(CODE)|bit(MESSAGE);
    a->code = code;
    a->message.data = (u_char *) message;
    a->message.len = ngx_strlen(message);
}
