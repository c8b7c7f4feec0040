
/*
 * codr: runs untrusted programs behind an nginx location.
 *
 * Types and services that the files of this directory share.  Configuration
 * side: module, conf, language, image, keys, origin, variables, status,
 * languages, zone, helper.  Request side: handler, ws, session, execute,
 * json, output, job, post.
 */

#ifndef _NGX_HTTP_CODR_H_INCLUDED_
#define _NGX_HTTP_CODR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../sandbox/codr_limits.h"
#include "../sandbox/codr_proto.h"


#ifndef CODR_VERSION
#define CODR_VERSION  "unknown"
#endif

#define NGX_HTTP_CODR_AUTH_OFF     0x0002
#define NGX_HTTP_CODR_AUTH_KEY     0x0004
#define NGX_HTTP_CODR_AUTH_TICKET  0x0008

#define NGX_HTTP_CODR_STATUS_PROMETHEUS  0
#define NGX_HTTP_CODR_STATUS_JSON        1
#define NGX_HTTP_CODR_STATUS_HEALTH      2

#define NGX_HTTP_CODR_HELPER_AUTO   0
#define NGX_HTTP_CODR_HELPER_SPAWN  1
#define NGX_HTTP_CODR_HELPER_UNIX   2


/* The longest message a socket takes: 64k and twice the payload, as JSON may
   need six bytes for one, but seldom does. */
#define NGX_HTTP_CODR_MESSAGE_BASE  (64 * 1024)


typedef struct ngx_http_codr_job_s       ngx_http_codr_job_t;
typedef struct ngx_http_codr_lifeline_s  ngx_http_codr_lifeline_t;
typedef struct ngx_http_codr_channel_s   ngx_http_codr_channel_t;
typedef struct ngx_http_codr_deflate_s   ngx_http_codr_deflate_t;
typedef struct ngx_http_codr_drain_s     ngx_http_codr_drain_t;
typedef struct ngx_http_codr_adrift_s    ngx_http_codr_adrift_t;
typedef struct ngx_http_codr_redis_s     ngx_http_codr_redis_t;
typedef struct ngx_http_codr_publish_s   ngx_http_codr_publish_t;
typedef struct ngx_http_codr_redis_conf_s  ngx_http_codr_redis_conf_t;


typedef struct {
    ngx_str_t                  path;
    ngx_str_t                  at;
} ngx_http_codr_bind_t;


/* Where something was said, for mistakes that are found after it was read. */

typedef struct {
    u_char                    *file;           /* NULL: nowhere */
    ngx_uint_t                 line;
} ngx_http_codr_place_t;


typedef struct {
    ngx_str_t                  name;           /* lower case */
    ngx_http_codr_place_t      place;          /* of its policy */
    ngx_array_t                aliases;        /* of ngx_str_t, lower case */
    ngx_str_t                  source;
    ngx_array_t                sources;        /* of ngx_str_t, globs */
    ngx_array_t                version;        /* of ngx_str_t, argv */
    ngx_array_t                compile;        /* of ngx_str_t, argv */
    ngx_array_t                run;            /* of ngx_str_t, argv */
    ngx_array_t                env;            /* of ngx_str_t, NAME=VALUE */
    ngx_array_t                env_live;       /* of ngx_str_t, NAME=VALUE */
    ngx_array_t                binds;          /* of ngx_http_codr_bind_t */
    ngx_uint_t                 warm;           /* ready sandboxes */
    ngx_uint_t                 warm_set;
    ngx_array_t                precompile;     /* of ngx_str_t, sets */
    ngx_uint_t                 shortcut;       /* unsigned  1:1 */
    ngx_str_t                  policy;         /* file or directory */
    ngx_str_t                  grammar;
    ngx_uint_t                 zygote;         /* codr_interpreter_kind_t */
    ngx_uint_t                 zygote_set;
    ngx_array_t                preload;        /* of ngx_str_t */
    codr_limits_t              limits;         /* explicit ones, 0 = unset */
    ngx_flag_t                 output_drop;
} ngx_http_codr_language_t;


typedef struct {
    ngx_uint_t                 helper;         /* NGX_HTTP_CODR_HELPER_* */
    ngx_str_t                  helper_path;    /* NUL-terminated */
    ngx_str_t                  policies;       /* directory, likewise */
    ngx_http_codr_place_t      policies_place;
    ngx_uint_t                 uid_base;
    ngx_uint_t                 uid_count;
    ngx_str_t                  user;
    ngx_str_t                  cgroup;
    size_t                     total_memory;
    ngx_uint_t                 total_percent;
    ngx_uint_t                 total_cpu;      /* thousandths of a CPU */
    ngx_array_t                allow_missing;  /* of ngx_str_t */
    ngx_shm_zone_t            *zone;
    ngx_uint_t                 max_jobs;       /* 0 = auto, as the next two */
    ngx_uint_t                 max_batch;
    ngx_uint_t                 max_compile;
    ngx_uint_t                 queue_length;
    ngx_msec_t                 queue_timeout;
    size_t                     cache_size;     /* 0 = off */
    ngx_uint_t                 cache_shared;   /* unsigned  1:1 */
    ngx_array_t                languages;      /* ngx_http_codr_language_t * */
    ngx_array_t                binds;          /* of ngx_http_codr_bind_t */
    ngx_array_t                locations;      /* ngx_http_codr_loc_conf_t * */
    ngx_array_t                keys;           /* ngx_http_codr_keys_t *, one
                                                  a file */
    size_t                     results;        /* bytes the helper keeps */
    ngx_str_t                  ticket_key;     /* empty: that of the zone */
    ngx_msec_t                 ticket_ttl;
    ngx_http_codr_redis_conf_t  *redis_conf;   /* NULL: none */
    ngx_uint_t                 redis_off;      /* "codr_redis off" was said */
    ngx_http_codr_redis_t     *redis;          /* of this worker */
    ngx_msec_t                 job_ttl;        /* of a record, after its end */
    uint64_t                   generation;     /* random, of this config */

    ngx_http_codr_lifeline_t  *lifeline;       /* NULL: no helper */
    ngx_http_codr_channel_t   *channel;        /* of this worker */
    ngx_http_codr_drain_t     *drain;          /* of this worker: its sockets
                                                  and jobs */
    ngx_http_codr_adrift_t    *adrift;         /* of this worker */
    ngx_http_codr_deflate_t   *deflate;        /* streams of this worker */
    ngx_str_t                  cause;          /* why there is no helper */

    void                      *job_log;        /* of the log module; NULL:
                                                  codr_job_log is not said */
    ngx_http_conf_ctx_t       *job_log_ctx;    /* of the http level */
    ngx_flag_t                 job_log_format; /* ours is defined */

    unsigned                   used:1;         /* some location needs codr */
    unsigned                   body_size_set:1;  /* client_max_body_size of
                                                    the http level */
} ngx_http_codr_main_conf_t;


/* At once, so often, so much CPU time; 0: not limited. */

typedef struct {
    uint64_t                   jobs;
    uint64_t                   rate;           /* jobs in rate_period */
    uint64_t                   rate_period;    /* milliseconds */
    uint64_t                   burst;
    uint64_t                   cpu_us;         /* CPU time in cpu_period */
    uint64_t                   cpu_period;     /* milliseconds */
} ngx_http_codr_quota_t;


typedef struct {
    ngx_http_complex_value_t   value;
    ngx_http_codr_quota_t      quota;
} ngx_http_codr_quota_rule_t;


typedef struct {
    ngx_str_t                  id;
    u_char                     digest[32];     /* SHA-256 of the key */
    ngx_uint_t                 line;
    ngx_flag_t                 disabled;
    ngx_http_codr_quota_t      quota;
} ngx_http_codr_key_t;


typedef struct {
    ngx_str_t                  file;
    ngx_array_t                keys;           /* of ngx_http_codr_key_t */
    ngx_array_t                quotas;         /* see key_quota */
} ngx_http_codr_keys_t;


typedef struct {
    ngx_uint_t                 id;             /* index in mcf->locations */
    ngx_flag_t                 exec;           /* code can be run here */
    ngx_str_t                  jobs;           /* URI of codr_jobs, without a
                                                  slash at its end */
    ngx_array_t               *allowed;        /* ngx_http_codr_language_t *,
                                                  NULL = all of them */
    ngx_http_handler_pt        handler;        /* of codr_exec, codr_jobs,
                                                  codr_status, codr_languages */
    ngx_uint_t                 status;         /* NGX_HTTP_CODR_STATUS_* */
    ngx_array_t               *names;          /* of codr_exec, ngx_str_t */
    ngx_str_t                  conf_file;      /* where the handler stands */
    ngx_uint_t                 conf_line;
    ngx_flag_t                 body_size_set;  /* client_max_body_size */

    size_t                     first_max;      /* bytes of a message before */
    size_t                     message_max;    /* and after a credential */

    ngx_http_codr_keys_t      *keys;
    ngx_uint_t                 auth;           /* NGX_HTTP_CODR_AUTH_* bits */
    ngx_array_t               *origins;        /* see ngx_http_codr_origin.c */
    ngx_http_complex_value_t  *owner;
    ngx_array_t               *quotas;         /* ..._quota_rule_t, or NULL */

    codr_limits_t              limits;         /* explicit ones, 0 = unset */
    ngx_flag_t                 output_drop;

    ngx_msec_t                 first_message_timeout;
    ngx_msec_t                 idle_timeout;
    ngx_msec_t                 ping;
    ngx_msec_t                 detach;
    ngx_flag_t                 deflate;
    ngx_uint_t                 policy_mode;    /* codr_policy_mode_t */
    ngx_uint_t                 policy_level;   /* codr_policy_level_t */
} ngx_http_codr_loc_conf_t;


/* What the variables show: the last job that ended, in r->pool. */

typedef struct {
    ngx_str_t                  job_id;
    ngx_str_t                  tag;
    ngx_str_t                  language;
    ngx_str_t                  status;
    ngx_str_t                  exit_status;
    ngx_str_t                  path;
    ngx_str_t                  code_sha256;    /* hexadecimal */
    uint64_t                   cpu_ms;
    uint64_t                   wall_ms;
    uint64_t                   memory;         /* bytes, 0 = not known */
    uint64_t                   output_bytes;
    uint64_t                   queue_ms;
    uint64_t                   start_ms;

    unsigned                   ended:1;        /* the figures are there */
} ngx_http_codr_last_t;


/* Module context of a main request on a codr_exec or codr_jobs location. */

typedef struct {
    ngx_str_t                  owner;
    ngx_str_t                  key_id;         /* empty without a key */
    ngx_str_t                  trace;          /* empty: the request's */
    ngx_uint_t                 jobs;           /* begun on this request */
    ngx_uint_t                 close_code;     /* sent or received; 0 = none */
    ngx_http_codr_last_t       last;
    void                      *record;         /* memory of last's strings */
    void                      *session;        /* of ngx_http_codr_ws.c or
                                                  ngx_http_codr_post.c */
    u_char                    *names;          /* memory of a ticket's owner
                                                  and key_id */

    unsigned                   deflate:4;      /* bits of our window, when it
                                                  was agreed on; else 0 */
    unsigned                   binary:1;       /* the socket's subprotocol */
    unsigned                   known:1;        /* it needs no ticket */
    unsigned                   trusted:1;      /* some credential was good */
} ngx_http_codr_ctx_t;


/* module */

extern ngx_module_t  ngx_http_codr_module;


/* language */

char *ngx_http_codr_language_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* By name or alias, any case; NULL when unknown. */
ngx_http_codr_language_t *ngx_http_codr_language_find(
    ngx_http_codr_main_conf_t *mcf, ngx_str_t *name);

/* The location's single language when its list has exactly one, else NULL. */
ngx_http_codr_language_t *ngx_http_codr_language_only(
    ngx_http_codr_loc_conf_t *lcf);

/* NGX_OK when this location may run it. */
ngx_int_t ngx_http_codr_language_allowed(ngx_http_codr_loc_conf_t *lcf,
    ngx_http_codr_language_t *lang);

/* keys: a credential from the request's headers.

   NGX_OK        a good key, ctx->key_id set; or none is needed; or without
                 ctx->known, a ticket must come with each execute
   NGX_DECLINED  none was presented
   NGX_ERROR     one was presented and is not good, or came by the query

   The last two are counted here as failures. */

ngx_int_t ngx_http_codr_authenticate(ngx_http_request_t *r,
    ngx_http_codr_ctx_t *ctx);

/* Evaluates codr_owner into ctx->owner. */
ngx_int_t ngx_http_codr_set_owner(ngx_http_request_t *r,
    ngx_http_codr_ctx_t *ctx);

/* Reads the credentials and the owner of a request into a context of its own.
   NGX_OK, or what is to be given to ngx_http_finalize_request(). */
ngx_int_t ngx_http_codr_context(ngx_http_request_t *r);

/* origin: NGX_OK, or NGX_HTTP_FORBIDDEN for an origin that is not allowed.
   On OK of a cross-origin request ngx_http_codr_cors() adds its headers. */

ngx_int_t ngx_http_codr_origin_check(ngx_http_request_t *r);
ngx_int_t ngx_http_codr_cors(ngx_http_request_t *r);

/* An OPTIONS preflight: answers 204 with the CORS headers, or 403. */
ngx_int_t ngx_http_codr_preflight(ngx_http_request_t *r, const char *methods);

/* image: the configuration for the helper, as a sealed memfd or -1 */

int ngx_http_codr_image(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log);

/* helper */

ngx_int_t ngx_http_codr_helper_init_module(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf);
ngx_int_t ngx_http_codr_helper_init_process(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf);
void ngx_http_codr_helper_exit_process(ngx_cycle_t *cycle);

/* True with a helper of a service manager: it has limits of its own, and knows
   nothing of our locations. */
ngx_uint_t ngx_http_codr_helper_is_foreign(ngx_http_codr_main_conf_t *mcf);

/* A non-blocking stream socket whose other end the broker has, or -1: no
   helper can be had now. */
int ngx_http_codr_helper_open_job(ngx_http_codr_main_conf_t *mcf,
    ngx_log_t *log);

/* The two steps of that: what is written in between is there when the broker
   looks for the first time.  The second closes its descriptor. */
ngx_int_t ngx_http_codr_helper_pair(ngx_socket_t sv[2], ngx_log_t *log);
ngx_int_t ngx_http_codr_helper_give(ngx_http_codr_main_conf_t *mcf,
    ngx_socket_t fd, ngx_log_t *log);

/* What the helper said last, for health and codr_languages. */

typedef struct {
    ngx_str_t                  name;
    ngx_str_t                  version;        /* empty: none known */
    ngx_str_t                  reason;         /* why it is not available */
    ngx_flag_t                 available;
} ngx_http_codr_helper_language_t;

typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 state;          /* codr_layer_state_t */
} ngx_http_codr_helper_layer_t;

typedef struct {
    ngx_uint_t                 state;          /* codr_helper_state_t */
    ngx_array_t                causes;         /* of ngx_str_t */
    ngx_array_t                layers;         /* of ..._helper_layer_t */
    ngx_array_t                languages;      /* of ..._helper_language_t */
} ngx_http_codr_helper_status_t;

/* Of this worker, until the next event; NULL when it has none. */
ngx_http_codr_helper_status_t *ngx_http_codr_helper_status(void);

/* What it counts, by codr_figure_t; NULL while nothing is known. */
uint64_t *ngx_http_codr_helper_figures(ngx_http_codr_main_conf_t *mcf);

/* Sandboxes that stand ready for a language. */
uint64_t ngx_http_codr_helper_warm(ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *name);

/* zone: counters, one slot a process */

typedef enum {
    NGX_HTTP_CODR_SOCKETS = 0,                 /* gauge */
    NGX_HTTP_CODR_AUTH_FAILURES,
    NGX_HTTP_CODR_COUNTERS
} ngx_http_codr_counter_e;

void ngx_http_codr_zone_init_process(ngx_http_codr_main_conf_t *mcf);
void ngx_http_codr_count(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_counter_e counter, ngx_atomic_int_t n);
ngx_uint_t ngx_http_codr_counter(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_counter_e counter);
uint64_t ngx_http_codr_zone_free(ngx_http_codr_main_conf_t *mcf);

/* zone_conf: the directive, and what is there without it */

char *ngx_http_codr_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_codr_zone_default(ngx_conf_t *cf,
    ngx_http_codr_main_conf_t *mcf);

/* redis: 0: not configured, 1: up, 2: down, 3: down, and no job runs */

ngx_uint_t ngx_http_codr_redis_state(ngx_http_codr_main_conf_t *mcf);

/* status, languages: content handlers */

ngx_int_t ngx_http_codr_status_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_codr_languages_handler(ngx_http_request_t *r);

/* variables */

ngx_int_t ngx_http_codr_add_variables(ngx_conf_t *cf);

/* trace: a well-formed traceparent of the request, or nothing */

#define NGX_HTTP_CODR_TRACE_MAX  128

void ngx_http_codr_traceparent(ngx_http_request_t *r, ngx_str_t *trace);

/* handler: content handler of codr_exec: method, origin, credentials, then
   WebSocket or POST */

ngx_int_t ngx_http_codr_handler(ngx_http_request_t *r);

/* jobs: content handler of codr_jobs */

ngx_int_t ngx_http_codr_jobs_handler(ngx_http_request_t *r);

/* A JSON body {code, message, detail ...} with an HTTP status.  code is one
   of codr_error_name(); message is plain UTF-8 text.  What it returns is for
   ngx_http_finalize_request(), and never NGX_OK: no caller can take a refusal
   for a permission. */
ngx_int_t ngx_http_codr_send_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *message);

/* The same for a method that is none of these: 405. */
ngx_int_t ngx_http_codr_send_not_allowed(ngx_http_request_t *r,
    const char *methods, const char *message);

/* Sends len bytes of JSON as the whole answer (r->pool memory). */
ngx_int_t ngx_http_codr_send_json(ngx_http_request_t *r, ngx_uint_t status,
    u_char *data, size_t len);

/* The same for another content type. */
ngx_int_t ngx_http_codr_send_body(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, u_char *data, size_t len);

/* Sends a jansson value and frees it; NULL, no memory for it, is a 500. */
struct json_t;
ngx_int_t ngx_http_codr_send_document(ngx_http_request_t *r,
    ngx_uint_t status, struct json_t *root);

/* ws: the worker begins to exit: idle sockets get 1012, running jobs finish;
   with now set, jobs are stopped and everything is closed. */

void ngx_http_codr_ws_init_process(ngx_cycle_t *cycle);
void ngx_http_codr_ws_shutdown(ngx_cycle_t *cycle, ngx_uint_t now);

/* connection */

/* Nothing is watched yet; NULL, there is none free: the socket stays the
   caller's. */
ngx_connection_t *ngx_http_codr_get_connection(ngx_socket_t fd, void *data,
    ngx_event_handler_pt read, ngx_event_handler_pt write, ngx_log_t *log);

/* session */

ngx_int_t ngx_http_codr_session_handler(ngx_http_request_t *r);

/* post */

ngx_int_t ngx_http_codr_post_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_CODR_H_INCLUDED_ */
