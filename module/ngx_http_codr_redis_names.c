
/*
 * What commands to Redis are put together from: arguments, and the names of
 * keys and channels.
 */

#include "ngx_http_codr_redis.h"
#include "ngx_http_codr_distant.h"


void
ngx_http_codr_redis_arg(ngx_http_codr_redis_command_t *command,
    const void *data, size_t len)
{
    if (command->argc < NGX_HTTP_CODR_REDIS_ARGS) {
        command->argv[command->argc] = data;
        command->len[command->argc++] = len;
    }
}


void
ngx_http_codr_redis_word(ngx_http_codr_redis_command_t *command,
    const char *word)
{
    ngx_http_codr_redis_arg(command, word, ngx_strlen(word));
}


size_t
ngx_http_codr_redis_name(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *id, const char *suffix)
{
    ngx_str_t  name;

    name.data = (u_char *) id;
    name.len = CODR_JOB_ID_LEN;

    return ngx_snprintf(buf, NGX_HTTP_CODR_REDIS_NAME, "%Vjob:%V%s",
                        &redis->conf->prefix, &name, suffix)
           - buf;
}


size_t
ngx_http_codr_redis_stream(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *id, const u_char *stream)
{
    ngx_str_t  name, last;

    name.data = (u_char *) id;
    name.len = CODR_JOB_ID_LEN;
    last.data = (u_char *) stream;
    last.len = NGX_HTTP_CODR_STREAM_NAME;

    return ngx_snprintf(buf, NGX_HTTP_CODR_REDIS_NAME, "%Vjob:%V:stream:%V",
                        &redis->conf->prefix, &name, &last)
           - buf;
}


size_t
ngx_http_codr_redis_node(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *node)
{
    ngx_str_t  name;

    name.data = (u_char *) node;
    name.len = CODR_JOB_ID_LEN;

    return ngx_snprintf(buf, NGX_HTTP_CODR_REDIS_NAME, "%Vcodr:node:%V",
                        &redis->conf->prefix, &name)
           - buf;
}
