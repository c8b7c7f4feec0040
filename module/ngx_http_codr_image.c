
/*
 * The configuration as the helper gets it: one sealed memfd, written by the
 * master, so that a worker that was taken over cannot raise a limit.  The
 * order of its fields is that of codr_proto.h.
 */

#include "ngx_http_codr.h"

#include <sys/mman.h>


#define NGX_HTTP_CODR_IMAGE_MIN  (64 * 1024)
#define NGX_HTTP_CODR_IMAGE_MAX  (4 * 1024 * 1024)   /* the helper's bound */


static void
ngx_http_codr_image_list(codr_writer_t *w, codr_field_tag_t tag,
    ngx_array_t *list)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = list->elts;

    for (i = 0; i < list->nelts; i++) {
        codr_put_bytes(w, tag, value[i].data, value[i].len);
    }
}


static void
ngx_http_codr_image_binds(codr_writer_t *w, ngx_array_t *binds)
{
    u_char                *p, pair[2 * NGX_MAX_PATH];
    ngx_uint_t             i;
    ngx_http_codr_bind_t  *bind;

    bind = binds->elts;

    for (i = 0; i < binds->nelts; i++) {
        p = ngx_snprintf(pair, sizeof(pair), "%V%Z%V",
                         &bind[i].path, &bind[i].at);
        codr_put_bytes(w, CODR_FIELD_BIND, pair, p - pair);
    }
}


static void
ngx_http_codr_image_limits(codr_writer_t *w, codr_limits_t *limits)
{
    uint32_t  id;

    for (id = 0; id < CODR_LIMIT_COUNT; id++) {
        if (limits->value[id]) {
            codr_put_limit(w, CODR_FIELD_LIMIT, id, limits->value[id]);
        }
    }
}


static void
ngx_http_codr_image_globals(codr_writer_t *w, ngx_http_codr_main_conf_t *mcf)
{
    codr_put_number(w, CODR_FIELD_MAX_JOBS, mcf->max_jobs);
    codr_put_number(w, CODR_FIELD_MAX_BATCH, mcf->max_batch);
    codr_put_number(w, CODR_FIELD_MAX_COMPILE, mcf->max_compile);
    codr_put_number(w, CODR_FIELD_QUEUE_LENGTH, mcf->queue_length);
    codr_put_number(w, CODR_FIELD_QUEUE_MS, mcf->queue_timeout);
    codr_put_number(w, CODR_FIELD_TOTAL_MEMORY, mcf->total_memory);
    codr_put_number(w, CODR_FIELD_TOTAL_PERCENT, mcf->total_percent);
    codr_put_number(w, CODR_FIELD_TOTAL_CPU, mcf->total_cpu);
    codr_put_number(w, CODR_FIELD_CACHE_SIZE, mcf->cache_size);
    codr_put_number(w, CODR_FIELD_CACHE_SHARED, mcf->cache_shared);

    codr_put_number(w, CODR_FIELD_RESULTS, mcf->results);
    codr_put_number(w, CODR_FIELD_JOB_TTL_MS, mcf->job_ttl);

    if (mcf->policies.len) {
        codr_put_bytes(w, CODR_FIELD_POLICIES, mcf->policies.data,
                       mcf->policies.len);
    }

    ngx_http_codr_image_list(w, CODR_FIELD_ALLOW_MISSING, &mcf->allow_missing);
    ngx_http_codr_image_binds(w, &mcf->binds);
}


static void
ngx_http_codr_image_location(codr_writer_t *w, ngx_http_codr_loc_conf_t *lcf)
{
    codr_put_number(w, CODR_FIELD_LOCATION, lcf->id);
    ngx_http_codr_image_limits(w, &lcf->limits);
    codr_put_number(w, CODR_FIELD_OUTPUT_DROP, lcf->output_drop ? 1 : 0);
    codr_put_number(w, CODR_FIELD_DETACH_MS, lcf->detach);
    codr_put_number(w, CODR_FIELD_POLICY_MODE, lcf->policy_mode);
    codr_put_number(w, CODR_FIELD_POLICY_LEVEL, lcf->policy_level);
}


static void
ngx_http_codr_image_language(codr_writer_t *w, ngx_http_codr_language_t *lang)
{
    codr_put_bytes(w, CODR_FIELD_LANGUAGE, lang->name.data, lang->name.len);
    ngx_http_codr_image_list(w, CODR_FIELD_ALIAS, &lang->aliases);
    codr_put_bytes(w, CODR_FIELD_SOURCE, lang->source.data, lang->source.len);
    ngx_http_codr_image_list(w, CODR_FIELD_SOURCES, &lang->sources);
    ngx_http_codr_image_list(w, CODR_FIELD_VERSION_ARG, &lang->version);
    ngx_http_codr_image_list(w, CODR_FIELD_COMPILE_ARG, &lang->compile);
    ngx_http_codr_image_list(w, CODR_FIELD_RUN_ARG, &lang->run);
    ngx_http_codr_image_list(w, CODR_FIELD_ENV, &lang->env);
    ngx_http_codr_image_list(w, CODR_FIELD_ENV_LIVE, &lang->env_live);
    ngx_http_codr_image_limits(w, &lang->limits);
    codr_put_number(w, CODR_FIELD_OUTPUT_DROP, lang->output_drop ? 1 : 0);
    ngx_http_codr_image_binds(w, &lang->binds);
    codr_put_number(w, CODR_FIELD_WARM, lang->warm);
    codr_put_number(w, CODR_FIELD_SHORTCUT, lang->shortcut);
    ngx_http_codr_image_list(w, CODR_FIELD_PRECOMPILE, &lang->precompile);
    codr_put_number(w, CODR_FIELD_ZYGOTE, lang->zygote);
    ngx_http_codr_image_list(w, CODR_FIELD_PRELOAD, &lang->preload);

    if (lang->policy.len) {
        codr_put_bytes(w, CODR_FIELD_POLICY_FILE, lang->policy.data,
                       lang->policy.len);
    }

    if (lang->grammar.len) {
        codr_put_bytes(w, CODR_FIELD_GRAMMAR, lang->grammar.data,
                       lang->grammar.len);
    }
}


/* The number of bytes, 0 when size was not enough. */

static size_t
ngx_http_codr_image_write(ngx_http_codr_main_conf_t *mcf, u_char *buffer,
    size_t size)
{
    ngx_uint_t                  i;
    codr_writer_t               w;
    ngx_http_codr_language_t  **lang;
    ngx_http_codr_loc_conf_t  **lcf;

    codr_writer_init(&w, buffer, size);

    ngx_http_codr_image_globals(&w, mcf);

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        ngx_http_codr_image_location(&w, lcf[i]);
    }

    lang = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {
        ngx_http_codr_image_language(&w, lang[i]);
    }

    return w.failed ? 0 : (size_t) (w.pos - w.start);
}


static int
ngx_http_codr_image_seal(u_char *data, size_t len, ngx_log_t *log)
{
    int      fd;
    ssize_t  n;

    fd = memfd_create("codr-configuration", MFD_CLOEXEC|MFD_ALLOW_SEALING);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "codr: memfd_create() failed");
        return -1;
    }

    while (len) {
        n = write(fd, data, len);

        if (n == -1) {
            ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                          "codr: write() of the configuration failed");
            goto failed;
        }

        data += n;
        len -= n;
    }

    if (fcntl(fd, F_ADD_SEALS,
              F_SEAL_GROW|F_SEAL_SHRINK|F_SEAL_WRITE|F_SEAL_SEAL) == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "codr: fcntl(F_ADD_SEALS) failed");
        goto failed;
    }

    return fd;

failed:

    (void) close(fd);

    return -1;
}


int
ngx_http_codr_image(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    int      fd;
    size_t   size, len;
    u_char  *buffer;

    for (size = NGX_HTTP_CODR_IMAGE_MIN;
         size <= NGX_HTTP_CODR_IMAGE_MAX;
         size *= 2)
    {
        buffer = ngx_alloc(size, log);
        if (buffer == NULL) {
            return -1;
        }

        len = ngx_http_codr_image_write(mcf, buffer, size);

        if (len) {
            fd = ngx_http_codr_image_seal(buffer, len, log);
            ngx_free(buffer);
            return fd;
        }

        ngx_free(buffer);
    }

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "codr: the configuration has over %d bytes",
                  NGX_HTTP_CODR_IMAGE_MAX);
    return -1;
}
