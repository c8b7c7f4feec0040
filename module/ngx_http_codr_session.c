
/*
 * The protocol codr.v1 on one socket: a message's type names its row in the
 * table, the row its handler.  One job at a time.  What a client gets wrong is
 * a notice and everything goes on; only an execute that does not begin is an
 * error.  Runs in workers.
 */

#include "ngx_http_codr_session.h"
#include "ngx_http_codr_body.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_text.h"


#define NGX_HTTP_CODR_SESSION_FRAGMENTS  1024  /* of a message */


typedef void (*ngx_http_codr_session_pt)(ngx_http_codr_ws_t *ws,
    json_t *message);

typedef struct {
    const char                *type;
    ngx_http_codr_session_pt   handler;
    ngx_uint_t                 job;            /* needs one */
} ngx_http_codr_session_row_t;


static void ngx_http_codr_session_message(ngx_http_codr_ws_t *ws,
    const u_char *data, size_t len);
static void ngx_http_codr_session_bytes(ngx_http_codr_ws_t *ws,
    const u_char *data, size_t len);
static ngx_uint_t ngx_http_codr_session_may(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_session_unread(ngx_http_codr_ws_t *ws,
    const u_char *data, size_t len);
static void ngx_http_codr_session_input(ngx_http_codr_ws_t *ws,
    json_t *message);
static void ngx_http_codr_session_stdin(ngx_http_codr_ws_t *ws,
    const char *data, size_t len);
static void ngx_http_codr_session_eof(ngx_http_codr_ws_t *ws, json_t *message);
static void ngx_http_codr_session_resize(ngx_http_codr_ws_t *ws,
    json_t *message);
static void ngx_http_codr_session_signal(ngx_http_codr_ws_t *ws,
    json_t *message);
static void ngx_http_codr_session_stop(ngx_http_codr_ws_t *ws,
    json_t *message);
static void ngx_http_codr_session_ping(ngx_http_codr_ws_t *ws,
    json_t *message, const u_char *data, size_t len);


static const ngx_http_codr_session_row_t  ngx_http_codr_session_rows[] = {
    { "execute", ngx_http_codr_session_execute, 0 },
    { "input",   ngx_http_codr_session_input,   1 },
    { "eof",     ngx_http_codr_session_eof,     1 },
    { "resize",  ngx_http_codr_session_resize,  1 },
    { "signal",  ngx_http_codr_session_signal,  1 },
    { "stop",    ngx_http_codr_session_stop,    1 },
    { "attach",  ngx_http_codr_session_attach,  0 },
    { NULL, NULL, 0 }
};


static const ngx_http_codr_service_t  ngx_http_codr_session = {
    ngx_http_codr_session_message,
    ngx_http_codr_session_bytes,
    ngx_http_codr_session_abandon,
    NGX_HTTP_CODR_SESSION_FRAGMENTS,
    0
};


ngx_int_t
ngx_http_codr_session_handler(ngx_http_request_t *r)
{
    return ngx_http_codr_ws_serve(r, &ngx_http_codr_session);
}


static ngx_uint_t
ngx_http_codr_session_is(json_t *type, const char *name)
{
    return json_string_length(type) == ngx_strlen(name)
           && ngx_strcmp(json_string_value(type), name) == 0;
}


static void
ngx_http_codr_session_message(ngx_http_codr_ws_t *ws, const u_char *data,
    size_t len)
{
    json_t                             *message, *type;
    const ngx_http_codr_session_row_t  *row;

    message = ngx_http_codr_parse(data, len);
    type = json_object_get(message, "type");

    if (!json_is_string(type)) {
        ngx_http_codr_session_unread(ws, data, len);
        goto done;
    }

    if (ngx_http_codr_session_is(type, "ping")) {
        ngx_http_codr_session_ping(ws, message, data, len);
        goto done;
    }

    for (row = ngx_http_codr_session_rows; row->type; row++) {
        if (ngx_http_codr_session_is(type, row->type)) {
            break;
        }
    }

    if (row->type == NULL) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "messages of this \"type\" are not known");

    } else if (!row->job || ngx_http_codr_session_may(ws)) {
        row->handler(ws, message);
    }

done:

    json_decref(message);
}


/* Whether there is a job, and this socket controls it; else it is told. */

static ngx_uint_t
ngx_http_codr_session_may(ngx_http_codr_ws_t *ws)
{
    if (ws->job == NULL) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_NOT_RUNNING,
                                     "no program is running");
        return 0;
    }

    if (ws->job->viewer) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_READ_ONLY,
                                     "who views a program cannot control it");
        return 0;
    }

    return 1;
}


/* Where in the text its type stands, if it is this one. */

static const u_char *
ngx_http_codr_session_said(const u_char *data, size_t len, const char *name)
{
    size_t         n;
    const u_char  *type;

    if (ngx_http_codr_text_type(data, len, &type, &n) != 0
        || n != ngx_strlen(name) || ngx_strncmp(type, name, n) != 0)
    {
        return NULL;
    }

    return type;
}


/* What cannot be read is not waited for: a client whose execute it was gets
   the one answer that ends it. */

static void
ngx_http_codr_session_unread(ngx_http_codr_ws_t *ws, const u_char *data,
    size_t len)
{
    ngx_http_codr_answer_t  refusal;

    if (ws->job == NULL && ngx_http_codr_session_said(data, len, "execute")) {
        ngx_http_codr_answer_error(&refusal, CODR_ERROR_BAD_MESSAGE,
                                   "this JSON cannot be read");
        ngx_http_codr_refused(ws->request, NULL, &refusal);
        ngx_http_codr_session_say(ws, &refusal);
        return;
    }

    ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                 "this is no JSON object with a \"type\"");
}


static void
ngx_http_codr_session_input(ngx_http_codr_ws_t *ws, json_t *message)
{
    json_t  *data;

    data = json_object_get(message, "data");

    if (!json_is_string(data)) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "\"data\" is not a string");
        return;
    }

    ngx_http_codr_session_stdin(ws, json_string_value(data),
                                json_string_length(data));
}


/* What codr.v1.bin has for input: its first byte is a stream, and 0 the only
   one that is written to. */

static void
ngx_http_codr_session_bytes(ngx_http_codr_ws_t *ws, const u_char *data,
    size_t len)
{
    if (len == 0 || data[0] != 0) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "a binary message begins with a byte 0");

    } else if (ngx_http_codr_session_may(ws)) {
        ngx_http_codr_session_stdin(ws, (const char *) data + 1, len - 1);
    }
}


static void
ngx_http_codr_session_stdin(ngx_http_codr_ws_t *ws, const char *data,
    size_t len)
{
    ngx_http_codr_job_t  *job;

    job = ws->job;

    if (job->closed) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_INPUT_CLOSED,
                                     "the program's input is closed");
        return;
    }

    if (len > job->input_max - job->input_size) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_INPUT_TOO_LARGE,
                                     "this is more input than a program may"
                                     " be given; it was dropped");
        return;
    }

    ngx_http_codr_output_urge(ws->output);
    ngx_http_codr_job_input(job, data, len);
}


static void
ngx_http_codr_session_eof(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_http_codr_job_t  *job;

    job = ws->job;

    if (job->closed) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_INPUT_CLOSED,
                                     "the program's input is closed");
        return;
    }

    /* on a terminal it is a key like others: what follows is read, too */

    job->closed = !job->terminal;

    ngx_http_codr_output_urge(ws->output);
    ngx_http_codr_job_send(job, CODR_FRAME_EOF);
}


static void
ngx_http_codr_session_resize(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_uint_t  cols, rows;

    if (ngx_http_codr_side(json_object_get(message, "cols"), &cols) != NGX_OK
        || ngx_http_codr_side(json_object_get(message, "rows"), &rows)
           != NGX_OK)
    {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "\"cols\" and \"rows\" are numbers of"
                                     " 1 to 1000");
        return;
    }

    if (!ws->job->terminal) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "this program has no terminal");
        return;
    }

    ngx_http_codr_output_urge(ws->output);
    ngx_http_codr_job_resize(ws->job, cols, rows);
}


static void
ngx_http_codr_session_signal(ngx_http_codr_ws_t *ws, json_t *message)
{
    int      signo;
    json_t  *name;

    name = json_object_get(message, "signal");

    signo = json_is_string(name)
            ? codr_signal_number(json_string_value(name),
                                 json_string_length(name))
            : 0;

    if (signo == 0) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "\"signal\" is not the name of one");
        return;
    }

    ngx_http_codr_output_urge(ws->output);
    ngx_http_codr_job_signal(ws->job, signo);
}


static void
ngx_http_codr_session_stop(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_http_codr_job_send(ws->job, CODR_FRAME_STOP);
}


/* In the client's own words: a parser changes numbers that it cannot hold. */

static void
ngx_http_codr_session_ping(ngx_http_codr_ws_t *ws, json_t *message,
    const u_char *data, size_t len)
{
    char          *text;
    size_t         before;
    const u_char  *type;

    type = ngx_http_codr_session_said(data, len, "ping");

    if (type) {
        text = ngx_alloc(len, ws->request->connection->log);

        if (text) {
            before = ngx_http_codr_text_compact((u_char *) text, data,
                                                type - 1 - data);
            len = before
                  + ngx_http_codr_text_compact((u_char *) text + before,
                                               type - 1, data + len - type + 1);
            ngx_memcpy(text + before + 1, "pong", 4);
        }

    } else {                                   /* "type" is escaped there */
        (void) json_object_set_new(message, "type", json_string("pong"));
        text = json_dumps(message, JSON_COMPACT);
        len = text ? ngx_strlen(text) : 0;
    }

    if (text == NULL) {
        ngx_http_codr_ws_close(ws, 1011, "out of memory");
        return;
    }

    ngx_http_codr_frames_put(ws, WSLAY_TEXT_FRAME, (u_char *) text, len);

    free(text);
}


void
ngx_http_codr_session_notice(ngx_http_codr_ws_t *ws, codr_notice_t code,
    const char *text)
{
    ngx_http_codr_answer_t  a;

    ngx_http_codr_answer_error(&a, 0, text);

    a.type = CODR_FRAME_NOTICE;
    a.code = code;

    ngx_http_codr_session_say(ws, &a);
}


void
ngx_http_codr_session_say(ngx_http_codr_ws_t *ws, ngx_http_codr_answer_t *a)
{
    ngx_pool_t            *pool;
    ngx_http_codr_json_t   j;

    pool = ngx_create_pool(NGX_HTTP_CODR_SESSION_POOL,
                           ws->request->connection->log);

    if (pool == NULL) {
        ngx_http_codr_ws_close(ws, 1011, "out of memory");
        return;
    }

    ngx_http_codr_json_init(&j, pool, 1024);
    ngx_http_codr_json_answer(&j, a, ws->job);

    if (j.failed) {
        ngx_http_codr_ws_close(ws, 1011, "out of memory");

    } else {
        ngx_http_codr_frames_put(ws, WSLAY_TEXT_FRAME, j.start,
                                 j.pos - j.start);
    }

    ngx_destroy_pool(pool);
}
