
/*
 * The users that the helper gives to its broker and to jobs.  They must be
 * nobody else's, nginx's least of all: whoever has a job's uid could touch
 * that job, and whoever has the broker's could be it.
 */

#include "ngx_http_codr_conf.h"

#include <pwd.h>


#define NGX_HTTP_CODR_UID_NOBODY  65534


/* The uid of nginx's workers.  "user" may stand after "http": the default is
   taken for it until the start looks again. */

static uid_t
ngx_http_codr_worker_uid(ngx_cycle_t *cycle)
{
    struct passwd    *pw;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return ccf->user;
    }

    pw = getpwnam(NGX_USER);

    return pw ? pw->pw_uid : (uid_t) -1;
}


const char *
ngx_http_codr_users_refused(ngx_cycle_t *cycle, ngx_http_codr_main_conf_t *mcf)
{
    uid_t           uid;
    ngx_uint_t      first, last;
    struct passwd  *pw;

    if (geteuid() != 0) {
        return NULL;                /* the helper has one user then: ours */
    }

    uid = ngx_http_codr_worker_uid(cycle);

    first = (mcf->uid_base == NGX_CONF_UNSET_UINT) ? NGX_HTTP_CODR_UID_BASE
                                                   : mcf->uid_base;
    last = first - 1
           + ((mcf->uid_count == NGX_CONF_UNSET_UINT) ? NGX_HTTP_CODR_UID_COUNT
                                                      : mcf->uid_count);

    if (uid >= first && uid <= last) {
        return "\"codr_uids\" contains the user of nginx";
    }

    if (mcf->user.len == 0) {
        return NULL;
    }

    pw = getpwnam((char *) mcf->user.data);

    if (pw == NULL) {
        return "\"codr_user\" names no user";
    }

    if (pw->pw_uid == 0) {
        return "\"codr_user\" is root";
    }

    if (pw->pw_uid == uid) {
        return "\"codr_user\" is the user of nginx";
    }

    if (pw->pw_uid > first && pw->pw_uid <= last) {
        return "\"codr_user\" is one of \"codr_uids\"";
    }

    return NULL;
}


static char *
ngx_http_codr_users_check(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    const char  *reason;

    reason = ngx_http_codr_users_refused(cf->cycle, mcf);
    if (reason == NULL) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", reason);
    return NGX_CONF_ERROR;
}


char *
ngx_http_codr_uids(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    uint64_t    base, count;
    ngx_str_t  *value;

    /* one for the broker, at least one for a job; never a system account,
       never (uid_t) -1 */

    static const ngx_http_codr_range_t  bases = {
        NGX_HTTP_CODR_NUMBER, 1000, 0xfffffffe - 65536
    };
    static const ngx_http_codr_range_t  counts = {
        NGX_HTTP_CODR_NUMBER, 2, 65536
    };

    if (mcf->uid_base != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    count = NGX_HTTP_CODR_UID_COUNT;

    if (ngx_http_codr_parse_value(cf, &value[0], &value[1], &bases, &base)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3
        && ngx_http_codr_parse_value(cf, &value[0], &value[2], &counts, &count)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mcf->uid_base = (ngx_uint_t) base;
    mcf->uid_count = (ngx_uint_t) count;

    if (base <= NGX_HTTP_CODR_UID_NOBODY
        && base + count > NGX_HTTP_CODR_UID_NOBODY)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" contains the uid %d, which other programs "
                           "use as well", &value[0], NGX_HTTP_CODR_UID_NOBODY);
        return NGX_CONF_ERROR;
    }

    return ngx_http_codr_users_check(cf, mcf);
}


char *
ngx_http_codr_user(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t  *value;

    if (mcf->user.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    mcf->user = value[1];

    return ngx_http_codr_users_check(cf, mcf);
}
