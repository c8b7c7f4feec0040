
/*
 * What stands in a location: the content handlers, what a client must present
 * there, and the checks that only the merged configuration allows.  A place
 * that runs code without saying who may do so is a mistake, not a default.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_policy.h"


#define NGX_HTTP_CODR_BODY_DEFAULT  (1 * 1024 * 1024)   /* of nginx itself */


/* Was client_max_body_size said so far, here or in the server? */

static ngx_flag_t
ngx_http_codr_body_size_set(ngx_conf_t *cf)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->client_max_body_size != NGX_CONF_UNSET) {
        return 1;
    }

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = cscf->ctx->loc_conf[ngx_http_core_module.ctx_index];

    return clcf->client_max_body_size != NGX_CONF_UNSET;
}


static char *
ngx_http_codr_exec_names(ngx_conf_t *cf, ngx_http_codr_loc_conf_t *lcf)
{
    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (cf->args->nelts == 1) {
        return NGX_CONF_OK;
    }

    lcf->names = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                  sizeof(ngx_str_t));
    if (lcf->names == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        name = ngx_array_push(lcf->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_status_argument(ngx_conf_t *cf, ngx_http_codr_loc_conf_t *lcf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const char  *forms[] = { "prometheus", "json", "health", NULL };

    lcf->status = NGX_HTTP_CODR_STATUS_PROMETHEUS;

    if (cf->args->nelts == 1) {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    for (i = 0; forms[i]; i++) {
        if (ngx_strcmp(value[1].data, forms[i]) == 0) {
            lcf->status = i;
            return NGX_CONF_OK;
        }
    }

    return ngx_http_codr_conf_invalid(cf, 1);
}


/* Where codr_jobs stands: what is below it in a URI names what is wanted. */

static char *
ngx_http_codr_jobs_uri(ngx_conf_t *cf, ngx_http_codr_loc_conf_t *lcf,
    ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)
    if (clcf->regex) {
        return "cannot be in a location given by a regular expression";
    }
#endif

    if (clcf->named || clcf->noname) {
        return "must be in a location given by its URI";
    }

    lcf->jobs = clcf->name;

    while (lcf->jobs.len && lcf->jobs.data[lcf->jobs.len - 1] == '/') {
        lcf->jobs.len--;
    }

    return NGX_CONF_OK;
}


/* codr_exec, codr_jobs, codr_status, codr_languages: cmd->post is the content
   handler. */

char *
ngx_http_codr_handler_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    char                       *rv;
    ngx_http_handler_pt        *handler;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_codr_main_conf_t  *mcf;

    handler = cmd->post;

    if (lcf->handler == *handler) {
        return "is duplicate";
    }

    if (lcf->handler) {
        return "stands beside another codr handler";
    }

    rv = NGX_CONF_OK;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (*handler == ngx_http_codr_handler
        || *handler == ngx_http_codr_jobs_handler)
    {
        lcf->exec = 1;
        lcf->body_size_set = ngx_http_codr_body_size_set(cf);
    }

    if (*handler == ngx_http_codr_handler) {
        rv = ngx_http_codr_exec_names(cf, lcf);

    } else if (*handler == ngx_http_codr_jobs_handler) {
        rv = ngx_http_codr_jobs_uri(cf, lcf, clcf);

    } else if (*handler == ngx_http_codr_status_handler) {
        rv = ngx_http_codr_status_argument(cf, lcf);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    lcf->handler = *handler;
    lcf->conf_file = cf->conf_file->file.name;
    lcf->conf_line = cf->conf_file->line;

    if (clcf->handler) {
        return "stands beside another content handler";
    }

    clcf->handler = *handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);
    mcf->used = 1;

    return NGX_CONF_OK;
}


char *
ngx_http_codr_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, bit;

    if (lcf->auth) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0 && cf->args->nelts == 2) {
            bit = NGX_HTTP_CODR_AUTH_OFF;

        } else if (ngx_strcmp(value[i].data, "key") == 0) {
            bit = NGX_HTTP_CODR_AUTH_KEY;

        } else if (ngx_strcmp(value[i].data, "ticket") == 0) {
            bit = NGX_HTTP_CODR_AUTH_TICKET;

        } else {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        if (lcf->auth & bit) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        lcf->auth |= bit;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_location_error(ngx_conf_t *cf, ngx_http_codr_loc_conf_t *conf,
    const char *text, ngx_str_t *name)
{
    ngx_str_t  none = ngx_null_string;

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s%V in %V:%ui", text,
                  name ? name : &none, &conf->conf_file, conf->conf_line);
    return NGX_CONF_ERROR;
}


static char *
ngx_http_codr_resolve_names(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_loc_conf_t *conf)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_codr_language_t   *lang, **slot;

    if (conf->names == NULL) {
        return NGX_CONF_OK;
    }

    name = conf->names->elts;

    conf->allowed = ngx_array_create(cf->pool, conf->names->nelts,
                                     sizeof(ngx_http_codr_language_t *));
    if (conf->allowed == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < conf->names->nelts; i++) {

        lang = ngx_http_codr_language_find(mcf, &name[i]);
        if (lang == NULL) {
            return ngx_http_codr_location_error(cf, conf,
                       "\"codr_exec\" names an unknown language: ", &name[i]);
        }

        if (i && ngx_http_codr_language_allowed(conf, lang) == NGX_OK) {
            return ngx_http_codr_location_error(cf, conf,
                       "\"codr_exec\" names a language twice: ", &name[i]);
        }

        slot = ngx_array_push(conf->allowed);
        if (slot == NULL) {
            return NGX_CONF_ERROR;
        }

        *slot = lang;
    }

    return NGX_CONF_OK;
}


/* The largest message that any language of the location allows. */

static void
ngx_http_codr_message_caps(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_loc_conf_t *conf)
{
    size_t                      code, all;
    uint64_t                   *cap;
    ngx_uint_t                  i;
    ngx_array_t                *list;
    codr_limits_t               caps;
    ngx_http_codr_language_t  **lang;

    code = 0;
    all = 0;

    list = conf->allowed ? conf->allowed : &mcf->languages;
    lang = list->elts;
    cap = caps.value;

    for (i = 0; i < list->nelts; i++) {
        codr_limits_combine(&caps, &conf->limits, &lang[i]->limits);

        code = ngx_max(code, cap[CODR_LIMIT_CODE]);
        all = ngx_max(all, cap[CODR_LIMIT_CODE] + cap[CODR_LIMIT_FILES]
                           + cap[CODR_LIMIT_STDIN]);
    }

    conf->first_max = NGX_HTTP_CODR_MESSAGE_BASE + 2 * code;
    conf->message_max = NGX_HTTP_CODR_MESSAGE_BASE + 2 * all;
}


static char *
ngx_http_codr_merge_exec(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_loc_conf_t *conf, ngx_http_core_loc_conf_t *clcf)
{
    ngx_http_codr_loc_conf_t  **slot;

    if (conf->auth == 0) {
        return ngx_http_codr_location_error(cf, conf, conf->jobs.data
                   ? "\"codr_jobs\" needs \"codr_api_keys\" or \"codr_auth\""
                   : "\"codr_exec\" needs \"codr_api_keys\" or \"codr_auth\"",
                   NULL);
    }

    if (conf->auth & NGX_HTTP_CODR_AUTH_KEY && conf->keys == NULL) {
        return ngx_http_codr_location_error(cf, conf,
                   "\"codr_auth key\" needs \"codr_api_keys\"", NULL);
    }

    if (ngx_http_codr_resolve_names(cf, mcf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_codr_message_caps(mcf, conf);

    /* merged already: only a 1m that was said after codr_exec looks as if it
       had not been */

    if (!mcf->body_size_set && !conf->body_size_set
        && clcf->client_max_body_size == NGX_HTTP_CODR_BODY_DEFAULT)
    {
        clcf->client_max_body_size = conf->message_max;
    }

    conf->id = mcf->locations.nelts;

    slot = ngx_array_push(&mcf->locations);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = conf;

    return NGX_CONF_OK;
}


char *
ngx_http_codr_merge_location(ngx_conf_t *cf, ngx_http_codr_loc_conf_t *prev,
    ngx_http_codr_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_codr_main_conf_t  *mcf;

    ngx_http_codr_limit_merge(prev, conf);
    ngx_http_codr_policy_merge(prev, conf);

    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_msec_value(conf->first_message_timeout,
                              prev->first_message_timeout, 10000);
    ngx_conf_merge_msec_value(conf->idle_timeout, prev->idle_timeout, 600000);
    ngx_conf_merge_msec_value(conf->ping, prev->ping, 30000);
    ngx_conf_merge_msec_value(conf->detach, prev->detach, 60000);
    ngx_conf_merge_value(conf->deflate, prev->deflate, 0);

    if (conf->quotas == NULL) {                /* lines replace, not add */
        conf->quotas = prev->quotas;
    }

    if (conf->owner == NULL) {
        conf->owner = prev->owner;
    }

    if (conf->auth == 0) {
        conf->auth = prev->auth;
    }

    if (conf->auth == 0 && conf->keys) {
        conf->auth = NGX_HTTP_CODR_AUTH_KEY|NGX_HTTP_CODR_AUTH_TICKET;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->handler && clcf->handler != conf->handler) {
        return ngx_http_codr_location_error(cf, conf,
                   "another content handler stands beside the one of codr",
                   NULL);
    }

    /* "if" and limit_except are locations to nginx, but not to the user: what
       runs inside of them is restricted as outside */

    if (clcf->noname && conf->handler == NULL && prev->handler) {
        conf->handler = prev->handler;
        conf->exec = prev->exec;
        conf->names = prev->names;
        conf->jobs = prev->jobs;
        conf->status = prev->status;
        conf->conf_file = prev->conf_file;
        conf->conf_line = prev->conf_line;
        conf->body_size_set = prev->body_size_set;
    }

    if (clcf->lmt_excpt && clcf->handler == NULL) {
        clcf->handler = conf->handler;
    }

    if (!conf->exec) {
        return NGX_CONF_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);

    return ngx_http_codr_merge_exec(cf, mcf, conf, clcf);
}
