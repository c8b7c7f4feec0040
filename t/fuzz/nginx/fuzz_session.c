/*
 * A message on a socket that may have a job: the first byte says what kind of
 * job, the rest is the message.  Each message has one effect on the job or
 * gets one answer, never both, and none that the socket has no right to.  What
 * is answered is well-formed; a pong is its ping in all but its type.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_session.c"

#define INPUT_LEFT  100

#define HAS_JOB     1                   /* of the first byte */
#define VIEWER      2
#define CLOSED      4
#define TERMINAL    8
#define BINARY      16                  /* a message of bytes */

static unsigned  effects, answers, begun;
static json_t   *answer;


void
ngx_http_codr_frames_put(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    (void) ws;
    must(opcode == WSLAY_TEXT_FRAME && ngx_http_codr_text_valid(data, len)
                                       == 0);
    answers++;
    json_decref(answer);
    answer = ngx_http_codr_parse(data, len);
    must(json_is_string(json_object_get(answer, "type")));
}


void
ngx_http_codr_ws_close(ngx_http_codr_ws_t *ws, ngx_uint_t code,
    const char *reason)
{
    (void) ws;
    (void) code;
    (void) reason;
    must(0);                            /* only when there is no memory */
}


void
ngx_http_codr_refused(ngx_http_request_t *r, ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    (void) r;
    must(x == NULL && refusal->code == CODR_ERROR_BAD_MESSAGE);
}


void
ngx_http_codr_output_urge(ngx_http_codr_output_t *o)
{
    (void) o;
}


static void
touch(ngx_http_codr_job_t *job)
{
    must(job != NULL && !job->viewer);
    effects++;
}


void
ngx_http_codr_job_send(ngx_http_codr_job_t *job, codr_frame_type_t type)
{
    must(type == CODR_FRAME_EOF || type == CODR_FRAME_STOP);
    touch(job);
}


void
ngx_http_codr_job_input(ngx_http_codr_job_t *job, const char *data,
    size_t len)
{
    must(!job->closed && len <= INPUT_LEFT && (data != NULL || len == 0));
    touch(job);
}


void
ngx_http_codr_job_resize(ngx_http_codr_job_t *job, ngx_uint_t cols,
    ngx_uint_t rows)
{
    must(job->terminal && cols >= 1 && cols <= 1000
         && rows >= 1 && rows <= 1000);
    touch(job);
}


void
ngx_http_codr_job_signal(ngx_http_codr_job_t *job, ngx_uint_t signal)
{
    must(signal >= 1 && signal <= 64);
    touch(job);
}


void
ngx_http_codr_session_execute(ngx_http_codr_ws_t *ws, json_t *message)
{
    (void) ws;
    must(json_is_object(message));
    begun++;
}


void
ngx_http_codr_session_attach(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_http_codr_attach_t  attach;

    (void) ws;
    begun++;

    if (ngx_http_codr_attach_read(message, &attach) == NGX_OK) {
        must(attach.job_id.len == CODR_JOB_ID_LEN
             && attach.token.len == CODR_JOB_ID_LEN
             && attach.offset <= INT64_MAX);
    }
}


void
ngx_http_codr_session_abandon(ngx_http_codr_ws_t *ws)
{
    (void) ws;
}


static const char *
type_of(json_t *message)
{
    const char  *type = json_string_value(json_object_get(message, "type"));

    return type ? type : "";
}


/* However it is written: the parser is what clients have, too. */
static void
check_pong(const u_char *text, size_t size)
{
    json_t  *ping = ngx_http_codr_parse(text, size);

    must(strcmp(type_of(ping), "ping") == 0);
    must(json_object_set_new(ping, "type", json_string("pong")) == 0);
    must(json_equal(answer, ping));
    json_decref(ping);
}


static void
check_answer(const u_char *text, size_t size)
{
    const char  *type = type_of(answer);

    if (strcmp(type, "pong") == 0) {
        check_pong(text, size);
        return;
    }

    must(strcmp(type, "notice") == 0 || strcmp(type, "error") == 0);
    must(json_is_string(json_object_get(answer, "code")));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t               host;
    uint8_t              how = fuzz_byte(&data, &size);
    u_char              *text = fuzz_copy(data, size);
    ngx_http_codr_ws_t   ws;
    ngx_http_codr_job_t  job;

    if (!(how & BINARY) && ngx_http_codr_text_valid(text, size) != 0) {
        free(text);                     /* frames lets none of it pass */
        return 0;
    }

    host_begin(&host);
    memset(&ws, 0, sizeof(ws));
    memset(&job, 0, sizeof(job));
    ws.request = &host.request;
    ws.ctx = &host.own;
    ws.lcf = &host.lcf;
    ws.mcf = &host.mcf;
    ws.job = (how & HAS_JOB) ? &job : NULL;
    job.viewer = (how & VIEWER) != 0;
    job.closed = (how & CLOSED) != 0;
    job.terminal = (how & TERMINAL) != 0;
    job.input_max = 1000;
    job.input_size = 1000 - INPUT_LEFT;

    effects = answers = begun = 0;
    ((how & BINARY) ? ngx_http_codr_session.bytes
                    : ngx_http_codr_session.text)(&ws, text, size);
    must(effects + answers + begun == 1);

    if (answers) {
        check_answer(text, size);
        json_decref(answer);
        answer = NULL;
    }

    host_end(&host);
    free(text);

    return 0;
}
