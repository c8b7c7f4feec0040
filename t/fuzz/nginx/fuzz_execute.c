/*
 * A client's execute: the first byte says how it comes, the rest is its JSON.
 * What the worker accepts goes through the helper's decoders, which must
 * understand the same; what it refuses must be said in well-formed JSON.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_body.h"
#include "../../../module/ngx_http_codr_execute.h"
#include "../../../module/ngx_http_codr_json.h"
#include "../../../sandbox/codr_request.h"
#include "../../../sandbox/codr_source.h"

#define SENT_MAX    (256 * 1024)

typedef struct {
    ngx_http_codr_execute_t  *x;
    codr_language_t           language;
    codr_request_t            request;
    codr_source_t             source;
    size_t                    files;
    size_t                    input;
    int                       submitted;
    int                       ended;
} far_end_t;

static u_char  sent[SENT_MAX];
static size_t  sent_len;


static ssize_t
take(ngx_connection_t *c, u_char *data, size_t len)
{
    (void) c;

    must(len <= sizeof(sent) - sent_len);
    memcpy(sent + sent_len, data, len);
    sent_len += len;

    return (ssize_t) len;
}


static void
check_request(far_end_t *far, const uint8_t *payload, size_t len)
{
    size_t                    i;
    ngx_str_t                *arg = far->x->args.elts;
    codr_request_t           *got = &far->request;
    ngx_http_codr_execute_t  *x = far->x;

    must(codr_request_decode(got, payload, len) == 0);
    must(strlen(got->language) == x->language->name.len);
    must(got->args.count == x->args.nelts);
    must(got->cols == x->cols && got->rows == x->rows);
    must(strlen(got->tag) == x->tag.len);
    must(memcmp(got->job_id, x->who.job_id.data, CODR_JOB_ID_LEN) == 0);
    must((got->kind == CODR_KIND_BATCH) == (x->closed != 0));
    must(got->terminal == CODR_TERMINAL_NONE || got->kind != CODR_KIND_BATCH);

    for (i = 0; i < got->args.count; i++) {
        must(strlen(got->args.item[i]) == arg[i].len
             && memcmp(got->args.item[i], arg[i].data, arg[i].len) == 0);
    }
}


static void
check_file(far_end_t *far, const uint8_t *payload, size_t len)
{
    uint64_t       size = 0;
    codr_field_t   name, field;
    codr_fields_t  fields;

    codr_fields_init(&fields, payload, len);
    must(codr_fields_next(&fields, &name) == 1);
    must(codr_fields_next(&fields, &field) == 1);
    must(name.tag == CODR_FIELD_FILE_NAME && field.tag == CODR_FIELD_SIZE);
    must(codr_field_number(&field, 0, UINT32_MAX, &size) == 0);

    must(far->source.awaited == 0);
    must(codr_source_file(&far->source, &far->language, &far->x->caps,
                          (const char *) name.data, name.length, size)
         == CODR_SOURCE_OK);
    far->files++;
}


static void
check_frame(far_end_t *far, const codr_frame_t *frame, const uint8_t *payload)
{
    switch (frame->type) {

    case CODR_FRAME_EXECUTE:
        check_request(far, payload, frame->length);
        return;

    case CODR_FRAME_FILE:
        check_file(far, payload, frame->length);
        return;

    case CODR_FRAME_DATA:
        must(codr_source_data(&far->source, payload, frame->length)
             == CODR_SOURCE_OK);
        return;

    case CODR_FRAME_SUBMIT:
        must(far->source.awaited == 0 && !far->submitted);
        must(codr_source_seal(&far->source) == CODR_SOURCE_OK);
        far->submitted = 1;
        return;

    case CODR_FRAME_INPUT:
        must(far->submitted && !far->ended);
        far->input += frame->length;
        return;

    case CODR_FRAME_EOF:
        must(far->submitted && !far->ended);
        far->ended = 1;
        return;

    default:
        must(0);
    }
}


static void
check_frames(ngx_http_codr_execute_t *x)
{
    char          *globs[] = { (char *) "*.py", NULL };
    far_end_t      far;
    codr_frame_t   frame;
    const u_char  *p = sent, *end = sent + sent_len;

    memset(&far, 0, sizeof(far));
    far.x = x;
    far.source = CODR_SOURCE_EMPTY;
    far.language.source = (char *) "main.py";
    far.language.sources.item = globs;
    far.language.sources.count = 1;
    must(codr_source_open(&far.source) == CODR_SOURCE_OK);

    while (p < end) {
        must(end - p >= CODR_FRAME_HEADER);
        must(codr_frame_decode(&frame, p) == 0);
        p += CODR_FRAME_HEADER;
        must((size_t) (end - p) >= frame.length);
        check_frame(&far, &frame, p);
        p += frame.length;
    }

    must(far.submitted && far.files == x->files.nelts);
    must(far.ended == (x->closed != 0) && far.input == x->input.len);

    codr_source_free(&far.source);
    codr_request_free(&far.request);
}


static void
check_refusal(host_t *host, ngx_http_codr_answer_t *refusal)
{
    json_t                *value;
    ngx_http_codr_json_t   j;

    ngx_http_codr_json_init(&j, host->pool, 64);
    ngx_http_codr_json_answer(&j, refusal, NULL);
    value = json_loadb((const char *) j.start, j.pos - j.start,
                       JSON_ALLOW_NUL, NULL);
    must(!j.failed && json_is_object(value));
    json_decref(value);
}


static void
send_frames(host_t *host, ngx_http_codr_execute_t *x)
{
    ngx_http_codr_sendq_t  q;

    memset(&q, 0, sizeof(q));
    sent_len = 0;
    host->connection.send = take;

    must(ngx_http_codr_execute_frames(x, &q, &host->log) == NGX_OK);
    must(ngx_http_codr_sendq_send(&q, &host->connection) == NGX_OK);
    ngx_http_codr_sendq_free(&q);
    check_frames(x);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                    host;
    uint8_t                   how = fuzz_byte(&data, &size);
    u_char                   *text = fuzz_copy(data, size);
    ngx_http_codr_answer_t    refusal;
    ngx_http_codr_execute_t   x;

    host_begin(&host);
    (void) host_language(&host, "python", "main.py", "*.py");
    host.lcf.detach = 5000;
    host.lcf.limits.value[CODR_LIMIT_CODE] = 300;
    host.lcf.limits.value[CODR_LIMIT_FILES] = 500;
    host.lcf.limits.value[CODR_LIMIT_FILE_COUNT] = 5;
    host.lcf.limits.value[CODR_LIMIT_STDIN] = 100;

    memset(&x, 0, sizeof(x));
    x.pool = host.pool;
    x.request = &host.request;
    x.mcf = &host.mcf;
    x.lcf = &host.lcf;
    x.live = how & 1;
    x.async = (how >> 1) & 1;
    x.watched = (how >> 2) & 1;
    x.message = ngx_http_codr_parse(text, size);

    if (x.message != NULL) {
        if (ngx_http_codr_execute_read(&x, &refusal) == NGX_OK) {
            send_frames(&host, &x);
        } else {
            check_refusal(&host, &refusal);
        }
    }

    json_decref(x.message);
    host_end(&host);
    free(text);

    return 0;
}
