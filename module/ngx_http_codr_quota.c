
/*
 * codr_limit_jobs and the quotas of keys, for one execute: which keys it is
 * counted under, and whether there is something left of what comes back with
 * time.  How many jobs there are is the broker's to count: it gets the keys,
 * which say nothing about the values they were made of.  Runs in workers.
 */

#include "ngx_http_codr_execute.h"
#include "ngx_http_codr_quota.h"

#include <openssl/sha.h>


/* What a bucket of CPU time is made of again, after the helper had it. */

typedef struct {
    u_char                     key[CODR_QUOTA_KEY];
    uint64_t                   us;
    uint64_t                   period;
} ngx_http_codr_quota_cpu_t;

_Static_assert(sizeof(ngx_http_codr_quota_cpu_t) == CODR_CPU_QUOTA,
               "a CPU quota's size");


static ngx_int_t ngx_http_codr_quota_rules(ngx_http_codr_execute_t *x);
static ngx_int_t ngx_http_codr_quota_add(ngx_http_codr_execute_t *x,
    ngx_http_codr_quota_t *quota, ngx_str_t *text, ngx_str_t *value);


/* x->quotas, or NGX_ERROR and a refusal; nothing is taken yet. */

ngx_int_t
ngx_http_codr_quotas_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    ngx_http_codr_quota_t  *quota;

    static ngx_str_t  name = ngx_string("codr_api_keys");

    quota = NULL;

    if (x->who.key_id.len && x->lcf->keys) {
        quota = ngx_http_codr_keys_quota(x->lcf->keys, &x->who.key_id);
    }

    if (quota == NULL && x->lcf->quotas == NULL) {
        return NGX_OK;
    }

    x->quotas = ngx_pcalloc(x->pool, sizeof(ngx_http_codr_quotas_t));

    if (x->quotas == NULL
        || (quota
            && ngx_http_codr_quota_add(x, quota, &name, &x->who.key_id)
               != NGX_OK)
        || ngx_http_codr_quota_rules(x) != NGX_OK)
    {
        return ngx_http_codr_refuse(x, refusal, CODR_ERROR_INTERNAL,
                                    "the quotas cannot be evaluated");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_quota_rules(ngx_http_codr_execute_t *x)
{
    ngx_str_t                    value;
    ngx_uint_t                   i;
    ngx_http_codr_quota_rule_t  *rule;

    if (x->lcf->quotas == NULL) {
        return NGX_OK;
    }

    rule = x->lcf->quotas->elts;

    for (i = 0; i < x->lcf->quotas->nelts; i++) {

        if (ngx_http_complex_value(x->request, &rule[i].value, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (value.len > 0
            && ngx_http_codr_quota_add(x, &rule[i].quota,
                                       &rule[i].value.value, &value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The same value of the same text is the same key, wherever it stands; what
   comes back in another way is another bucket. */

static void
ngx_http_codr_quota_key(u_char *key, ngx_str_t *text, ngx_str_t *value,
    char kind, uint64_t one, uint64_t two, uint64_t three)
{
    u_char  digest[SHA256_DIGEST_LENGTH], *last;
    u_char  line[1 + 3 * (NGX_INT64_LEN + 1) + 2 * SHA256_DIGEST_LENGTH];

    last = ngx_sprintf(line, "%c%uL/%uL/%uL/", kind, one, two, three);

    (void) SHA256(text->data, text->len, last);    /* cannot fail */
    last += SHA256_DIGEST_LENGTH;

    (void) SHA256(value->data, value->len, last);
    last += SHA256_DIGEST_LENGTH;

    (void) SHA256(line, last - line, digest);

    ngx_memcpy(key, digest, CODR_QUOTA_KEY);
}


static ngx_int_t
ngx_http_codr_quota_jobs(ngx_http_codr_quotas_t *quotas, u_char *key,
    uint64_t max)
{
    ngx_uint_t  i;

    for (i = 0; i < quotas->n; i++) {
        if (ngx_memcmp(quotas->jobs[i].key, key, CODR_QUOTA_KEY) == 0) {
            break;                             /* a job counts once */
        }
    }

    if (i == CODR_QUOTAS_MAX) {
        return NGX_ERROR;
    }

    if (i == quotas->n) {
        ngx_memcpy(quotas->jobs[i].key, key, CODR_QUOTA_KEY);
        quotas->jobs[i].max = (uint32_t) max;
        quotas->n++;
    }

    quotas->jobs[i].max = ngx_min(quotas->jobs[i].max, (uint32_t) max);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_quota_bucket(ngx_http_codr_quotas_t *quotas,
    ngx_http_codr_bucket_t *bucket)
{
    ngx_uint_t  i;

    for (i = 0; i < quotas->buckets; i++) {
        if (ngx_memcmp(quotas->bucket[i].key, bucket->key, CODR_QUOTA_KEY)
            == 0)
        {
            return NGX_OK;
        }
    }

    if (i == 2 * CODR_QUOTAS_MAX) {
        return NGX_ERROR;
    }

    quotas->bucket[quotas->buckets++] = *bucket;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_quota_add(ngx_http_codr_execute_t *x,
    ngx_http_codr_quota_t *quota, ngx_str_t *text, ngx_str_t *value)
{
    ngx_http_codr_bucket_t  b;

    if (quota->jobs) {
        ngx_http_codr_quota_key(b.key, text, value, 'j', 0, 0, 0);

        if (ngx_http_codr_quota_jobs(x->quotas, b.key, quota->jobs)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (quota->rate) {
        ngx_http_codr_quota_key(b.key, text, value, 'r', quota->rate,
                                quota->rate_period, quota->burst);
        b.amount = quota->rate;
        b.period = quota->rate_period;
        b.most = quota->burst;
        b.need = 1;

        if (ngx_http_codr_quota_bucket(x->quotas, &b) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (quota->cpu_us) {
        ngx_http_codr_quota_key(b.key, text, value, 'c', quota->cpu_us,
                                quota->cpu_period, 0);
        b.amount = quota->cpu_us;
        b.period = quota->cpu_period;
        b.most = quota->cpu_us;
        b.need = 0;

        if (ngx_http_codr_quota_bucket(x->quotas, &b) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_codr_quotas_put(ngx_http_codr_quotas_t *quotas, codr_writer_t *w)
{
    ngx_uint_t                  i;
    ngx_http_codr_bucket_t     *b;
    ngx_http_codr_quota_cpu_t   cpu;

    if (quotas == NULL) {
        return;
    }

    for (i = 0; i < quotas->n; i++) {
        codr_put_quota(w, quotas->jobs[i].key, quotas->jobs[i].max);
    }

    for (i = 0; i < quotas->buckets; i++) {
        b = &quotas->bucket[i];

        if (b->need == 0) {
            ngx_memcpy(cpu.key, b->key, CODR_QUOTA_KEY);
            cpu.us = b->amount;
            cpu.period = b->period;
            codr_put_bytes(w, CODR_FIELD_CPU_QUOTA, &cpu, sizeof(cpu));
        }
    }
}


ngx_int_t
ngx_http_codr_quotas_take(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    uint64_t  retry_ms;

    if (x->quotas == NULL || x->quotas->buckets == 0
        || ngx_http_codr_buckets_take(x->mcf, x->quotas->bucket,
                                      x->quotas->buckets, &retry_ms)
           == NGX_OK)
    {
        return NGX_OK;
    }

    (void) ngx_http_codr_refuse(x, refusal, CODR_ERROR_RATE_LIMITED,
                                "too many jobs in this time");

    refusal->retry_ms = ngx_min(retry_ms, UINT32_MAX);
    ngx_http_codr_answer_set(refusal, CODR_FIELD_RETRY_MS);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_codr_quota_charge(ngx_http_codr_main_conf_t *mcf, u_char *payload,
    size_t len)
{
    int                         rc;
    uint64_t                    us;
    codr_field_t                field;
    codr_fields_t               fields;
    ngx_http_codr_bucket_t      b;
    ngx_http_codr_quota_cpu_t   cpu;

    us = 0;
    codr_fields_init(&fields, payload, len);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {

        if (field.tag == CODR_FIELD_CPU_US) {
            if (codr_field_number(&field, 0, UINT64_MAX, &us) != 0) {
                return NGX_ERROR;
            }

            continue;
        }

        if (field.tag != CODR_FIELD_CPU_QUOTA
            || field.length != sizeof(cpu))
        {
            return NGX_ERROR;
        }

        ngx_memcpy(&cpu, field.data, sizeof(cpu));

        if (cpu.us == 0 || cpu.us > NGX_HTTP_CODR_QUOTA_CPU_MAX
            || cpu.period == 0 || cpu.period > NGX_HTTP_CODR_QUOTA_PERIOD_MAX)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(b.key, cpu.key, CODR_QUOTA_KEY);
        b.amount = cpu.us;
        b.period = cpu.period;
        b.most = cpu.us;
        b.need = 0;

        ngx_http_codr_buckets_charge(mcf, &b, us);
    }

    return rc == 0 ? NGX_OK : NGX_ERROR;
}
