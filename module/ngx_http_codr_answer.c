
/*
 * Frames of the broker, read into one struct: a table says where each field
 * goes and in which bounds, another what each frame must have.  The broker is
 * trusted less than this worker: a frame that is odd in any way is refused,
 * and the job ends.  Runs in workers.
 */

#include "ngx_http_codr_answer.h"
#include "ngx_http_codr_findings.h"


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


#define NGX_HTTP_CODR_ANSWER_REQUIRED  10

typedef struct {
    ngx_uint_t                   type;         /* codr_frame_type_t */
    u_char                       required[NGX_HTTP_CODR_ANSWER_REQUIRED];
                                               /* tags, 0 behind the last */
} ngx_http_codr_answer_frame_t;


static ngx_int_t ngx_http_codr_answer_complete(ngx_http_codr_answer_t *a);
static ngx_int_t ngx_http_codr_answer_field(ngx_http_codr_answer_t *a,
    codr_field_t *field);


#define field(tag, kind, member, max)                                         \
    { CODR_FIELD_##tag, answer_##kind,                                        \
      offsetof(ngx_http_codr_answer_t, member), max }

#define tag(name)  CODR_FIELD_##name

_Static_assert(CODR_FIELD_TAGS
               <= 8 * sizeof(((ngx_http_codr_answer_t *) NULL)->present),
               "tags fit into bits");


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
    field(OWNER, bytes, owner, CODR_OWNER_MAX),
    field(TAG, text, tag, CODR_TAG_MAX),
    field(HELD, bytes, held, 4),
    field(TERMINAL, number, terminal, CODR_TERMINAL_FULL),
    field(INPUT_BYTES, number, input_bytes, UINT64_MAX),
    field(INPUT_CLOSED, number, input_closed, 1),
    field(OFFSET, number, offset, UINT64_MAX),
    field(SIZE, number, size, UINT64_MAX),
    field(JOB_STATE, number, job_state, CODR_PHASE_ENDED),
    field(CREATED_MS, number, created_ms, UINT64_MAX),
    field(STARTED_MS, number, started_ms, UINT64_MAX),
    field(COMPLETED_MS, number, completed_ms, UINT64_MAX),
};


static const ngx_http_codr_answer_frame_t  ngx_http_codr_answer_frames[] = {

    { CODR_FRAME_QUEUED, { tag(JOB_ID), tag(POSITION) } },

    { CODR_FRAME_STARTED,
      { tag(JOB_ID), tag(LANGUAGE) } },

    { CODR_FRAME_STAGE, { tag(STAGE) } },

    { CODR_FRAME_COMPLETE,
      { tag(STATUS), tag(CPU_US), tag(WALL_US), tag(QUEUE_US), tag(START_US),
        tag(OUTPUT_BYTES), tag(TRUNCATED), tag(PATH) } },

    { CODR_FRAME_ERROR, { tag(CODE), tag(MESSAGE) } },

    { CODR_FRAME_NOTICE, { tag(CODE), tag(MESSAGE) } },

    { CODR_FRAME_ACCEPTED,
      { tag(JOB_ID), tag(ATTACH_TOKEN), tag(VIEW_TOKEN) } },

    { CODR_FRAME_TAKEN, { 0 } },

    { CODR_FRAME_RECORD,
      { tag(JOB_ID), tag(OWNER), tag(LANGUAGE), tag(JOB_STATE),
        tag(CREATED_MS), tag(OFFSET), tag(SIZE) } },

    { CODR_FRAME_FETCHED, { tag(OFFSET) } },
};


ngx_int_t
ngx_http_codr_answer_decode(ngx_http_codr_answer_t *a, codr_frame_t *frame,
    u_char *payload)
{
    int            rc;
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

    return rc == 0 ? ngx_http_codr_answer_complete(a) : NGX_ERROR;
}


/* NGX_ERROR, too, for a frame that is no answer. */

static ngx_int_t
ngx_http_codr_answer_complete(ngx_http_codr_answer_t *a)
{
    ngx_uint_t                           i, k, n;
    const ngx_http_codr_answer_frame_t  *row;

    n = sizeof(ngx_http_codr_answer_frames)
        / sizeof(ngx_http_codr_answer_frames[0]);

    for (i = 0; i < n; i++) {
        row = &ngx_http_codr_answer_frames[i];

        if (row->type != a->type) {
            continue;
        }

        for (k = 0; row->required[k]; k++) {
            if ((a->present[row->required[k] / 64]
                 & ngx_http_codr_answer_bit(row->required[k])) == 0)
            {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_codr_answer_field(ngx_http_codr_answer_t *a, codr_field_t *field)
{
    void                                *p;
    uint64_t                             value;
    ngx_int_t                            rc;
    ngx_str_t                           *s;
    ngx_uint_t                           i, n;
    const ngx_http_codr_answer_field_t  *row;

    if (field->tag == CODR_FIELD_LIMIT) {
        if (codr_field_limit(field, &a->limit, &value) != 0) {
            return NGX_ERROR;
        }

        a->limits.value[a->limit] = value;
        ngx_http_codr_answer_set(a, CODR_FIELD_LIMIT);

        return NGX_OK;
    }

    rc = ngx_http_codr_findings_field(a, field);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    n = sizeof(ngx_http_codr_answer_fields)
        / sizeof(ngx_http_codr_answer_fields[0]);

    for (i = 0; i < n; i++) {
        row = &ngx_http_codr_answer_fields[i];

        if (row->tag != field->tag) {
            continue;
        }

        p = (u_char *) a + row->offset;
        ngx_http_codr_answer_set(a, row->tag);

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


ngx_uint_t
ngx_http_codr_answer_compiler(ngx_http_codr_answer_t *a)
{
    return a->type == CODR_FRAME_ERROR
           && (a->code == CODR_ERROR_COMPILE_ERROR
               || a->code == CODR_ERROR_COMPILE_LIMIT);
}


void
ngx_http_codr_answer_stopped(ngx_http_codr_answer_t *a)
{
    ngx_memzero(a, sizeof(ngx_http_codr_answer_t));

    a->type = CODR_FRAME_COMPLETE;
    a->status = CODR_STATUS_STOPPED;
    ngx_http_codr_answer_set(a, CODR_FIELD_STATUS);
}


void
ngx_http_codr_answer_error(ngx_http_codr_answer_t *a, codr_error_t code,
    const char *message)
{
    ngx_memzero(a, sizeof(ngx_http_codr_answer_t));

    a->type = CODR_FRAME_ERROR;
    ngx_http_codr_answer_set(a, CODR_FIELD_CODE);
    ngx_http_codr_answer_set(a, CODR_FIELD_MESSAGE);
    a->code = code;
    a->message.data = (u_char *) message;
    a->message.len = ngx_strlen(message);
}
