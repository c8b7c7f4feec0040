
/*
 * codr_job_log: one line a job, by nginx's own log module.  It reads the
 * directive's arguments as those of access_log, into a configuration that no
 * location has; for a job it is called as at the end of a request, with a
 * request that is a copy of the real one but for that configuration and for
 * what codr's variables show.  What such a line is made in goes with it: a
 * socket may have any number of jobs.
 *
 * Of the log module only its public tables are used: its commands, its
 * contexts, and the handler it has put into the log phase.
 */

#include "ngx_http_codr_job_log.h"

#include <sys/un.h>


#define NGX_HTTP_CODR_JOB_LOG_POOL  2048


typedef struct {
    ngx_http_request_t         request;
    ngx_connection_t           connection;     /* where there is none */
    struct sockaddr_un         nowhere;
} ngx_http_codr_job_log_t;


extern ngx_module_t  ngx_http_log_module;


static ngx_command_t *
ngx_http_codr_job_log_command(const char *name)
{
    ngx_command_t  *cmd;

    for (cmd = ngx_http_log_module.commands; cmd->name.len; cmd++) {
        if (ngx_strcmp(cmd->name.data, name) == 0) {
            return cmd;
        }
    }

    return NULL;
}


/* What a line has when nobody says it, as log_format would define it. */

static char *
ngx_http_codr_job_log_format(ngx_conf_t *cf)
{
    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_array_t           args, *saved;
    ngx_command_t        *cmd;
    ngx_http_conf_ctx_t  *ctx;

    static ngx_str_t  words[] = {
        ngx_string("log_format"),
        ngx_string("codr_job"),
        ngx_string("escape=json"),
        ngx_string("{\"time\":\"$time_iso8601\",\"job_id\":\"$codr_job_id\","),
        ngx_string("\"owner\":\"$codr_owner\",\"key_id\":\"$codr_key_id\","),
        ngx_string("\"remote_addr\":\"$remote_addr\","),
        ngx_string("\"language\":\"$codr_language\",\"tag\":\"$codr_tag\","),
        ngx_string("\"status\":\"$codr_status\","),
        ngx_string("\"exit_status\":\"$codr_exit_status\","),
        ngx_string("\"queue_ms\":\"$codr_queue_ms\","),
        ngx_string("\"start_ms\":\"$codr_start_ms\","),
        ngx_string("\"wall_ms\":\"$codr_wall_ms\","),
        ngx_string("\"cpu_ms\":\"$codr_cpu_ms\","),
        ngx_string("\"memory\":\"$codr_memory\","),
        ngx_string("\"output_bytes\":\"$codr_output_bytes\","),
        ngx_string("\"path\":\"$codr_path\","),
        ngx_string("\"code_sha256\":\"$codr_code_sha256\","),
        ngx_string("\"traceparent\":\"$codr_traceparent\"}")
    };

    cmd = ngx_http_codr_job_log_command("log_format");
    ctx = cf->ctx;

    if (cmd == NULL
        || ngx_array_init(&args, cf->temp_pool, 32, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        value = ngx_array_push(&args);         /* room was made */
        *value = words[i];
    }

    saved = cf->args;
    cf->args = &args;

    rv = cmd->set(cf, cmd, ctx->main_conf[ngx_http_log_module.ctx_index]);

    cf->args = saved;

    return rv;
}


char *
ngx_http_codr_job_log_set(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    char               *rv;
    ngx_str_t          *value;
    ngx_command_t      *cmd;
    ngx_http_module_t  *module;

    cmd = ngx_http_codr_job_log_command("access_log");
    module = ngx_http_log_module.ctx;

    /* whose handler is the first of its phase */

    if (cmd == NULL
        || ngx_http_log_module.ctx_index != ngx_http_core_module.ctx_index + 1)
    {
        return "cannot be used with the log module of this nginx";
    }

    if (mcf->job_log == NULL) {
        mcf->job_log = module->create_loc_conf(cf);
        mcf->job_log_ctx = cf->ctx;

        if (mcf->job_log == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") != 0) {

        if (!mcf->job_log_format) {
            rv = ngx_http_codr_job_log_format(cf);

            if (rv != NGX_CONF_OK) {
                return rv;
            }

            mcf->job_log_format = 1;
        }

        value = ngx_array_push(cf->args);
        if (value == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_str_set(value, "codr_job");
    }

    return cmd->set(cf, cmd, mcf->job_log);
}


/* What it would have inherited is that of a configuration which says
   nothing. */

char *
ngx_http_codr_job_log_init(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    void               *none;
    ngx_http_module_t  *module;

    if (mcf->job_log == NULL) {
        return NGX_CONF_OK;
    }

    module = ngx_http_log_module.ctx;
    none = module->create_loc_conf(cf);

    return none ? module->merge_loc_conf(cf, none, mcf->job_log)
                : NGX_CONF_ERROR;
}


/* A job that has outlived its request: at the http level, from nowhere. */

static void
ngx_http_codr_job_log_bare(ngx_http_codr_job_log_t *line,
    ngx_http_codr_main_conf_t *mcf)
{
    ngx_time_t           *now;
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_conf_ctx_t  *ctx;

    r = &line->request;
    c = &line->connection;
    ctx = mcf->job_log_ctx;
    now = ngx_timeofday();

    line->nowhere.sun_family = AF_UNIX;

    c->fd = (ngx_socket_t) -1;
    c->log = ngx_cycle->log;
    c->sockaddr = (struct sockaddr *) &line->nowhere;
    c->socklen = sizeof(sa_family_t);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    ngx_str_set(&c->addr_text, "-");

    r->signature = NGX_HTTP_MODULE;
    r->connection = c;
    r->main_conf = ctx->main_conf;
    r->srv_conf = ctx->srv_conf;
    r->loc_conf = ctx->loc_conf;
    r->start_sec = now->sec;
    r->start_msec = now->msec;
}


/* What the line's variables find out is forgotten with it. */

static ngx_int_t
ngx_http_codr_job_log_copy(ngx_http_request_t *r, ngx_http_request_t *real,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_ctx_t *ctx)
{
    void                       **confs;
    ngx_uint_t                   n;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    n = ngx_http_max_module * sizeof(void *);

    confs = ngx_palloc(r->pool, n);
    r->ctx = ngx_pcalloc(r->pool, n);
    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));

    if (confs == NULL || r->ctx == NULL || r->variables == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(confs, r->loc_conf, n);
    r->loc_conf = confs;
    r->loc_conf[ngx_http_log_module.ctx_index] = mcf->job_log;

    if (real) {
        ngx_memcpy(r->ctx, real->ctx, n);
        ngx_memcpy(r->variables, real->variables,
                   cmcf->variables.nelts * sizeof(ngx_http_variable_value_t));
    }

    ngx_http_set_ctx(r, ctx, ngx_http_codr_module);

    r->main = r;
    r->cleanup = NULL;

    return NGX_OK;
}


static void
ngx_http_codr_job_log_write(ngx_http_request_t *r)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_handler_pt        *handler;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    handler = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;
    (void) handler[0](r);                      /* it says itself what fails */

    for (cln = r->cleanup; cln; cln = cln->next) {
        if (cln->handler) {
            cln->handler(cln->data);
        }
    }
}


void
ngx_http_codr_job_log(ngx_http_codr_main_conf_t *mcf,
    ngx_http_request_t *real, ngx_http_codr_ctx_t *ctx)
{
    ngx_pool_t               *pool;
    ngx_http_codr_job_log_t  *line;

    if (mcf->job_log == NULL) {
        return;
    }

    pool = ngx_create_pool(NGX_HTTP_CODR_JOB_LOG_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    line = ngx_pcalloc(pool, sizeof(ngx_http_codr_job_log_t));

    if (line) {

        if (real) {
            line->request = *real;

        } else {
            ngx_http_codr_job_log_bare(line, mcf);
        }

        line->request.pool = pool;

        if (ngx_http_codr_job_log_copy(&line->request, real, mcf, ctx)
            == NGX_OK)
        {
            ngx_http_codr_job_log_write(&line->request);
        }
    }

    ngx_destroy_pool(pool);
}
