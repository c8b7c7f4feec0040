
/*
 * What the files of the configuration side share among themselves: setters
 * for the directive table, value parsing, the merge of locations.
 */

#ifndef _NGX_HTTP_CODR_CONF_H_INCLUDED_
#define _NGX_HTTP_CODR_CONF_H_INCLUDED_


#include "ngx_http_codr.h"


typedef enum {
    NGX_HTTP_CODR_SIZE = 0,
    NGX_HTTP_CODR_TIME,                        /* milliseconds */
    NGX_HTTP_CODR_NUMBER
} ngx_http_codr_kind_e;


typedef struct {
    ngx_http_codr_kind_e       kind;
    uint64_t                   min;
    uint64_t                   max;
} ngx_http_codr_range_t;


/* limit */

/* A size, time or number within its range; logs an [emerg] naming the
   directive, the value and the range. */
ngx_int_t ngx_http_codr_parse_value(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *value, const ngx_http_codr_range_t *range, uint64_t *ret);

/* The bytes after "name=" in value, or NGX_DECLINED. */
ngx_int_t ngx_http_codr_option(ngx_str_t *value, const char *name,
    ngx_str_t *ret);

/* Logs an [emerg] about value i of the directive in cf. */
char *ngx_http_codr_conf_invalid(ngx_conf_t *cf, ngx_uint_t i);

/* Where nginx is reading. */
void ngx_http_codr_conf_place(ngx_conf_t *cf, ngx_http_codr_place_t *ret);

char *ngx_http_codr_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The limit directive in cf, name without its prefix, into limits.
   NGX_HTTP_CODR_CONF_UNKNOWN when there is no such limit, else as a setter. */
#define NGX_HTTP_CODR_CONF_UNKNOWN  (char *) "is unknown"

char *ngx_http_codr_limit_set(ngx_conf_t *cf, ngx_str_t *name,
    codr_limits_t *limits, ngx_flag_t *drop);

void ngx_http_codr_limit_merge(ngx_http_codr_loc_conf_t *prev,
    ngx_http_codr_loc_conf_t *conf);


/* conf: http level */

char *ngx_http_codr_helper(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_total(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_allow_missing(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_codr_max_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_compile_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_codr_init_main(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf);

/* path: places of the host */

char *ngx_http_codr_cgroup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The directive in cf as a bind into binds. */
char *ngx_http_codr_bind_set(ngx_conf_t *cf, ngx_array_t *binds);

char *ngx_http_codr_binds_check(ngx_conf_t *cf,
    ngx_http_codr_main_conf_t *mcf);


/* users */

#define NGX_HTTP_CODR_UID_BASE   1879048192
#define NGX_HTTP_CODR_UID_COUNT  4096

char *ngx_http_codr_uids(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_user(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* NULL, or why the helper must not be started with these users. */
const char *ngx_http_codr_users_refused(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf);


/* location: handlers and what protects them */

char *ngx_http_codr_handler_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_codr_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_limit_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_merge_location(ngx_conf_t *cf,
    ngx_http_codr_loc_conf_t *prev, ngx_http_codr_loc_conf_t *conf);


/* language, block */

/* Argument n of the directive in cf as a name nobody has yet, lower case. */
char *ngx_http_codr_language_name(ngx_conf_t *cf, ngx_uint_t n,
    ngx_str_t *name);

/* Handler of ngx_conf_parse() for a block; conf is its language. */
char *ngx_http_codr_language_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);


/* secret: a whole file that others cannot read; logs an [emerg] about what */
ngx_int_t ngx_http_codr_secret(ngx_conf_t *cf, ngx_pool_t *pool,
    ngx_str_t *file, const char *what, size_t max, ngx_str_t *text);


/* redis_conf, ticket_conf */

char *ngx_http_codr_redis_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_ticket_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* keys, key_file, origin */

char *ngx_http_codr_api_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The ID of the key that the request carries: as
   ngx_http_codr_authenticate(). */
ngx_int_t ngx_http_codr_key_id(ngx_http_request_t *r,
    ngx_http_codr_loc_conf_t *lcf, ngx_str_t *id);

/* NGX_OK when the ID has a key that is not disabled. */
ngx_int_t ngx_http_codr_key_good(ngx_http_codr_keys_t *keys, ngx_str_t *id);

/* Whose job it would be: name, a key's ID or a ticket's owner, where
   codr_owner says nothing. */
ngx_int_t ngx_http_codr_owner(ngx_http_request_t *r,
    ngx_http_codr_loc_conf_t *lcf, ngx_str_t *name, ngx_str_t *owner);


#endif /* _NGX_HTTP_CODR_CONF_H_INCLUDED_ */
