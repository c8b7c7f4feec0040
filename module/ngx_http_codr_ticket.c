
/*
 * Tickets: made for whoever shows a key, redeemed once by whoever brings them.
 * One that is expired, used, tampered with, of another issuer, or of a key
 * that is no longer good, looks like none.  Runs in workers.
 */

#include "ngx_http_codr_ticket.h"
#include "ngx_http_codr_body.h"
#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_execute.h"
#include "ngx_http_codr_id.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_redis.h"
#include "ngx_http_codr_store.h"

#include <openssl/rand.h>


#define NGX_HTTP_CODR_TICKET_LONGEST  (24 * 3600)
#define NGX_HTTP_CODR_TICKET_NAME     128      /* bytes of job_id and jti */
#define NGX_HTTP_CODR_TICKET_OWNER    1024
#define NGX_HTTP_CODR_TICKET_BODY     4096


static ngx_int_t ngx_http_codr_ticket_redeem(ngx_http_request_t *r,
    ngx_pool_t *pool, json_t *message, ngx_http_codr_identity_t *who);
static ngx_int_t ngx_http_codr_ticket_keep(ngx_http_request_t *r,
    ngx_http_codr_ctx_t *ctx, ngx_http_codr_identity_t *who);
static ngx_int_t ngx_http_codr_ticket_check(ngx_http_codr_main_conf_t *mcf,
    json_t *claims, json_t *job_id, time_t *expires);
static ngx_int_t ngx_http_codr_ticket_text(json_t *claims, const char *name,
    size_t max, ngx_str_t *ret);
static ngx_int_t ngx_http_codr_ticket_copy(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);
static ngx_int_t ngx_http_codr_ticket_job_id(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *name);
static void ngx_http_codr_ticket_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_ticket_owner(ngx_http_request_t *r,
    ngx_str_t *text, ngx_str_t *owner);
static ngx_int_t ngx_http_codr_ticket_answer(ngx_http_request_t *r,
    ngx_str_t *owner);
static ngx_int_t ngx_http_codr_ticket_make(ngx_http_request_t *r,
    ngx_str_t *owner, ngx_str_t *job_id, time_t now, ngx_str_t *token);


ngx_str_t *
ngx_http_codr_ticket_key(ngx_http_codr_main_conf_t *mcf, ngx_str_t *own)
{
    ngx_http_codr_store_t  *store;

    if (mcf->ticket_key.len) {
        return &mcf->ticket_key;
    }

    store = ngx_http_codr_store(mcf);

    if (store == NULL) {
        return NULL;
    }

    own->data = store->ticket_key;
    own->len = NGX_HTTP_CODR_KEY_BYTES;

    return own;
}


ngx_int_t
ngx_http_codr_admit(ngx_http_request_t *r, ngx_pool_t *pool, json_t *message,
    ngx_http_codr_identity_t *who)
{
    json_t                     *token;
    ngx_int_t                   rc;
    ngx_http_codr_ctx_t        *ctx;
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);
    token = json_object_get(message, "job_token");

    ngx_memzero(who, sizeof(ngx_http_codr_identity_t));

    /* where nothing needs to be shown, a ticket that is shown counts all the
       same: it names the job, its owner, and is good once */

    if (!(lcf->auth & (NGX_HTTP_CODR_AUTH_TICKET|NGX_HTTP_CODR_AUTH_OFF))
        || (ctx->known && (token == NULL || json_is_null(token))))
    {
        who->owner = ctx->owner;
        who->key_id = ctx->key_id;

        return NGX_OK;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    /* before it is used here: it is still good when Redis is back */

    if (ngx_http_codr_redis_state(mcf) >= 2) {
        return NGX_BUSY;
    }

    rc = ngx_http_codr_ticket_redeem(r, pool, message, who);

    if (rc != NGX_OK) {
        ngx_http_codr_count(mcf, NGX_HTTP_CODR_AUTH_FAILURES, 1);
        return NGX_DECLINED;
    }

    ctx->trusted = 1;

    return ctx->known ? NGX_OK : ngx_http_codr_ticket_keep(r, ctx, who);
}


void
ngx_http_codr_not_admitted(ngx_int_t rc, ngx_http_codr_answer_t *refusal)
{
    if (rc == NGX_BUSY) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAVAILABLE,
                                   "tickets cannot be checked at the moment");

    } else {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAUTHORIZED,
                                   "a valid key or ticket is needed");
    }
}


/* For a request that has shown no key it is the last ticket that says who it
   is: the variables show that, when its message is long gone. */

static ngx_int_t
ngx_http_codr_ticket_keep(ngx_http_request_t *r, ngx_http_codr_ctx_t *ctx,
    ngx_http_codr_identity_t *who)
{
    u_char  *p;

    if (ctx->names == NULL) {
        ctx->names = ngx_pnalloc(r->pool, CODR_OWNER_MAX
                                          + NGX_HTTP_CODR_TICKET_NAME);
        if (ctx->names == NULL) {
            return NGX_DECLINED;
        }
    }

    p = ctx->names;

    ctx->owner.len = who->owner.len;
    ctx->owner.data = p;
    p = ngx_cpymem(p, who->owner.data, who->owner.len);

    ctx->key_id.len = who->key_id.len;
    ctx->key_id.data = p;
    ngx_memcpy(p, who->key_id.data, who->key_id.len);

    return NGX_OK;
}


/* The names in it are copied: claims do not live as long as jobs do. */

static ngx_int_t
ngx_http_codr_ticket_redeem(ngx_http_request_t *r, ngx_pool_t *pool,
    json_t *message, ngx_http_codr_identity_t *who)
{
    json_t                     *token, *claims;
    time_t                      expires;
    ngx_int_t                   rc;
    ngx_str_t                   own, *key, jti, job_id, owner, key_id, kept;
    ngx_http_codr_ctx_t        *ctx;
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    token = json_object_get(message, "job_token");
    key = ngx_http_codr_ticket_key(mcf, &own);

    if (!json_is_string(token) || key == NULL) {
        return NGX_DECLINED;
    }

    claims = ngx_http_codr_jwt_verify(pool, key,
                                      (u_char *) json_string_value(token),
                                      json_string_length(token));
    rc = NGX_DECLINED;

    if (claims == NULL
        || ngx_http_codr_ticket_check(mcf, claims,
                                      json_object_get(message, "job_id"),
                                      &expires)
           != NGX_OK
        || ngx_http_codr_ticket_text(claims, "jti", NGX_HTTP_CODR_TICKET_NAME,
                                     &jti)
           != NGX_OK
        || ngx_http_codr_ticket_text(claims, "job_id",
                                     NGX_HTTP_CODR_TICKET_NAME, &job_id)
           != NGX_OK
        || ngx_http_codr_ticket_text(claims, "sub",
                                     NGX_HTTP_CODR_TICKET_OWNER, &owner)
           == NGX_ERROR
        || ngx_http_codr_ticket_text(claims, "key", NGX_HTTP_CODR_TICKET_NAME,
                                     &key_id)
           == NGX_ERROR)
    {
        goto done;
    }

    if (key_id.len && lcf->keys
        && ngx_http_codr_key_good(lcf->keys, &key_id) != NGX_OK)
    {
        goto done;
    }

    if (ngx_http_codr_used(mcf, &jti, expires) != NGX_OK) {
        goto done;
    }

    if (ngx_http_codr_ticket_copy(pool, &who->key_id, &key_id) != NGX_OK
        || ngx_http_codr_ticket_copy(pool, &owner, &owner) != NGX_OK
        || ngx_http_codr_ticket_job_id(pool, &who->job_id, &job_id) != NGX_OK)
    {
        goto done;
    }

    if (mcf->redis_conf
        && ngx_http_codr_ticket_copy(pool, &who->jti, &jti) != NGX_OK)
    {
        goto done;
    }

    who->expires = expires;

    kept = ctx->key_id;

    if (!ctx->known) {
        ctx->key_id = who->key_id;             /* codr_owner may ask for it */
    }

    rc = ngx_http_codr_owner(r, lcf, owner.len ? &owner : &who->key_id,
                             &who->owner);

    ctx->key_id = kept;                        /* pool may not last as long */

done:

    json_decref(claims);

    return rc;
}


/* Whether the claims are of now, and of the job that is named. */

static ngx_int_t
ngx_http_codr_ticket_check(ngx_http_codr_main_conf_t *mcf, json_t *claims,
    json_t *job_id, time_t *expires)
{
    double                  now, iat, exp, nbf;
    json_t                 *named;
    ngx_http_codr_store_t  *store;

    store = ngx_http_codr_store(mcf);
    named = json_object_get(claims, "job_id");

    if (store == NULL || !json_is_string(job_id) || !json_equal(named, job_id))
    {
        return NGX_ERROR;
    }

    now = (double) ngx_time();
    iat = json_number_value(json_object_get(claims, "iat"));   /* else 0 */
    exp = json_number_value(json_object_get(claims, "exp"));
    nbf = json_number_value(json_object_get(claims, "nbf"));

    if (!(exp > now) || exp > now + NGX_HTTP_CODR_TICKET_LONGEST
        || iat > now + NGX_HTTP_CODR_TICKET_SKEW
        || nbf > now + NGX_HTTP_CODR_TICKET_SKEW)
    {
        return NGX_ERROR;
    }

    /* Nobody knows which ones were used before there was this zone; whose key
       is in it, was made in it, whatever the clock said then. */

    if (iat < (double) store->created && mcf->ticket_key.len
        && mcf->redis_conf == NULL)
    {
        return NGX_ERROR;
    }

    *expires = (time_t) exp + 1;

    return NGX_OK;
}


/* A claim of at most max printable bytes: NGX_DECLINED when there is none. */

static ngx_int_t
ngx_http_codr_ticket_text(json_t *claims, const char *name, size_t max,
    ngx_str_t *ret)
{
    size_t   i;
    json_t  *value;

    ngx_str_null(ret);

    value = json_object_get(claims, name);

    if (value == NULL || json_is_null(value)) {
        return NGX_DECLINED;
    }

    if (!json_is_string(value) || json_string_length(value) == 0
        || json_string_length(value) > max)
    {
        return NGX_ERROR;
    }

    ret->data = (u_char *) json_string_value(value);
    ret->len = json_string_length(value);

    for (i = 0; i < ret->len; i++) {
        if (ret->data[i] < 0x20 || ret->data[i] == 0x7f) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_ticket_copy(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *src)
{
    u_char  *p;

    if (src->len == 0) {
        ngx_str_null(dst);
        return NGX_OK;
    }

    p = ngx_pstrdup(pool, src);
    if (p == NULL) {
        return NGX_ERROR;
    }

    dst->len = src->len;
    dst->data = p;

    return NGX_OK;
}


/* The job's own name, if it can be one: 128 bits in hexadecimal, also in the
   manner of a UUID.  Others only bind the ticket to its message. */

static ngx_int_t
ngx_http_codr_ticket_job_id(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *name)
{
    u_char  *p;

    ngx_str_null(dst);

    p = ngx_pnalloc(pool, CODR_JOB_ID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    dst->data = p;

    if (ngx_http_codr_id_digits(p, name->data, name->len) == NGX_OK) {
        dst->len = CODR_JOB_ID_LEN;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_ticket_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r->headers_in.content_length_n > NGX_HTTP_CODR_TICKET_BODY) {
        return ngx_http_codr_send_error(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        "bad_message",
                                        "the body takes an owner, no more");
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_codr_ticket_body);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static void
ngx_http_codr_ticket_body(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  text, owner;

    if (ngx_http_codr_read_body(r, &text) != NGX_OK) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (ngx_http_codr_ticket_owner(r, &text, &owner) != NGX_OK) {
        rc = ngx_http_codr_send_error(r, NGX_HTTP_BAD_REQUEST, "bad_message",
                                      "the body is neither empty nor an object"
                                      " whose \"owner\" is a name");
    } else {
        rc = ngx_http_codr_ticket_answer(r, &owner);
    }

    ngx_http_finalize_request(r, rc);
}


/* Whom the ticket is to be for: as its maker says, else as codr_owner does;
   else it follows the key. */

static ngx_int_t
ngx_http_codr_ticket_owner(ngx_http_request_t *r, ngx_str_t *text,
    ngx_str_t *owner)
{
    json_t                    *body;
    ngx_int_t                  rc;
    ngx_str_t                  name;
    ngx_http_codr_ctx_t       *ctx;
    ngx_http_codr_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    ngx_str_null(owner);

    if (lcf->owner) {
        *owner = ctx->owner;
    }

    if (text->len == 0) {
        return NGX_OK;
    }

    body = ngx_http_codr_parse(text->data, text->len);

    rc = json_is_object(body)
         ? ngx_http_codr_ticket_text(body, "owner", CODR_OWNER_MAX, &name)
         : NGX_ERROR;

    if (rc == NGX_OK) {
        rc = ngx_http_codr_ticket_copy(r->pool, owner, &name);

    } else if (rc == NGX_DECLINED) {
        rc = NGX_OK;
    }

    json_decref(body);

    return rc;
}


static ngx_int_t
ngx_http_codr_ticket_answer(ngx_http_request_t *r, ngx_str_t *owner)
{
    time_t                      now;
    u_char                      bytes[CODR_JOB_ID_LEN / 2];
    u_char                      name[CODR_JOB_ID_LEN];
    ngx_str_t                   job_id, token;
    ngx_http_codr_json_t        j;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    now = ngx_time();

    job_id.data = name;
    job_id.len = CODR_JOB_ID_LEN;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_hex_dump(name, bytes, sizeof(bytes));

    if (ngx_http_codr_ticket_make(r, owner, &job_id, now, &token) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_codr_json_init(&j, r->pool, 1024);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_text(&j, "job_id", &job_id);
    ngx_http_codr_json_text(&j, "job_token", &token);
    ngx_http_codr_json_time(&j, "expires_at",
                            (now + mcf->ticket_ttl / 1000) * 1000);
    ngx_http_codr_json_close(&j);

    return j.failed ? NGX_HTTP_INTERNAL_SERVER_ERROR
                    : ngx_http_codr_send_json(r, NGX_HTTP_OK, j.start,
                                              j.pos - j.start);
}


static ngx_int_t
ngx_http_codr_ticket_make(ngx_http_request_t *r, ngx_str_t *owner,
    ngx_str_t *job_id, time_t now, ngx_str_t *token)
{
    u_char                      bytes[16], name[32];
    ngx_str_t                   jti, own, *key;
    ngx_http_codr_ctx_t        *ctx;
    ngx_http_codr_json_t        j;
    ngx_http_codr_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    ngx_http_codr_used_before(mcf, now + mcf->ticket_ttl / 1000 + 1);

    key = ngx_http_codr_ticket_key(mcf, &own);

    if (key == NULL || RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return NGX_ERROR;
    }

    jti.data = name;
    jti.len = ngx_hex_dump(name, bytes, sizeof(bytes)) - name;

    ngx_http_codr_json_init(&j, r->pool, 1024);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_text(&j, "job_id", job_id);
    ngx_http_codr_json_text(&j, "jti", &jti);
    ngx_http_codr_json_number(&j, "iat", now);
    ngx_http_codr_json_number(&j, "exp", now + mcf->ticket_ttl / 1000);

    if (owner->len) {
        ngx_http_codr_json_text(&j, "sub", owner);
    }

    if (ctx->key_id.len) {
        ngx_http_codr_json_text(&j, "key", &ctx->key_id);
    }

    ngx_http_codr_json_close(&j);

    if (j.failed) {
        return NGX_ERROR;
    }

    return ngx_http_codr_jwt_sign(r->pool, key, j.start, j.pos - j.start,
                                  token);
}
