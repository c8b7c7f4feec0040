
/*
 * The words of codr_limit_jobs and of the quotas in a key file, read by the
 * master.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_quota.h"


#define NGX_HTTP_CODR_QUOTA_RULES    (CODR_QUOTAS_MAX - 1)  /* and the key's */
#define NGX_HTTP_CODR_QUOTA_NUMBER   1000000


/* NGX_OK and the period in milliseconds for the "/m" at the end of text, which
   is cut off. */

static ngx_int_t
ngx_http_codr_quota_period(ngx_str_t *text, uint64_t *period)
{
    if (text->len < 3 || text->data[text->len - 2] != '/') {
        return NGX_ERROR;
    }

    switch (text->data[text->len - 1]) {

    case 's':
        *period = 1000;
        break;

    case 'm':
        *period = 60 * 1000;
        break;

    case 'h':
        *period = 3600 * 1000;
        break;

    default:
        return NGX_ERROR;
    }

    text->len -= 2;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_quota_number(ngx_str_t *text, uint64_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(text->data, text->len);

    if (n < 1 || n > NGX_HTTP_CODR_QUOTA_NUMBER || *number) {
        return NGX_ERROR;       /* 0: was not said yet */
    }

    *number = (uint64_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_quota_cpu(ngx_str_t *text, ngx_http_codr_quota_t *quota)
{
    ngx_int_t  ms;

    if (ngx_http_codr_quota_period(text, &quota->cpu_period) != NGX_OK) {
        return NGX_ERROR;
    }

    ms = ngx_parse_time(text, 0);

    if (ms < 1 || (uint64_t) ms > NGX_HTTP_CODR_QUOTA_CPU_MAX / 1000
        || quota->cpu_us)
    {
        return NGX_ERROR;
    }

    quota->cpu_us = (uint64_t) ms * 1000;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_quota_parameter(ngx_http_codr_quota_t *quota, ngx_str_t *word)
{
    ngx_str_t  text;

    if (ngx_http_codr_option(word, "jobs", &text) == NGX_OK) {
        return ngx_http_codr_quota_number(&text, &quota->jobs);
    }

    if (ngx_http_codr_option(word, "burst", &text) == NGX_OK) {
        return ngx_http_codr_quota_number(&text, &quota->burst);
    }

    if (ngx_http_codr_option(word, "cpu", &text) == NGX_OK) {
        return ngx_http_codr_quota_cpu(&text, quota);
    }

    if (ngx_http_codr_option(word, "rate", &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_codr_quota_period(&text, &quota->rate_period) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_codr_quota_number(&text, &quota->rate);
}


void
ngx_http_codr_quota_narrow(ngx_http_codr_quota_t *quota,
    ngx_http_codr_quota_t *other)
{
    if (other->jobs && (quota->jobs == 0 || other->jobs < quota->jobs)) {
        quota->jobs = other->jobs;
    }

    if (other->rate
        && (quota->rate == 0
            || other->rate * quota->rate_period
               < quota->rate * other->rate_period))
    {
        quota->rate = other->rate;
        quota->rate_period = other->rate_period;
        quota->burst = other->burst;
    }

    if (other->cpu_us
        && (quota->cpu_us == 0
            || other->cpu_us * quota->cpu_period
               < quota->cpu_us * other->cpu_period))
    {
        quota->cpu_us = other->cpu_us;
        quota->cpu_period = other->cpu_period;
    }
}


char *
ngx_http_codr_limit_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_http_codr_quota_rule_t        *rule;
    ngx_http_compile_complex_value_t   ccv;

    if (lcf->quotas == NULL) {
        lcf->quotas = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_codr_quota_rule_t));
        if (lcf->quotas == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (lcf->quotas->nelts == NGX_HTTP_CODR_QUOTA_RULES) {
        return "stands in one place too often";
    }

    rule = ngx_array_push(lcf->quotas);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_http_codr_quota_rule_t));
    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    value = cf->args->elts;

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &rule->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_codr_quota_parameter(&rule->quota, &value[i])
            != NGX_OK)
        {
            return ngx_http_codr_conf_invalid(cf, i);
        }
    }

    if (rule->quota.jobs == 0 && rule->quota.rate == 0
        && rule->quota.cpu_us == 0)
    {
        return "needs \"jobs\", \"rate\" or \"cpu\"";
    }

    if (rule->quota.rate == 0 && rule->quota.burst) {
        return "has a \"burst\" without a \"rate\"";
    }

    if (rule->quota.burst == 0) {
        rule->quota.burst = rule->quota.rate;
    }

    return NGX_CONF_OK;
}
