
/*
 * The metrics as Prometheus reads them: text format 0.0.4.  Each family is
 * there even when it has nothing to say but zero, so that a rule can name it
 * from the first moment.  Runs in workers.
 */

#include "ngx_http_codr_json.h"
#include "ngx_http_codr_zone.h"


#define NGX_HTTP_CODR_PROMETHEUS_LINE  512
#define NGX_HTTP_CODR_PROMETHEUS_PAGE  (64 * 1024)


typedef ngx_http_codr_json_t  ngx_http_codr_prometheus_t;


static void
ngx_http_codr_prometheus_put(ngx_http_codr_prometheus_t *text,
    const char *fmt, ...)
{
    u_char   line[NGX_HTTP_CODR_PROMETHEUS_LINE], *last;
    va_list  args;

    va_start(args, fmt);
    last = ngx_vslprintf(line, line + sizeof(line), fmt, args);
    va_end(args);

    ngx_http_codr_json_put(text, line, last - line);
}


static void
ngx_http_codr_prometheus_family(ngx_http_codr_prometheus_t *text,
    const char *name, const char *type, const char *help)
{
    ngx_http_codr_prometheus_put(text, "# HELP %s %s\n# TYPE %s %s\n",
                                 name, help, name, type);
}


static void
ngx_http_codr_prometheus_one(ngx_http_codr_prometheus_t *text,
    const char *name, const char *type, const char *help, uint64_t value)
{
    ngx_http_codr_prometheus_family(text, name, type, help);
    ngx_http_codr_prometheus_put(text, "%s %uL\n", name, value);
}


/* Names of languages and layers are of letters, digits and the like; all the
   same nothing can end a label that should not. */

static void
ngx_http_codr_prometheus_label(ngx_http_codr_prometheus_t *text,
    const u_char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (data[i] == '"' || data[i] == '\\' || data[i] < 0x20) {
            ngx_http_codr_json_put(text, "_", 1);

        } else {
            ngx_http_codr_json_put(text, &data[i], 1);
        }
    }
}


/* "name{language="c",label="value"", where one more label may follow. */

static void
ngx_http_codr_prometheus_open(ngx_http_codr_prometheus_t *text,
    const char *name, ngx_http_codr_metrics_language_t *lang,
    const char *label, const char *value)
{
    ngx_http_codr_prometheus_put(text, "%s{", name);

    if (lang) {
        ngx_http_codr_prometheus_put(text, "language=\"");
        ngx_http_codr_prometheus_label(text, lang->name, lang->len);
        ngx_http_codr_prometheus_put(text, "\"%s", label ? "," : "");
    }

    if (label) {
        ngx_http_codr_prometheus_put(text, "%s=\"%s\"", label, value);
    }
}


static void
ngx_http_codr_prometheus_name(ngx_http_codr_prometheus_t *text,
    const char *name, ngx_http_codr_metrics_language_t *lang,
    const char *label, const char *value)
{
    if (lang == NULL && label == NULL) {
        ngx_http_codr_prometheus_put(text, "%s", name);
        return;
    }

    ngx_http_codr_prometheus_open(text, name, lang, label, value);
    ngx_http_codr_prometheus_put(text, "}");
}


static void
ngx_http_codr_prometheus_times(ngx_http_codr_prometheus_t *text,
    const char *name, ngx_http_codr_metrics_language_t *lang,
    const char *label, const char *value, ngx_http_codr_times_t *times)
{
    uint64_t     n, us;
    ngx_uint_t   i;
    char         full[64];
    const char  *comma;

    n = 0;
    comma = (lang || label) ? "," : "";

    (void) ngx_sprintf((u_char *) full, "%s_bucket%Z", name);

    for (i = 0; i < NGX_HTTP_CODR_TIMES; i++) {
        n += times->bucket[i];

        ngx_http_codr_prometheus_open(text, full, lang, label, value);

        if (i < NGX_HTTP_CODR_TIMES - 1) {
            us = ngx_http_codr_times_us[i];
            ngx_http_codr_prometheus_put(text, "%sle=\"%uL.%04uL\"} %uL\n",
                                         comma, us / 1000000,
                                         us % 1000000 / 100, n);
        } else {
            ngx_http_codr_prometheus_put(text, "%sle=\"+Inf\"} %uL\n", comma,
                                         n);
        }
    }

    us = times->sum_us;

    (void) ngx_sprintf((u_char *) full, "%s_sum%Z", name);
    ngx_http_codr_prometheus_name(text, full, lang, label, value);
    ngx_http_codr_prometheus_put(text, " %uL.%06uL\n", us / 1000000,
                                 us % 1000000);

    (void) ngx_sprintf((u_char *) full, "%s_count%Z", name);
    ngx_http_codr_prometheus_name(text, full, lang, label, value);
    ngx_http_codr_prometheus_put(text, " %uL\n", n);
}


static ngx_http_codr_metrics_language_t *
ngx_http_codr_prometheus_next(ngx_http_codr_metrics_t *metrics, ngx_uint_t *i)
{
    ngx_uint_t                         k, n;
    ngx_http_codr_metrics_language_t  *lang;

    while (*i < metrics->languages) {
        lang = &metrics->language[*i];

        if ((*i)++ > 0) {
            return lang;
        }

        for (n = 0, k = 0; k < NGX_HTTP_CODR_ENDS; k++) {
            n += lang->ends[k];
        }

        if (n) {                               /* "other" */
            return lang;
        }
    }

    return NULL;
}


static void
ngx_http_codr_prometheus_ends(ngx_http_codr_prometheus_t *text,
    ngx_http_codr_metrics_t *metrics)
{
    ngx_uint_t                         i, k;
    ngx_http_codr_metrics_language_t  *lang;

    ngx_http_codr_prometheus_family(text, "codr_jobs_total", "counter",
                                    "Jobs that have ended, by how.");
    i = 0;

    while ((lang = ngx_http_codr_prometheus_next(metrics, &i)) != NULL) {
        for (k = 0; k < NGX_HTTP_CODR_ENDS; k++) {
            ngx_http_codr_prometheus_name(text, "codr_jobs_total", lang,
                                          "status",
                                          ngx_http_codr_end_name(k));
            ngx_http_codr_prometheus_put(text, " %uA\n", lang->ends[k]);
        }
    }

    ngx_http_codr_prometheus_family(text, "codr_rejected_total", "counter",
                                    "Executes that became no job, by why.");

    for (k = 0; k < CODR_ERROR_COUNT; k++) {
        ngx_http_codr_prometheus_put(text,
                                     "codr_rejected_total{code=\"%s\"} %uA\n",
                                     codr_error_name(k), metrics->rejected[k]);
    }
}


/* Series of what has never happened are left out: a language that is not
   compiled has no compile stage. */

static void
ngx_http_codr_prometheus_histograms(ngx_http_codr_prometheus_t *text,
    ngx_http_codr_metrics_t *metrics)
{
    ngx_uint_t                         i, k;
    ngx_http_codr_metrics_language_t  *lang;

    static const char  *stages[] = { "compile", "run" };

    ngx_http_codr_prometheus_family(text, "codr_job_seconds", "histogram",
                                    "Wall time of a job's stages together.");
    i = 0;

    while ((lang = ngx_http_codr_prometheus_next(metrics, &i)) != NULL) {
        ngx_http_codr_prometheus_times(text, "codr_job_seconds", lang, NULL,
                                       NULL, &lang->job);
    }

    ngx_http_codr_prometheus_family(text, "codr_queue_seconds", "histogram",
                                    "Time jobs have waited for a place.");
    ngx_http_codr_prometheus_times(text, "codr_queue_seconds", NULL, NULL,
                                   NULL, &metrics->queue);

    ngx_http_codr_prometheus_family(text, "codr_stage_seconds", "histogram",
                                    "Wall time of a stage.");
    i = 0;

    while ((lang = ngx_http_codr_prometheus_next(metrics, &i)) != NULL) {
        for (k = 0; k <= CODR_STAGE_RUN; k++) {
            if (k == CODR_STAGE_RUN
                || ngx_http_codr_times_count(&lang->stage[k]))
            {
                ngx_http_codr_prometheus_times(text, "codr_stage_seconds",
                                               lang, "stage", stages[k],
                                               &lang->stage[k]);
            }
        }
    }

    ngx_http_codr_prometheus_family(text, "codr_start_seconds", "histogram",
                                    "From a job's turn to its program.");
    i = 0;

    while ((lang = ngx_http_codr_prometheus_next(metrics, &i)) != NULL) {
        for (k = 0; k <= CODR_PATH_ZYGOTE; k++) {
            if (k == CODR_PATH_COLD
                || ngx_http_codr_times_count(&lang->start[k]))
            {
                ngx_http_codr_prometheus_times(text, "codr_start_seconds",
                                               lang, "path",
                                               codr_path_name(k),
                                               &lang->start[k]);
            }
        }
    }
}


static void
ngx_http_codr_prometheus_sums(ngx_http_codr_prometheus_t *text,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_metrics_t *metrics)
{
    uint64_t  us;

    ngx_http_codr_prometheus_one(text, "codr_sockets", "gauge",
        "WebSockets that are open.",
        ngx_http_codr_counter(mcf, NGX_HTTP_CODR_SOCKETS));

    ngx_http_codr_prometheus_one(text, "codr_auth_failures_total", "counter",
        "Credentials that were missing or not good.",
        ngx_http_codr_counter(mcf, NGX_HTTP_CODR_AUTH_FAILURES));

    us = metrics->cpu_us;

    ngx_http_codr_prometheus_family(text, "codr_cpu_seconds_total", "counter",
                                    "CPU time of jobs that have ended.");
    ngx_http_codr_prometheus_put(text, "codr_cpu_seconds_total %uL.%06uL\n",
                                 us / 1000000, us % 1000000);

    ngx_http_codr_prometheus_one(text, "codr_output_bytes_total", "counter",
        "Bytes that programs have written.", metrics->output_bytes);

    ngx_http_codr_prometheus_one(text, "codr_helper_restarts_total",
        "counter", "How often the helper had to begin anew.",
        metrics->restarts);

    ngx_http_codr_prometheus_one(text, "codr_zone_free_bytes", "gauge",
        "Shared memory in pages that nobody uses.",
        ngx_http_codr_zone_free(mcf));

    ngx_http_codr_prometheus_one(text, "codr_redis_up", "gauge",
        "Whether Redis answers; 0 without codr_redis, too.",
        ngx_http_codr_redis_state(mcf) == 1);
}


static void
ngx_http_codr_prometheus_figures(ngx_http_codr_prometheus_t *text,
    ngx_http_codr_main_conf_t *mcf)
{
    uint64_t       *n;
    static uint64_t none[CODR_FIGURE_COUNT];

    n = ngx_http_codr_helper_figures(mcf);

    if (n == NULL) {
        n = none;
    }

    ngx_http_codr_prometheus_family(text, "codr_jobs_running", "gauge",
                                    "Jobs that hold a place.");
    ngx_http_codr_prometheus_put(text,
        "codr_jobs_running{kind=\"interactive\"} %uL\n"
        "codr_jobs_running{kind=\"batch\"} %uL\n",
        n[CODR_FIGURE_RUNNING_INTERACTIVE], n[CODR_FIGURE_RUNNING_BATCH]);

    ngx_http_codr_prometheus_family(text, "codr_max_jobs", "gauge",
                                    "Places there are.");
    ngx_http_codr_prometheus_put(text,
        "codr_max_jobs{kind=\"interactive\"} %uL\n"
        "codr_max_jobs{kind=\"batch\"} %uL\n"
        "codr_max_jobs{kind=\"compile\"} %uL\n",
        n[CODR_FIGURE_MAX_INTERACTIVE], n[CODR_FIGURE_MAX_BATCH],
        n[CODR_FIGURE_MAX_COMPILE]);

    ngx_http_codr_prometheus_one(text, "codr_jobs_queued", "gauge",
        "Jobs that wait for a place.", n[CODR_FIGURE_QUEUED]);

    ngx_http_codr_prometheus_one(text, "codr_memory_bytes", "gauge",
        "Memory of all jobs together.", n[CODR_FIGURE_MEMORY]);

    ngx_http_codr_prometheus_one(text, "codr_memory_limit_bytes", "gauge",
        "The most they may use, by codr_total.",
        n[CODR_FIGURE_MEMORY_LIMIT]);

    ngx_http_codr_prometheus_one(text, "codr_compile_cache_hits_total",
        "counter", "Compile stages that were not needed.",
        n[CODR_FIGURE_CACHE_HITS]);

    ngx_http_codr_prometheus_one(text, "codr_compile_cache_misses_total",
        "counter", "Compile stages that were.",
        n[CODR_FIGURE_CACHE_MISSES]);
}


static void
ngx_http_codr_prometheus_warm(ngx_http_codr_prometheus_t *text,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_metrics_t *metrics)
{
    ngx_str_t                          name;
    ngx_uint_t                         i;
    ngx_http_codr_metrics_language_t  *lang;

    ngx_http_codr_prometheus_family(text, "codr_warm_ready", "gauge",
                                    "Sandboxes that stand ready.");
    i = 0;

    while ((lang = ngx_http_codr_prometheus_next(metrics, &i)) != NULL) {
        name.len = lang->len;
        name.data = lang->name;

        ngx_http_codr_prometheus_name(text, "codr_warm_ready", lang, NULL,
                                      NULL);
        ngx_http_codr_prometheus_put(text, " %uL\n",
                                     ngx_http_codr_helper_warm(mcf, &name));
    }
}


static void
ngx_http_codr_prometheus_helper(ngx_http_codr_prometheus_t *text)
{
    ngx_uint_t                      i;
    ngx_http_codr_helper_layer_t   *layer;
    ngx_http_codr_helper_status_t  *status;

    status = ngx_http_codr_helper_status();

    ngx_http_codr_prometheus_one(text, "codr_helper_up", "gauge",
        "Whether the helper takes jobs.",
        status && status->state == CODR_HELPER_UP);

    ngx_http_codr_prometheus_family(text, "codr_layer", "gauge",
                                    "Whether a layer of isolation is there.");

    layer = status ? status->layers.elts : NULL;

    for (i = 0; status && i < status->layers.nelts; i++) {
        ngx_http_codr_prometheus_put(text, "codr_layer{name=\"");
        ngx_http_codr_prometheus_label(text, layer[i].name.data,
                                       layer[i].name.len);
        ngx_http_codr_prometheus_put(text, "\"} %d\n",
                                     layer[i].state == CODR_LAYER_OK ? 1 : 0);
    }

    ngx_http_codr_prometheus_family(text, "codr_build_info", "gauge",
                                    "Always 1; the label is the version.");
    ngx_http_codr_prometheus_put(text, "codr_build_info{version=\"%s\"} 1\n",
                                 CODR_VERSION);
}


ngx_int_t
ngx_http_codr_prometheus(ngx_http_request_t *r,
    ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_metrics_t     *metrics;
    ngx_http_codr_prometheus_t   text;

    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4");

    metrics = ngx_http_codr_metrics(mcf);

    if (metrics == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_codr_json_init(&text, r->pool, NGX_HTTP_CODR_PROMETHEUS_PAGE);

    ngx_http_codr_prometheus_ends(&text, metrics);
    ngx_http_codr_prometheus_figures(&text, mcf);
    ngx_http_codr_prometheus_sums(&text, mcf, metrics);
    ngx_http_codr_prometheus_warm(&text, mcf, metrics);
    ngx_http_codr_prometheus_helper(&text);
    ngx_http_codr_prometheus_histograms(&text, metrics);

    if (text.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_codr_send_body(r, NGX_HTTP_OK, &type, text.start,
                                   text.pos - text.start);
}
