
/*
 * What a worker tells the broker of a job that is submitted: input, the
 * terminal's size, signals, its end.  Runs in workers.
 */

#include "ngx_http_codr_job.h"


static void ngx_http_codr_job_put(ngx_http_codr_job_t *job, const void *data,
    size_t len);


void
ngx_http_codr_job_write_handler(ngx_event_t *wev)
{
    ngx_connection_t     *c;
    ngx_http_codr_job_t  *job;

    c = wev->data;
    job = c->data;

    if (!c->close) {
        ngx_http_codr_job_flush(job);
    }
}


/* The broker takes all input at once, so what stays here is bounded by the
   limits that were checked before it was put here.  An error is left to the
   reading side: there may still be an answer. */

void
ngx_http_codr_job_flush(ngx_http_codr_job_t *job)
{
    ngx_connection_t  *c;

    c = job->connection;

    if (job->again || job->held) {
        return;
    }

    if ((ngx_http_codr_sendq_send(&job->out, c) == NGX_ERROR
         || ngx_handle_write_event(c->write, 0) != NGX_OK)
        && !job->out.keep)
    {
        ngx_http_codr_sendq_free(&job->out);
    }
}


static void
ngx_http_codr_job_put(ngx_http_codr_job_t *job, const void *data, size_t len)
{
    ngx_connection_t  *c;

    c = job->connection;

    if (ngx_http_codr_sendq_put(&job->out, data, len, c->log) != NGX_OK) {

        /* after a gap nothing would be understood: the broker sees an end */

        ngx_http_codr_sendq_free(&job->out);
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    }
}


void
ngx_http_codr_job_send(ngx_http_codr_job_t *job, codr_frame_type_t type)
{
    u_char  header[CODR_FRAME_HEADER];

    codr_frame_header(header, type, 0);

    ngx_http_codr_job_put(job, header, CODR_FRAME_HEADER);
    ngx_http_codr_job_flush(job);
}


void
ngx_http_codr_job_input(ngx_http_codr_job_t *job, const char *data, size_t len)
{
    size_t  n;
    u_char  header[CODR_FRAME_HEADER];

    job->input_size += len;

    while (len > 0) {
        n = ngx_min(len, CODR_FRAME_MAX);
        codr_frame_header(header, CODR_FRAME_INPUT, (uint32_t) n);

        ngx_http_codr_job_put(job, header, CODR_FRAME_HEADER);
        ngx_http_codr_job_put(job, data, n);

        data += n;
        len -= n;
    }

    ngx_http_codr_job_flush(job);
}


void
ngx_http_codr_job_resize(ngx_http_codr_job_t *job, ngx_uint_t cols,
    ngx_uint_t rows)
{
    u_char         buf[CODR_FRAME_HEADER + 2 * (CODR_FIELD_HEADER + 8)];
    codr_writer_t  w;

    codr_writer_init(&w, buf, sizeof(buf));
    codr_frame_begin(&w, CODR_FRAME_RESIZE);
    codr_put_number(&w, CODR_FIELD_COLS, cols);
    codr_put_number(&w, CODR_FIELD_ROWS, rows);

    ngx_http_codr_job_put(job, buf, codr_frame_end(&w));
    ngx_http_codr_job_flush(job);
}


void
ngx_http_codr_job_signal(ngx_http_codr_job_t *job, ngx_uint_t signal)
{
    u_char         buf[CODR_FRAME_HEADER + CODR_FIELD_HEADER + 8];
    codr_writer_t  w;

    codr_writer_init(&w, buf, sizeof(buf));
    codr_frame_begin(&w, CODR_FRAME_SIGNAL);
    codr_put_number(&w, CODR_FIELD_SIGNAL, signal);

    ngx_http_codr_job_put(job, buf, codr_frame_end(&w));
    ngx_http_codr_job_flush(job);
}
