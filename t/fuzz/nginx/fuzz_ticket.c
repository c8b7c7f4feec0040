/*
 * Claims that are signed with the right key, as another node or an issuer of
 * tickets may have signed anything: the first byte says for whom they are.  A
 * ticket that is taken is of now and of the job that is named, and is not taken
 * twice; a request of another node is of now and of its job.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_redis_control.c"

static const ngx_str_t  id
    = ngx_string("0123456789abcdef0123456789abcdef");

static ngx_http_codr_store_t  store;
static ngx_time_t             today = { 1000000, 0, 0 };
static ngx_str_t              used;     /* the name of the last one taken */
static unsigned               asked;


ngx_http_codr_store_t *
ngx_http_codr_store(ngx_http_codr_main_conf_t *mcf)
{
    (void) mcf;

    return &store;
}


ngx_int_t
ngx_http_codr_used(ngx_http_codr_main_conf_t *mcf, ngx_str_t *jti,
    time_t expires)
{
    (void) mcf;
    must(jti->len > 0 && jti->len <= 128 && expires > ngx_time());

    if (used.len == jti->len && memcmp(used.data, jti->data, jti->len) == 0) {
        return NGX_DECLINED;
    }

    free(used.data);
    used.data = fuzz_copy(jti->data, jti->len);
    used.len = jti->len;

    return NGX_OK;
}


void
ngx_http_codr_count(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_counter_e counter, ngx_atomic_int_t n)
{
    (void) mcf;
    must(counter == NGX_HTTP_CODR_AUTH_FAILURES && n == 1);
}


/* What is asked is looked at, and nothing is done. */

static void
ask(const ngx_http_codr_control_t *control)
{
    size_t  i;

    asked++;

    for (i = 0; i < NGX_HTTP_CODR_STREAM_NAME; i++) {
        must(control->stream[i] != '\0');
    }
}


void
ngx_http_codr_relay_watch(ngx_http_codr_redis_t *redis, const u_char *job,
    ngx_http_codr_control_t *control)
{
    (void) redis;
    must(memcmp(job, id.data, id.len) == 0);
    ask(control);
}


void
ngx_http_codr_relay_more(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control)
{
    (void) redis;
    ask(control);
}


void
ngx_http_codr_relay_leave(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control)
{
    (void) redis;
    ask(control);
}


ngx_http_codr_job_t *
ngx_http_codr_job_find(ngx_http_codr_main_conf_t *mcf, const u_char *job)
{
    static ngx_http_codr_job_t  found;

    (void) mcf;
    must(memcmp(job, id.data, id.len) == 0);

    return &found;
}


void
ngx_http_codr_job_send(ngx_http_codr_job_t *job, codr_frame_type_t type)
{
    (void) job;
    must(type == CODR_FRAME_STOP);
    asked++;
}


static double
claimed(json_t *claims, const char *name)
{
    return json_number_value(json_object_get(claims, name));
}


static int
is_of_now(json_t *claims)
{
    return claimed(claims, "exp") > (double) ngx_time();
}


static void
redeem(host_t *host, ngx_str_t *token, json_t *claims)
{
    json_t                    *message, *job_id;
    ngx_http_codr_identity_t   who;

    job_id = json_object_get(claims, "job_id");
    message = json_object();
    must(message != NULL);
    must(json_object_set_new(message, "job_token",
                             json_stringn((char *) token->data, token->len))
         == 0);
    must(json_object_set_new(message, "job_id",
                             job_id ? json_incref(job_id) : json_null())
         == 0);

    host->lcf.auth = NGX_HTTP_CODR_AUTH_TICKET;
    ngx_str_set(&host->connection.addr_text, "192.0.2.1");
    used.len = 0;

    if (ngx_http_codr_admit(&host->request, host->pool, message, &who)
        == NGX_OK)
    {
        must(is_of_now(claims) && json_is_string(job_id));
        must(claimed(claims, "iat") <= (double) ngx_time() + 60
             && claimed(claims, "nbf") <= (double) ngx_time() + 60
             && claimed(claims, "exp") <= (double) ngx_time() + 86400);
        must(json_is_string(json_object_get(claims, "jti")));
        must(who.owner.len > 0 && who.owner.len <= CODR_OWNER_MAX);
        must(who.job_id.len == 0 || who.job_id.len == CODR_JOB_ID_LEN);
        must(who.expires > ngx_time() && host->own.trusted);

        host->own.known = 0;
        must(ngx_http_codr_admit(&host->request, host->pool, message, &who)
             == NGX_DECLINED);
    }

    json_decref(message);
}


static void
control(host_t *host, ngx_str_t *token, json_t *claims)
{
    json_t                 *job_id = json_object_get(claims, "job_id");
    ngx_http_codr_redis_t   redis;

    memset(&redis, 0, sizeof(redis));
    redis.mcf = &host->mcf;
    asked = 0;
    ngx_http_codr_redis_control(&redis, id.data, token->data, token->len);

    must(asked <= 1);
    must(!asked || (is_of_now(claims)
                    && json_string_length(job_id) == id.len
                    && memcmp(json_string_value(job_id), id.data, id.len)
                       == 0));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t      host;
    json_t     *claims;
    uint8_t     whose = fuzz_byte(&data, &size);
    ngx_str_t   token;

    volatile ngx_time_t  *now;

    host_begin(&host);
    now = ngx_cached_time;
    ngx_cached_time = &today;           /* what is kept does not expire */
    ngx_str_set(&host.mcf.ticket_key, "a key that is not guessed");
    must(ngx_http_codr_jwt_sign(host.pool, &host.mcf.ticket_key, data, size,
                                &token)
         == NGX_OK);
    claims = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES,
                        NULL);

    if (whose & 1) {
        control(&host, &token, claims);
    } else {
        redeem(&host, &token, claims);
    }

    json_decref(claims);
    ngx_cached_time = now;
    host_end(&host);

    return 0;
}
