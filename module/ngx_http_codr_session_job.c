
/*
 * The job of a socket: begins by an execute or an attach, then what it says
 * and puts out becomes messages, and its end is the socket's rest.  Runs in
 * workers.
 */

#include "ngx_http_codr_session.h"
#include "ngx_http_codr_ticket.h"


static ngx_int_t ngx_http_codr_session_start(ngx_http_codr_ws_t *ws,
    json_t *message, ngx_pool_t *pool, ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_session_listen(ngx_http_codr_ws_t *ws,
    ngx_http_codr_job_t *job);
static void ngx_http_codr_session_text(void *data, u_char *text, size_t len);
static void ngx_http_codr_session_frame(void *data, ngx_uint_t stream,
    u_char *p, size_t len);
static void ngx_http_codr_session_sent(void *data);
static void ngx_http_codr_session_output(void *data, codr_output_t *output);
static void ngx_http_codr_session_answer(void *data,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_session_flush(void *data);


static const ngx_http_codr_output_sink_t  ngx_http_codr_session_texts = {
    ngx_http_codr_session_text,
    NULL,
    ngx_http_codr_session_sent
};


static const ngx_http_codr_output_sink_t  ngx_http_codr_session_frames = {
    NULL,
    ngx_http_codr_session_frame,
    ngx_http_codr_session_sent
};


static const ngx_http_codr_job_handler_t  ngx_http_codr_session_job = {
    ngx_http_codr_session_output,
    ngx_http_codr_session_answer,
    ngx_http_codr_session_flush
};


void
ngx_http_codr_session_execute(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_pool_t              *pool;
    ngx_http_codr_answer_t   refusal;

    if (ws->job) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_ALREADY_RUNNING,
                                     "one program at a time");
        return;
    }

    if (ngx_exiting) {
        ngx_http_codr_ws_close(ws, 1012, "restart");
        return;
    }

    pool = ngx_create_pool(NGX_HTTP_CODR_SESSION_POOL,
                           ws->request->connection->log);

    if (pool == NULL) {
        ngx_http_codr_ws_close(ws, 1011, "out of memory");
        return;
    }

    if (ngx_http_codr_session_start(ws, message, pool, &refusal) != NGX_OK) {
        ngx_http_codr_session_say(ws, &refusal);

        if (refusal.code == CODR_ERROR_UNAUTHORIZED) {
            ngx_http_codr_ws_close(ws, 1008, "unauthorized");
        }
    }

    ngx_destroy_pool(pool);
}


static ngx_int_t
ngx_http_codr_session_start(ngx_http_codr_ws_t *ws, json_t *message,
    ngx_pool_t *pool, ngx_http_codr_answer_t *refusal)
{
    ngx_int_t                  rc;
    ngx_http_codr_job_t       *job;
    ngx_http_codr_execute_t    x;
    ngx_http_codr_identity_t   who;

    rc = ngx_http_codr_admit(ws->request, pool, message, &who);

    if (rc != NGX_OK) {
        ngx_http_codr_not_admitted(rc, refusal);
        ngx_http_codr_refused(ws->request, NULL, refusal);
        return NGX_ERROR;
    }

    ngx_http_codr_frames_trust(ws);

    ngx_memzero(&x, sizeof(ngx_http_codr_execute_t));
    x.pool = pool;
    x.request = ws->request;
    x.mcf = ws->mcf;
    x.lcf = ws->lcf;
    x.who = who;
    x.live = 1;
    x.message = message;

    if (ngx_http_codr_execute_read(&x, refusal) != NGX_OK
        || ngx_http_codr_job_start(&job, &x, &ngx_http_codr_session_job, ws,
                                   ws->request->connection->log, refusal)
           != NGX_OK)
    {
        ngx_http_codr_refused(ws->request, &x, refusal);
        return NGX_ERROR;
    }

    if (ngx_http_codr_session_listen(ws, job) != NGX_OK) {
        ngx_http_codr_job_close(job);
        ngx_http_codr_answer_error(refusal, CODR_ERROR_INTERNAL,
                                   "out of memory");
        ngx_http_codr_refused(ws->request, &x, refusal);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* From now on it is the socket's job. */

static ngx_int_t
ngx_http_codr_session_listen(ngx_http_codr_ws_t *ws, ngx_http_codr_job_t *job)
{
    const ngx_http_codr_output_sink_t  *sink;

    sink = ws->binary ? &ngx_http_codr_session_frames
                      : &ngx_http_codr_session_texts;

    ws->output = ngx_http_codr_output_create(job->pool,
                                             ws->request->connection->log,
                                             sink, ws);

    if (ws->output == NULL) {
        return NGX_ERROR;
    }

    ws->job = job;

    return NGX_OK;
}


void
ngx_http_codr_session_attach(ngx_http_codr_ws_t *ws, json_t *message)
{
    ngx_int_t                rc;
    ngx_http_codr_job_t     *job;
    ngx_http_codr_attach_t   attach;
    ngx_http_codr_answer_t   refusal;

    if (ws->job) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_ALREADY_RUNNING,
                                     "one program at a time");
        return;
    }

    if (ngx_exiting) {
        ngx_http_codr_ws_close(ws, 1012, "restart");
        return;
    }

    rc = ngx_http_codr_attach_read(message, &attach);

    if (rc == NGX_ERROR) {
        ngx_http_codr_session_notice(ws, CODR_NOTICE_BAD_MESSAGE,
                                     "\"attach\" takes a \"job_id\", an"
                                     " \"attach_token\" or a \"view_token\","
                                     " and an \"offset\" of 0 or more");
        return;
    }

    ngx_http_codr_answer_error(&refusal, CODR_ERROR_NOT_FOUND,
                               "there is no such job");

    if (rc != NGX_OK
        || ngx_http_codr_job_attach(&job, ws->mcf, &attach,
                                    &ngx_http_codr_session_job, ws,
                                    ws->request->connection->log, &refusal)
           != NGX_OK)
    {
        ngx_http_codr_session_say(ws, &refusal);
        return;
    }

    if (ngx_http_codr_session_listen(ws, job) != NGX_OK) {
        ngx_http_codr_job_close(job);
        ngx_http_codr_ws_close(ws, 1011, "out of memory");
    }
}


static void
ngx_http_codr_session_text(void *data, u_char *text, size_t len)
{
    ngx_http_codr_frames_put(data, WSLAY_TEXT_FRAME, text, len);
}


static void
ngx_http_codr_session_frame(void *data, ngx_uint_t stream, u_char *p,
    size_t len)
{
    p[-1] = (u_char) stream;

    ngx_http_codr_frames_pass(data, WSLAY_BINARY_FRAME, p - 1, 1 + len);
}


static void
ngx_http_codr_session_sent(void *data)
{
    ngx_http_codr_ws_run_foreign(data);
}


static void
ngx_http_codr_session_output(void *data, codr_output_t *output)
{
    ngx_http_codr_ws_t  *ws = data;

    ngx_http_codr_output_add(ws->output, output);
}


static void
ngx_http_codr_session_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_ws_t  *ws = data;

    if (a->type == CODR_FRAME_STARTED) {

        if (ws->job->attached) {
            ngx_http_codr_output_begin(ws->output, a->offset, &a->held);

        } else {
            ws->ctx->jobs++;
        }
    }

    if (!ws->job->ended) {
        ngx_http_codr_session_say(ws, a);
        return;
    }

    ngx_http_codr_output_finish(ws->output);

    if (ws->job->taken) {
        ngx_http_codr_ws_close(ws, 4001, "taken over");

    } else {
        ngx_http_codr_session_say(ws, a);

        if (ws->job->reports) {
            ngx_http_codr_record(ws->request, ws->job, a);
        }
    }

    ws->job = NULL;
    ws->output = NULL;
    ws->quiet = ngx_current_msec;

    if (a->type == CODR_FRAME_ERROR && a->code == CODR_ERROR_UNAUTHORIZED) {
        ngx_http_codr_ws_close(ws, 1008, "unauthorized");
    }

    if (ngx_exiting) {
        ngx_http_codr_ws_close(ws, 1012, "restart");
    }
}


static void
ngx_http_codr_session_flush(void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    if (ws->output) {
        ngx_http_codr_output_settle(ws->output);
    }

    ngx_http_codr_ws_run_foreign(ws);
}


void
ngx_http_codr_session_abandon(ngx_http_codr_ws_t *ws)
{
    if (ws->job == NULL) {
        return;
    }

    if (!ws->job->attached && !ws->job->detach) {
        ngx_http_codr_record(ws->request, ws->job, NULL);
    }

    ngx_http_codr_job_close(ws->job);

    ws->job = NULL;
    ws->output = NULL;
}
