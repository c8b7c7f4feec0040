
/*
 * codr_status json: the metrics for programs that would rather not read the
 * format of Prometheus.  Names are those of the metrics without their prefix;
 * of a histogram there are count and sum.  Runs in workers.
 */

#include "ngx_http_codr_records.h"
#include "ngx_http_codr_zone.h"

#include <jansson.h>


static void
ngx_http_codr_counters_set(json_t *object, const char *name, uint64_t value)
{
    (void) json_object_set_new(object, name,
                               json_integer((json_int_t) value));
}


static json_t *
ngx_http_codr_counters_times(ngx_http_codr_times_t *times)
{
    return json_pack("{s:I, s:f}",
                     "count", (json_int_t) ngx_http_codr_times_count(times),
                     "sum", (double) times->sum_us / 1e6);
}


static json_t *
ngx_http_codr_counters_ends(ngx_http_codr_metrics_language_t *lang)
{
    json_t      *object;
    ngx_uint_t   i;

    object = json_object();

    for (i = 0; i < NGX_HTTP_CODR_ENDS; i++) {
        ngx_http_codr_counters_set(object, ngx_http_codr_end_name(i),
                                   lang->ends[i]);
    }

    return object;
}


static json_t *
ngx_http_codr_counters_starts(ngx_http_codr_metrics_language_t *lang)
{
    json_t      *object;
    ngx_uint_t   i;

    object = json_object();

    for (i = 0; i <= CODR_PATH_ZYGOTE; i++) {
        (void) json_object_set_new(object, codr_path_name(i),
                   ngx_http_codr_counters_times(&lang->start[i]));
    }

    return object;
}


static json_t *
ngx_http_codr_counters_languages(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_metrics_t *metrics)
{
    json_t                            *object, *one;
    ngx_str_t                          name;
    ngx_uint_t                         i;
    ngx_http_codr_metrics_language_t  *lang;

    object = json_object();

    for (i = 1; i < metrics->languages; i++) {
        lang = &metrics->language[i];
        name.len = lang->len;
        name.data = lang->name;

        one = json_pack("{s:o, s:o, s:{s:o, s:o}, s:o, s:I}",
                  "jobs_total", ngx_http_codr_counters_ends(lang),
                  "job_seconds", ngx_http_codr_counters_times(&lang->job),
                  "stage_seconds",
                  "compile",
                  ngx_http_codr_counters_times(
                      &lang->stage[CODR_STAGE_COMPILE]),
                  "run",
                  ngx_http_codr_counters_times(&lang->stage[CODR_STAGE_RUN]),
                  "start_seconds", ngx_http_codr_counters_starts(lang),
                  "warm_ready",
                  (json_int_t) ngx_http_codr_helper_warm(mcf, &name));

        (void) json_object_setn_new(object, (char *) name.data, name.len,
                                    one);
    }

    return object;
}


static json_t *
ngx_http_codr_counters_rejected(ngx_http_codr_metrics_t *metrics)
{
    json_t      *object;
    ngx_uint_t   i;

    object = json_object();

    for (i = 0; i < CODR_ERROR_COUNT; i++) {
        ngx_http_codr_counters_set(object, codr_error_name(i),
                                   metrics->rejected[i]);
    }

    return object;
}


static void
ngx_http_codr_counters_figures(json_t *root, ngx_http_codr_main_conf_t *mcf)
{
    uint64_t         *n;
    static uint64_t   none[CODR_FIGURE_COUNT];

    n = ngx_http_codr_helper_figures(mcf);

    if (n == NULL) {
        n = none;
    }

    (void) json_object_set_new(root, "jobs_running",
               json_pack("{s:I, s:I}",
                   "interactive",
                   (json_int_t) n[CODR_FIGURE_RUNNING_INTERACTIVE],
                   "batch", (json_int_t) n[CODR_FIGURE_RUNNING_BATCH]));

    (void) json_object_set_new(root, "max_jobs",
               json_pack("{s:I, s:I, s:I}",
                   "interactive", (json_int_t) n[CODR_FIGURE_MAX_INTERACTIVE],
                   "batch", (json_int_t) n[CODR_FIGURE_MAX_BATCH],
                   "compile", (json_int_t) n[CODR_FIGURE_MAX_COMPILE]));

    ngx_http_codr_counters_set(root, "jobs_queued", n[CODR_FIGURE_QUEUED]);
    ngx_http_codr_counters_set(root, "memory_bytes", n[CODR_FIGURE_MEMORY]);
    ngx_http_codr_counters_set(root, "memory_limit_bytes",
                               n[CODR_FIGURE_MEMORY_LIMIT]);
    ngx_http_codr_counters_set(root, "compile_cache_hits_total",
                               n[CODR_FIGURE_CACHE_HITS]);
    ngx_http_codr_counters_set(root, "compile_cache_misses_total",
                               n[CODR_FIGURE_CACHE_MISSES]);
}


/* Of every job that was accepted: accepted is the sum of the others. */

static void
ngx_http_codr_counters_records(json_t *root, ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_tally_t  tally;

    if (ngx_http_codr_records_tally(mcf, &tally) != NGX_OK) {
        return;
    }

    (void) json_object_set_new(root, "records",
               json_pack("{s:I, s:I, s:I, s:I, s:I}",
                         "accepted", (json_int_t) tally.accepted,
                         "finished", (json_int_t) tally.finished,
                         "failed", (json_int_t) tally.failed,
                         "stopped", (json_int_t) tally.stopped,
                         "unfinished", (json_int_t) tally.unfinished));
}


json_t *
ngx_http_codr_counters(ngx_http_codr_main_conf_t *mcf)
{
    json_t                         *root;
    ngx_http_codr_metrics_t        *metrics;
    ngx_http_codr_helper_status_t  *status;

    metrics = ngx_http_codr_metrics(mcf);

    if (metrics == NULL) {
        return NULL;
    }

    status = ngx_http_codr_helper_status();

    root = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:f}",
               "service", "codr",
               "version", CODR_VERSION,
               "helper_up",
               (int) (status && status->state == CODR_HELPER_UP),
               "languages", ngx_http_codr_counters_languages(mcf, metrics),
               "rejected_total", ngx_http_codr_counters_rejected(metrics),
               "queue_seconds", ngx_http_codr_counters_times(&metrics->queue),
               "cpu_seconds_total", (double) metrics->cpu_us / 1e6);

    ngx_http_codr_counters_figures(root, mcf);

    ngx_http_codr_counters_set(root, "output_bytes_total",
                               metrics->output_bytes);
    ngx_http_codr_counters_set(root, "helper_restarts_total",
                               metrics->restarts);
    ngx_http_codr_counters_set(root, "sockets",
        ngx_http_codr_counter(mcf, NGX_HTTP_CODR_SOCKETS));
    ngx_http_codr_counters_set(root, "auth_failures_total",
        ngx_http_codr_counter(mcf, NGX_HTTP_CODR_AUTH_FAILURES));
    ngx_http_codr_counters_set(root, "zone_free_bytes",
                               ngx_http_codr_zone_free(mcf));
    ngx_http_codr_counters_records(root, mcf);

    return root;
}
