
/*
 * A checked execute as the frames of a job.  What is in them was looked at
 * before: here nothing is refused, but there may be no room or no memory for
 * it.  Runs in workers.
 */

#include "ngx_http_codr_execute.h"


static void ngx_http_codr_execute_caps(ngx_http_codr_execute_t *x,
    codr_writer_t *w);
static ngx_int_t ngx_http_codr_execute_raw(ngx_http_codr_sendq_t *q,
    codr_frame_type_t type, const u_char *data, size_t len, ngx_log_t *log);


size_t
ngx_http_codr_execute_head(ngx_http_codr_execute_t *x, u_char *buf,
    size_t size)
{
    ngx_str_t      *arg;
    ngx_uint_t      i;
    codr_writer_t   w;

    codr_writer_init(&w, buf, size);
    codr_frame_begin(&w, CODR_FRAME_EXECUTE);

    codr_put_number(&w, CODR_FIELD_LOCATION, x->lcf->id);
    codr_put_bytes(&w, CODR_FIELD_LANGUAGE, x->language->name.data,
                   x->language->name.len);
    codr_put_bytes(&w, CODR_FIELD_OWNER, x->who.owner.data, x->who.owner.len);
    codr_put_bytes(&w, CODR_FIELD_JOB_ID, x->who.job_id.data,
                   x->who.job_id.len);

    if (x->async) {
        codr_put_number(&w, CODR_FIELD_ASYNC, 1);
        codr_put_number(&w, CODR_FIELD_QUIET, x->mcf->redis_conf ? 0 : 1);
    }

    codr_put_number(&w, CODR_FIELD_KIND, x->closed ? CODR_KIND_BATCH
                                                   : CODR_KIND_INTERACTIVE);
    codr_put_number(&w, CODR_FIELD_TERMINAL, x->terminal);
    codr_put_number(&w, CODR_FIELD_LIVE, (x->live || x->watched) ? 1 : 0);
    codr_put_number(&w, CODR_FIELD_COLS, x->cols);
    codr_put_number(&w, CODR_FIELD_ROWS, x->rows);
    codr_put_number(&w, CODR_FIELD_ECHO, x->echo);
    codr_put_number(&w, CODR_FIELD_DETACH_MS, x->detach);
    codr_put_bytes(&w, CODR_FIELD_TAG, x->tag.data, x->tag.len);

    if (ngx_cycle->log->log_level >= NGX_LOG_DEBUG) {
        codr_put_number(&w, CODR_FIELD_TRACE, 1);
    }

    arg = x->args.elts;

    for (i = 0; i < x->args.nelts; i++) {
        codr_put_bytes(&w, CODR_FIELD_ARG, arg[i].data, arg[i].len);
    }

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        if (x->wishes & (1 << i)) {
            codr_put_limit(&w, CODR_FIELD_LIMIT, i, x->wished.value[i]);
        }
    }

    if (ngx_http_codr_helper_is_foreign(x->mcf)) {
        ngx_http_codr_execute_caps(x, &w);
    }

    ngx_http_codr_quotas_put(x->quotas, &w);

    return codr_frame_end(&w);
}


/* What nginx says can only narrow what such a helper has of its own. */

static void
ngx_http_codr_execute_caps(ngx_http_codr_execute_t *x, codr_writer_t *w)
{
    ngx_uint_t     i;
    codr_limits_t  caps;

    codr_limits_explicit(&caps, &x->lcf->limits, &x->language->limits);

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        if (caps.value[i]) {
            codr_put_limit(w, CODR_FIELD_CAP, i, caps.value[i]);
        }
    }

    codr_put_number(w, CODR_FIELD_OUTPUT_DROP,
                    x->lcf->output_drop || x->language->output_drop);
    codr_put_number(w, CODR_FIELD_POLICY_MODE, x->lcf->policy_mode);
    codr_put_number(w, CODR_FIELD_POLICY_LEVEL, x->lcf->policy_level);
}


ngx_int_t
ngx_http_codr_execute_frames(ngx_http_codr_execute_t *x,
    ngx_http_codr_sendq_t *q, ngx_log_t *log)
{
    size_t                 size;
    u_char                 buf[CODR_FRAME_HEADER + 2 * CODR_FIELD_HEADER
                               + CODR_FILE_NAME_MAX + 8];
    ngx_uint_t             i;
    codr_writer_t          w;
    ngx_http_codr_file_t  *file;

    if (ngx_http_codr_sendq_put(q, x->head.data, x->head.len, log) != NGX_OK) {
        return NGX_ERROR;
    }

    file = x->files.elts;

    for (i = 0; i < x->files.nelts; i++) {
        codr_writer_init(&w, buf, sizeof(buf));
        codr_frame_begin(&w, CODR_FRAME_FILE);
        codr_put_bytes(&w, CODR_FIELD_FILE_NAME, file[i].name.data,
                       file[i].name.len);
        codr_put_number(&w, CODR_FIELD_SIZE, file[i].data.len);
        size = codr_frame_end(&w);

        if (size == 0
            || ngx_http_codr_sendq_put(q, buf, size, log) != NGX_OK
            || ngx_http_codr_execute_raw(q, CODR_FRAME_DATA, file[i].data.data,
                                         file[i].data.len, log)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    codr_frame_header(buf, CODR_FRAME_SUBMIT, 0);

    if (ngx_http_codr_sendq_put(q, buf, CODR_FRAME_HEADER, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!x->closed) {
        return NGX_OK;
    }

    codr_frame_header(buf, CODR_FRAME_EOF, 0);

    if (ngx_http_codr_execute_raw(q, CODR_FRAME_INPUT, x->input.data,
                                  x->input.len, log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_codr_sendq_put(q, buf, CODR_FRAME_HEADER, log);
}


/* As many frames as the bytes need; none for no bytes. */

static ngx_int_t
ngx_http_codr_execute_raw(ngx_http_codr_sendq_t *q, codr_frame_type_t type,
    const u_char *data, size_t len, ngx_log_t *log)
{
    size_t  n;
    u_char  header[CODR_FRAME_HEADER];

    while (len > 0) {
        n = ngx_min(len, CODR_FRAME_MAX);
        codr_frame_header(header, type, (uint32_t) n);

        if (ngx_http_codr_sendq_put(q, header, CODR_FRAME_HEADER, log)
            != NGX_OK
            || ngx_http_codr_sendq_put(q, data, n, log) != NGX_OK)
        {
            return NGX_ERROR;
        }

        data += n;
        len -= n;
    }

    return NGX_OK;
}
