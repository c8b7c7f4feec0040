
/*
 * Directives that name places of the host: where job cgroups live, and what a
 * sandbox shows of the host.
 */

#include "ngx_http_codr_conf.h"
#include "../sandbox/codr_place.h"


char *
ngx_http_codr_cgroup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t  *value;

    if (mcf->cgroup.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!codr_place_valid((char *) value[1].data, value[1].len)) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    mcf->cgroup = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_codr_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    return ngx_http_codr_bind_set(cf, &mcf->binds);
}


char *
ngx_http_codr_bind_set(ngx_conf_t *cf, ngx_array_t *binds)
{
    ngx_str_t             *value;
    ngx_uint_t             i, last;
    ngx_http_codr_bind_t  *bind;

    value = cf->args->elts;
    last = cf->args->nelts - 1;

    for (i = 1; i <= last; i++) {
        if (!codr_place_valid((char *) value[i].data, value[i].len)) {
            return ngx_http_codr_conf_invalid(cf, i);
        }
    }

    if (codr_place_reserved((char *) value[last].data, value[last].len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" belongs to the sandbox",
                           &value[last], &value[0]);
        return NGX_CONF_ERROR;
    }

    bind = binds->elts;

    for (i = 0; i < binds->nelts; i++) {
        if (bind[i].at.len == value[last].len
            && ngx_strcmp(bind[i].at.data, value[last].data) == 0)
        {
            return "is duplicate";
        }
    }

    bind = ngx_array_push(binds);
    if (bind == NULL) {
        return NGX_CONF_ERROR;
    }

    bind->path = value[1];
    bind->at = value[last];

    return NGX_CONF_OK;
}


/* Every job gets the binds of all languages, so that no two of them may want
   the same place. */

static char *
ngx_http_codr_binds_compare(ngx_conf_t *cf, ngx_array_t *one, ngx_array_t *two)
{
    ngx_uint_t             i, k;
    ngx_http_codr_bind_t  *a, *b;

    a = one->elts;
    b = two->elts;

    for (i = 0; i < one->nelts; i++) {
        for (k = 0; k < two->nelts; k++) {

            if (ngx_strcmp(a[i].at.data, b[k].at.data) != 0
                || ngx_strcmp(a[i].path.data, b[k].path.data) == 0)
            {
                continue;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" and \"%V\" are both bound to \"%V\"",
                               &a[i].path, &b[k].path, &a[i].at);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_codr_binds_check(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    ngx_uint_t                  i, k;
    ngx_http_codr_language_t  **lang;

    lang = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {

        if (ngx_http_codr_binds_compare(cf, &lang[i]->binds, &mcf->binds)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        for (k = 0; k < i; k++) {
            if (ngx_http_codr_binds_compare(cf, &lang[i]->binds,
                                            &lang[k]->binds)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}
