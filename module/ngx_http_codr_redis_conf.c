
/*
 * codr_redis: where Redis is, and what it is for.  Addresses are numeric:
 * looking a name up would make workers wait.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_redis.h"

#include <sys/un.h>


#define NGX_HTTP_CODR_REDIS_PASSWORD  1024
#define NGX_HTTP_CODR_REDIS_PREFIX    64


static char *ngx_http_codr_redis_address(ngx_conf_t *cf,
    ngx_http_codr_redis_conf_t *rcf);
static char *ngx_http_codr_redis_option(ngx_conf_t *cf, ngx_uint_t i,
    ngx_http_codr_redis_conf_t *rcf);


/* A prefix is part of patterns, too. */

static ngx_uint_t
ngx_http_codr_redis_plain(ngx_str_t *text)
{
    ngx_uint_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] <= 0x20 || text->data[i] > 0x7e
            || ngx_strchr("*?[]\\^", text->data[i]))
        {
            return 0;
        }
    }

    return 1;
}


char *
ngx_http_codr_redis_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_http_codr_redis_conf_t  *rcf;

    if (mcf->redis_conf || mcf->redis_off) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        mcf->redis_off = 1;
        return NGX_CONF_OK;
    }

    rcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_redis_conf_t));
    if (rcf == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_codr_redis_address(cf, rcf);

    for (i = 2; i < cf->args->nelts && rv == NGX_CONF_OK; i++) {
        rv = ngx_http_codr_redis_option(cf, i, rcf);
    }

    mcf->redis_conf = rcf;

    return rv;
}


static char *
ngx_http_codr_redis_unix(ngx_conf_t *cf, ngx_http_codr_redis_conf_t *rcf,
    u_char *path)
{
    struct sockaddr_un  *sun;

    if (ngx_strlen(path) >= sizeof(sun->sun_path)) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    sun = ngx_pcalloc(cf->pool, sizeof(struct sockaddr_un));
    if (sun == NULL) {
        return NGX_CONF_ERROR;
    }

    sun->sun_family = AF_UNIX;
    (void) ngx_cpystrn((u_char *) sun->sun_path, path, sizeof(sun->sun_path));

    rcf->sockaddr = (struct sockaddr *) sun;
    rcf->socklen = sizeof(struct sockaddr_un);

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_redis_address(ngx_conf_t *cf, ngx_http_codr_redis_conf_t *rcf)
{
    ngx_str_t  *value;
    ngx_addr_t  addr;

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "unix:/", sizeof("unix:/") - 1) == 0) {
        return ngx_http_codr_redis_unix(cf, rcf, value[1].data
                                                 + sizeof("unix:") - 1);
    }

    if (ngx_parse_addr_port(cf->pool, &addr, value[1].data, value[1].len)
        != NGX_OK)
    {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    rcf->sockaddr = addr.sockaddr;
    rcf->socklen = addr.socklen;

    return ngx_inet_get_port(addr.sockaddr)
           ? NGX_CONF_OK : ngx_http_codr_conf_invalid(cf, 1);
}


static char *
ngx_http_codr_redis_option(ngx_conf_t *cf, ngx_uint_t i,
    ngx_http_codr_redis_conf_t *rcf)
{
    ngx_str_t  *value, text;

    value = cf->args->elts;

    if (ngx_http_codr_option(&value[i], "db", &text) == NGX_OK) {
        rcf->db = ngx_atoi(text.data, text.len);

        return (rcf->db >= 0 && rcf->db <= 65535)
               ? NGX_CONF_OK : ngx_http_codr_conf_invalid(cf, i);
    }

    if (ngx_http_codr_option(&value[i], "prefix", &text) == NGX_OK) {
        rcf->prefix = text;

        return (text.len <= NGX_HTTP_CODR_REDIS_PREFIX
                && ngx_http_codr_redis_plain(&text))
               ? NGX_CONF_OK : ngx_http_codr_conf_invalid(cf, i);
    }

    if (ngx_http_codr_option(&value[i], "password_file", &text) == NGX_OK) {

        if (ngx_conf_full_name(cf->cycle, &text, 1) != NGX_OK
            || ngx_http_codr_secret(cf, cf->pool, &text, "password file",
                                    NGX_HTTP_CODR_REDIS_PASSWORD,
                                    &rcf->password)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        while (rcf->password.len
               && (rcf->password.data[rcf->password.len - 1] == '\n'
                   || rcf->password.data[rcf->password.len - 1] == '\r'))
        {
            rcf->password.len--;
        }

        return rcf->password.len ? NGX_CONF_OK
                                 : ngx_http_codr_conf_invalid(cf, i);
    }

    if (ngx_strcmp(value[i].data, "input") == 0 && !rcf->input) {
        rcf->input = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[i].data, "required") == 0 && !rcf->required) {
        rcf->required = 1;
        return NGX_CONF_OK;
    }

    return ngx_http_codr_conf_invalid(cf, i);
}
