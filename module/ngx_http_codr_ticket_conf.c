
/*
 * codr_ticket_key_file: the HMAC key of tickets, for those who mint them
 * elsewhere or redeem them on several machines.  Read by the master while the
 * configuration is; without it the zone has a random one.
 */

#include "ngx_http_codr_conf.h"


#define NGX_HTTP_CODR_TICKET_KEY_MIN   16
#define NGX_HTTP_CODR_TICKET_KEY_GOOD  32
#define NGX_HTTP_CODR_TICKET_KEY_MAX   4096


char *
ngx_http_codr_ticket_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t  *value, file, text;

    if (mcf->ticket_key.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK
        || ngx_http_codr_secret(cf, cf->pool, &file, "ticket key file",
                                NGX_HTTP_CODR_TICKET_KEY_MAX, &text)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    while (text.len && (text.data[text.len - 1] == '\n'
                        || text.data[text.len - 1] == '\r'))
    {
        text.len--;
    }

    if (text.len < NGX_HTTP_CODR_TICKET_KEY_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "ticket key file \"%V\" has a key of less than %d "
                           "bytes", &file, NGX_HTTP_CODR_TICKET_KEY_MIN);
        return NGX_CONF_ERROR;
    }

    if (text.len < NGX_HTTP_CODR_TICKET_KEY_GOOD) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "ticket key file \"%V\" has a key of less than %d "
                           "bytes", &file, NGX_HTTP_CODR_TICKET_KEY_GOOD);
    }

    mcf->ticket_key = text;

    return NGX_CONF_OK;
}
