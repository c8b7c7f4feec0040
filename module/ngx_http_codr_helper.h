
/*
 * The helper as nginx's processes see it: the lifeline that the master opens
 * and every process inherits, and the channel of each worker.
 */

#ifndef _NGX_HTTP_CODR_HELPER_H_INCLUDED_
#define _NGX_HTTP_CODR_HELPER_H_INCLUDED_


#include "ngx_http_codr.h"


/* Used when no helper lies beside the module itself. */
#ifndef NGX_HTTP_CODR_HELPER_PATH
#define NGX_HTTP_CODR_HELPER_PATH    "/usr/lib/codr/codr-sandboxd"
#endif

#define NGX_HTTP_CODR_HELPER_SOCKET  "/run/codr/sandbox.sock"


/*
 * One helper.  It outlives the cycle that started it: on the heap, counted by
 * the cycles that use it.  The settings are those it was started with.
 */

struct ngx_http_codr_lifeline_s {
    ngx_socket_t               fd;             /* -1 with "unix:" */
    ngx_uint_t                 cycles;
    ngx_uint_t                 mode;           /* never ..._HELPER_AUTO */

    ngx_uint_t                 helper;         /* as configured */
    ngx_uint_t                 uid_base;
    ngx_uint_t                 uid_count;
    u_char                    *helper_path;    /* NUL-terminated */
    u_char                    *user;
    u_char                    *cgroup;
};


/* spawn */

/* Which file it is. */
ngx_int_t ngx_http_codr_spawn_path(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf, ngx_str_t *path);

/* NGX_OK; NGX_DECLINED when there is no such file; NGX_ERROR when it is not
   fit to be run as the helper.  A reason with both. */
ngx_int_t ngx_http_codr_spawn_check(ngx_str_t *path, const char **reason);

/* Starts the helper with sock as its end of the lifeline; logs why not. */
ngx_int_t ngx_http_codr_spawn(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf, ngx_socket_t sock);


/* channel */

ngx_http_codr_channel_t *ngx_http_codr_channel_create(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf);
void ngx_http_codr_channel_destroy(ngx_http_codr_channel_t *channel);

/* Hands a descriptor over with a frame of no fields. */
ngx_int_t ngx_http_codr_channel_job(ngx_http_codr_channel_t *channel,
    ngx_socket_t fd, ngx_log_t *log);

/* Tells the broker that the end of a job is recorded. */
void ngx_http_codr_channel_claim(ngx_http_codr_channel_t *channel,
    const u_char *id);

ngx_http_codr_helper_status_t *ngx_http_codr_channel_status(
    ngx_http_codr_channel_t *channel);

/* NULL while nothing is known. */
struct ngx_http_codr_helper_figures_s *ngx_http_codr_channel_figures(
    ngx_http_codr_channel_t *channel);

/* One message and, unless it is -1, one descriptor.  Never blocks. */
ngx_int_t ngx_http_codr_send_frame(ngx_socket_t sock, u_char *data, size_t len,
    int fd);


/* report: the payloads of STATUS, NULL when it is malformed, and of LOG */

ngx_http_codr_helper_status_t *ngx_http_codr_report_status(ngx_pool_t *pool,
    u_char *payload, size_t len);

/* The payload of FIGURES. */

#define NGX_HTTP_CODR_WARM_LANGUAGES  64

typedef struct {
    size_t                     len;
    u_char                     name[CODR_NAME_MAX];
    uint64_t                   n;
} ngx_http_codr_helper_warm_t;

typedef struct ngx_http_codr_helper_figures_s {
    uint64_t                     value[CODR_FIGURE_COUNT];
    ngx_uint_t                   languages;
    ngx_http_codr_helper_warm_t  warm[NGX_HTTP_CODR_WARM_LANGUAGES];
} ngx_http_codr_helper_figures_t;

ngx_int_t ngx_http_codr_report_figures(ngx_http_codr_helper_figures_t *figures,
    u_char *payload, size_t len);
ngx_int_t ngx_http_codr_report_log(ngx_log_t *log, u_char *payload,
    size_t len);


/* zone: what was last said in the log about the helper; NGX_OK when state is
   news, for the one process that is to say it */

typedef enum {
    NGX_HTTP_CODR_SAID_NOTHING = 0,
    NGX_HTTP_CODR_SAID_UP,
    NGX_HTTP_CODR_SAID_UNAVAILABLE,
    NGX_HTTP_CODR_SAID_LOST
} ngx_http_codr_said_e;

ngx_int_t ngx_http_codr_zone_news(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_said_e state);


#endif /* _NGX_HTTP_CODR_HELPER_H_INCLUDED_ */
