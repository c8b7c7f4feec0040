
/*
 * An attach message, checked.  Runs in workers.
 */

#include "ngx_http_codr_attach.h"
#include "ngx_http_codr_id.h"


/* Above it a double is no more every integer. */
#define NGX_HTTP_CODR_ATTACH_EXACT  9007199254740992.0


static ngx_int_t ngx_http_codr_attach_offset(const json_t *offset,
    uint64_t *ret);
static ngx_uint_t ngx_http_codr_attach_is_id(const ngx_str_t *id);


ngx_int_t
ngx_http_codr_attach_read(json_t *message,
    ngx_http_codr_attach_t *attach)
{
    json_t  *id, *token, *view, *offset;

    id = json_object_get(message, "job_id");
    token = json_object_get(message, "attach_token");
    view = json_object_get(message, "view_token");
    offset = json_object_get(message, "offset");

    attach->viewer = (token == NULL || json_is_null(token));

    if (attach->viewer) {
        token = view;
    }

    if (!json_is_string(id) || !json_is_string(token)
        || ngx_http_codr_attach_offset(offset, &attach->offset) != NGX_OK)
    {
        return NGX_ERROR;
    }

    attach->job_id.data = (u_char *) json_string_value(id);
    attach->job_id.len = json_string_length(id);

    if (attach->job_id.len == NGX_HTTP_CODR_UUID_LEN
        && ngx_http_codr_id_digits(attach->digits, attach->job_id.data,
                                       attach->job_id.len)
           == NGX_OK)
    {
        attach->job_id.data = attach->digits;
        attach->job_id.len = CODR_JOB_ID_LEN;
    }

    attach->token.data = (u_char *) json_string_value(token);
    attach->token.len = json_string_length(token);

    if (!ngx_http_codr_attach_is_id(&attach->job_id)
        || !ngx_http_codr_attach_is_id(&attach->token))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* However the number is written: 1000, 1e3, 1000.0.  None is 0. */

static ngx_int_t
ngx_http_codr_attach_offset(const json_t *offset, uint64_t *ret)
{
    double  n;

    *ret = 0;

    if (offset == NULL || json_is_null(offset)) {
        return NGX_OK;
    }

    if (json_is_integer(offset)) {
        *ret = (uint64_t) json_integer_value(offset);
        return json_integer_value(offset) < 0 ? NGX_ERROR : NGX_OK;
    }

    n = json_real_value(offset);               /* 0 for what is no number */

    if (!json_is_real(offset) || n < 0 || n >= NGX_HTTP_CODR_ATTACH_EXACT
        || n != (double) (uint64_t) n)
    {
        return NGX_ERROR;
    }

    *ret = (uint64_t) n;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_codr_attach_is_id(const ngx_str_t *id)
{
    size_t  i;

    for (i = 0; i < id->len; i++) {
        if (!((id->data[i] >= '0' && id->data[i] <= '9')
              || (id->data[i] >= 'a' && id->data[i] <= 'f')))
        {
            return 0;
        }
    }

    return id->len == CODR_JOB_ID_LEN;
}
