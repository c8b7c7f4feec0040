
/*
 * Quotas in a key file: they belong to the ID, which may have several keys
 * while one is replaced by another.  Where its lines differ the smaller one
 * counts.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_quota.h"


typedef struct {
    ngx_str_t                  id;
    ngx_http_codr_quota_t      quota;
} ngx_http_codr_key_quota_t;


static int ngx_libc_cdecl
ngx_http_codr_key_quota_compare(const void *one, const void *two)
{
    const ngx_http_codr_key_quota_t  *first = one;
    const ngx_http_codr_key_quota_t  *second = two;

    return (int) ngx_memn2cmp(first->id.data, second->id.data, first->id.len,
                              second->id.len);
}


static ngx_uint_t
ngx_http_codr_key_quota_said(ngx_http_codr_quota_t *quota)
{
    return quota->jobs || quota->rate || quota->cpu_us;
}


ngx_int_t
ngx_http_codr_key_quotas(ngx_conf_t *cf, ngx_http_codr_keys_t *keys)
{
    ngx_uint_t                  i, n;
    ngx_http_codr_key_t        *key;
    ngx_http_codr_key_quota_t  *one;

    if (ngx_array_init(&keys->quotas, cf->pool, 1,
                       sizeof(ngx_http_codr_key_quota_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    key = keys->keys.elts;

    for (i = 0; i < keys->keys.nelts; i++) {

        if (key[i].disabled || !ngx_http_codr_key_quota_said(&key[i].quota)) {
            continue;
        }

        one = ngx_array_push(&keys->quotas);
        if (one == NULL) {
            return NGX_ERROR;
        }

        one->id = key[i].id;
        one->quota = key[i].quota;
    }

    one = keys->quotas.elts;

    ngx_qsort(one, keys->quotas.nelts, sizeof(ngx_http_codr_key_quota_t),
              ngx_http_codr_key_quota_compare);

    for (i = 0, n = 0; i < keys->quotas.nelts; i++) {

        if (n && ngx_http_codr_key_quota_compare(&one[n - 1], &one[i]) == 0) {
            ngx_http_codr_quota_narrow(&one[n - 1].quota, &one[i].quota);

        } else {
            one[n++] = one[i];
        }
    }

    keys->quotas.nelts = n;

    return NGX_OK;
}


ngx_http_codr_quota_t *
ngx_http_codr_keys_quota(ngx_http_codr_keys_t *keys, ngx_str_t *id)
{
    ngx_http_codr_key_quota_t  *found, wanted;

    wanted.id = *id;

    found = bsearch(&wanted, keys->quotas.elts, keys->quotas.nelts,
                    sizeof(ngx_http_codr_key_quota_t),
                    ngx_http_codr_key_quota_compare);

    return found ? &found->quota : NULL;
}
