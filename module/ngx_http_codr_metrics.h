
/*
 * What is counted over all workers.  Everything only ever grows and is added
 * to by atomic operations: there is no lock, and nothing to be undone when a
 * worker is killed.
 */

#ifndef _NGX_HTTP_CODR_METRICS_H_INCLUDED_
#define _NGX_HTTP_CODR_METRICS_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"


/* The first is for those that found no room any more. */
#define NGX_HTTP_CODR_METRICS_LANGUAGES  64

/* How a job can end: as the broker's statuses, or in one of these. */

typedef enum {
    NGX_HTTP_CODR_END_COMPILE_ERROR = CODR_STATUS_COUNT,
    NGX_HTTP_CODR_END_COMPILE_LIMIT,
    NGX_HTTP_CODR_END_REJECTED,
    NGX_HTTP_CODR_ENDS
} ngx_http_codr_end_e;


/* Times fall into buckets; the last one has no upper bound. */

#define NGX_HTTP_CODR_TIMES  18

typedef struct {
    ngx_atomic_t               bucket[NGX_HTTP_CODR_TIMES];
    ngx_atomic_t               sum_us;
} ngx_http_codr_times_t;

extern const uint64_t  ngx_http_codr_times_us[NGX_HTTP_CODR_TIMES - 1];


typedef struct {
    size_t                     len;
    u_char                     name[CODR_NAME_MAX];
    ngx_atomic_t               ends[NGX_HTTP_CODR_ENDS];
    ngx_http_codr_times_t      job;
    ngx_http_codr_times_t      stage[CODR_STAGE_RUN + 1];
    ngx_http_codr_times_t      start[CODR_PATH_ZYGOTE + 1];
} ngx_http_codr_metrics_language_t;


typedef struct {
    ngx_atomic_t                      rejected[CODR_ERROR_COUNT];
    ngx_atomic_t                      cpu_us;
    ngx_atomic_t                      output_bytes;
    ngx_atomic_t                      instance;    /* of the helper */
    ngx_atomic_t                      restarts;
    ngx_http_codr_times_t             queue;
    ngx_uint_t                        languages;
    ngx_http_codr_metrics_language_t  language[NGX_HTTP_CODR_METRICS_LANGUAGES];
} ngx_http_codr_metrics_t;


/* The configured languages get their places: in the master. */
void ngx_http_codr_metrics_init(ngx_http_codr_metrics_t *metrics,
    ngx_http_codr_main_conf_t *mcf);

/* NULL before the zone has been made. */
ngx_http_codr_metrics_t *ngx_http_codr_metrics(ngx_http_codr_main_conf_t *mcf);

/* A job has ended with an answer of the broker or, as its client left, with
   none; started: it had been accepted. */
void ngx_http_codr_metrics_ended(ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *language, ngx_uint_t started, ngx_http_codr_answer_t *a);

/* An execute that became no job. */
void ngx_http_codr_metrics_rejected(ngx_http_codr_main_conf_t *mcf,
    ngx_uint_t code);

/* What the helper has said of itself. */
void ngx_http_codr_metrics_instance(ngx_http_codr_main_conf_t *mcf,
    uint64_t instance);

const char *ngx_http_codr_end_name(ngx_uint_t end);
uint64_t ngx_http_codr_times_count(ngx_http_codr_times_t *times);

/* prometheus: the page of codr_status */
ngx_int_t ngx_http_codr_prometheus(ngx_http_request_t *r,
    ngx_http_codr_main_conf_t *mcf);

/* counters: the same as JSON; NULL without memory */
struct json_t *ngx_http_codr_counters(ngx_http_codr_main_conf_t *mcf);


#endif /* _NGX_HTTP_CODR_METRICS_H_INCLUDED_ */
