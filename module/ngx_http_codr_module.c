
/*
 * The module as nginx sees it: directives, contexts, and what is called when
 * the configuration has been read and when a process begins and ends.  None
 * of it may take a site down for what is found at run time.
 */

#include "ngx_http_codr_adrift.h"
#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_deflate.h"
#include "ngx_http_codr_job_log.h"
#include "ngx_http_codr_policy.h"
#include "ngx_http_codr_records.h"
#include "ngx_http_codr_redis.h"


static ngx_int_t ngx_http_codr_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_codr_init_process(ngx_cycle_t *cycle);
static void ngx_http_codr_exit_process(ngx_cycle_t *cycle);
static void *ngx_http_codr_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_codr_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_codr_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_codr_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


#define NGX_HTTP_CODR_ANY_CONF                                                \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF

#define ngx_http_codr_main_command(name, args, set)                           \
    { ngx_string(name), NGX_HTTP_MAIN_CONF|args, set,                         \
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }

#define ngx_http_codr_handler_command(name, args, handler)                    \
    { ngx_string(name), NGX_HTTP_LOC_CONF|args, ngx_http_codr_handler_slot,   \
      NGX_HTTP_LOC_CONF_OFFSET, 0, handler }

#define ngx_http_codr_loc_command(name, args, set)                            \
    { ngx_string(name), NGX_HTTP_CODR_ANY_CONF|args, set,                     \
      NGX_HTTP_LOC_CONF_OFFSET, 0, NULL }

#define ngx_http_codr_msec_command(name, field, range)                        \
    { ngx_string(name), NGX_HTTP_CODR_ANY_CONF|NGX_CONF_TAKE1,                \
      ngx_http_codr_msec, NGX_HTTP_LOC_CONF_OFFSET,                           \
      offsetof(ngx_http_codr_loc_conf_t, field), range }


static ngx_http_handler_pt  ngx_http_codr_exec_slot = ngx_http_codr_handler;
static ngx_http_handler_pt  ngx_http_codr_jobs_slot =
    ngx_http_codr_jobs_handler;
static ngx_http_handler_pt  ngx_http_codr_status_slot =
    ngx_http_codr_status_handler;
static ngx_http_handler_pt  ngx_http_codr_languages_slot =
    ngx_http_codr_languages_handler;

static ngx_http_codr_range_t  ngx_http_codr_seconds = {
    NGX_HTTP_CODR_TIME, 100, 3600 * 1000
};

static ngx_http_codr_range_t  ngx_http_codr_hours = {
    NGX_HTTP_CODR_TIME, 100, 24 * 3600 * 1000
};

static ngx_http_codr_range_t  ngx_http_codr_or_none = {
    NGX_HTTP_CODR_TIME, 0, 24 * 3600 * 1000
};

static ngx_http_codr_range_t  ngx_http_codr_ticket_times = {
    NGX_HTTP_CODR_TIME, 1000, 24 * 3600 * 1000
};

static ngx_http_codr_range_t  ngx_http_codr_record_times = {
    NGX_HTTP_CODR_TIME, 1000, 30LL * 24 * 3600 * 1000
};

static ngx_http_codr_range_t  ngx_http_codr_results_sizes = {
    NGX_HTTP_CODR_SIZE, 64 * 1024, 64LL * 1024 * 1024 * 1024
};


static ngx_command_t  ngx_http_codr_commands[] = {

    ngx_http_codr_main_command("codr_helper", NGX_CONF_TAKE12,
                               ngx_http_codr_helper),
    ngx_http_codr_main_command("codr_uids", NGX_CONF_TAKE12,
                               ngx_http_codr_uids),
    ngx_http_codr_main_command("codr_user", NGX_CONF_TAKE1,
                               ngx_http_codr_user),
    ngx_http_codr_main_command("codr_cgroup", NGX_CONF_TAKE1,
                               ngx_http_codr_cgroup),
    ngx_http_codr_main_command("codr_total", NGX_CONF_TAKE12,
                               ngx_http_codr_total),
    ngx_http_codr_main_command("codr_allow_missing", NGX_CONF_1MORE,
                               ngx_http_codr_allow_missing),
    ngx_http_codr_main_command("codr_zone", NGX_CONF_TAKE1,
                               ngx_http_codr_zone),
    ngx_http_codr_main_command("codr_max_jobs", NGX_CONF_TAKE123,
                               ngx_http_codr_max_jobs),
    ngx_http_codr_main_command("codr_queue", NGX_CONF_TAKE12,
                               ngx_http_codr_queue),
    ngx_http_codr_main_command("codr_redis", NGX_CONF_1MORE,
                               ngx_http_codr_redis_slot),
    ngx_http_codr_main_command("codr_ticket_key_file", NGX_CONF_TAKE1,
                               ngx_http_codr_ticket_key_file),

    { ngx_string("codr_ticket_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_codr_msec,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_codr_main_conf_t, ticket_ttl),
      &ngx_http_codr_ticket_times },

    ngx_http_codr_main_command("codr_compile_cache", NGX_CONF_TAKE12,
                               ngx_http_codr_compile_cache),
    ngx_http_codr_main_command("codr_job_log", NGX_CONF_1MORE,
                               ngx_http_codr_job_log_set),

    { ngx_string("codr_job_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_codr_msec,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_codr_main_conf_t, job_ttl),
      &ngx_http_codr_record_times },

    { ngx_string("codr_results"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_codr_size,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_codr_main_conf_t, results),
      &ngx_http_codr_results_sizes },

    ngx_http_codr_main_command("codr_bind", NGX_CONF_TAKE12,
                               ngx_http_codr_bind),
    ngx_http_codr_main_command("codr_policies", NGX_CONF_TAKE1,
                               ngx_http_codr_policies),
    ngx_http_codr_main_command("codr_language", NGX_CONF_BLOCK|NGX_CONF_TAKE1,
                               ngx_http_codr_language_block),

    ngx_http_codr_handler_command("codr_exec", NGX_CONF_ANY,
                                  &ngx_http_codr_exec_slot),
    ngx_http_codr_handler_command("codr_jobs", NGX_CONF_NOARGS,
                                  &ngx_http_codr_jobs_slot),
    ngx_http_codr_handler_command("codr_status", NGX_CONF_NOARGS|NGX_CONF_TAKE1,
                                  &ngx_http_codr_status_slot),
    ngx_http_codr_handler_command("codr_languages", NGX_CONF_NOARGS,
                                  &ngx_http_codr_languages_slot),

    ngx_http_codr_loc_command("codr_api_keys", NGX_CONF_TAKE1,
                              ngx_http_codr_api_keys),
    ngx_http_codr_loc_command("codr_auth", NGX_CONF_1MORE,
                              ngx_http_codr_auth),
    ngx_http_codr_loc_command("codr_origin", NGX_CONF_1MORE,
                              ngx_http_codr_origin),
    ngx_http_codr_loc_command("codr_policy", NGX_CONF_TAKE12,
                              ngx_http_codr_policy),

    { ngx_string("codr_deflate"),
      NGX_HTTP_CODR_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_codr_loc_conf_t, deflate),
      NULL },

    ngx_http_codr_loc_command("codr_limit_jobs", NGX_CONF_2MORE,
                              ngx_http_codr_limit_jobs),

    { ngx_string("codr_owner"),
      NGX_HTTP_CODR_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_codr_loc_conf_t, owner),
      NULL },

    ngx_http_codr_loc_command("codr_timeout", NGX_CONF_TAKE123,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_cpu_time", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_compile_timeout", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_compile_memory", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_memory", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_stack", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_processes", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_open_files", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_disk", NGX_CONF_TAKE12,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_output", NGX_CONF_TAKE12,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_code_size", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_files", NGX_CONF_TAKE12,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_input", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),
    ngx_http_codr_loc_command("codr_ast_nodes", NGX_CONF_TAKE1,
                              ngx_http_codr_limit),

    ngx_http_codr_msec_command("codr_first_message_timeout",
                               first_message_timeout, &ngx_http_codr_seconds),
    ngx_http_codr_msec_command("codr_idle_timeout", idle_timeout,
                               &ngx_http_codr_hours),
    ngx_http_codr_msec_command("codr_ping", ping, &ngx_http_codr_seconds),
    ngx_http_codr_msec_command("codr_detach", detach, &ngx_http_codr_or_none),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_codr_module_ctx = {
    ngx_http_codr_add_variables,           /* preconfiguration */
    ngx_http_codr_policy_check,            /* postconfiguration */

    ngx_http_codr_create_main_conf,        /* create main configuration */
    ngx_http_codr_init_main_conf,          /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_codr_create_loc_conf,         /* create location configuration */
    ngx_http_codr_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_codr_module = {
    NGX_MODULE_V1,
    &ngx_http_codr_module_ctx,             /* module context */
    ngx_http_codr_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_codr_init_module,             /* init module */
    ngx_http_codr_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_codr_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* NULL when no location of this cycle needs codr. */

static ngx_http_codr_main_conf_t *
ngx_http_codr_used_conf(ngx_cycle_t *cycle)
{
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_codr_module);

    return (mcf && mcf->used) ? mcf : NULL;
}


static ngx_int_t
ngx_http_codr_init_module(ngx_cycle_t *cycle)
{
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_codr_used_conf(cycle);

    if (mcf == NULL || ngx_test_config) {
        return NGX_OK;
    }

    return ngx_http_codr_helper_init_module(cycle, mcf);
}


static ngx_int_t
ngx_http_codr_init_process(ngx_cycle_t *cycle)
{
    ngx_http_codr_main_conf_t  *mcf;

    /* the cache manager and loader come here, too */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mcf = ngx_http_codr_used_conf(cycle);

    if (mcf == NULL) {
        return NGX_OK;
    }

    ngx_http_codr_zone_init_process(mcf);
    (void) ngx_http_codr_redis(mcf);
    ngx_http_codr_adrift_init_process(mcf);
    ngx_http_codr_ws_init_process(cycle);

    return ngx_http_codr_helper_init_process(cycle, mcf);
}


static void
ngx_http_codr_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    if (ngx_http_codr_used_conf(cycle) == NULL) {
        return;
    }

    ngx_http_codr_ws_shutdown(cycle, 1);
    ngx_http_codr_redis_exit_process(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_codr_module));
    ngx_http_codr_helper_exit_process(cycle);
}


static void *
ngx_http_codr_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    mcf->helper = NGX_CONF_UNSET_UINT;
    mcf->uid_base = NGX_CONF_UNSET_UINT;
    mcf->uid_count = NGX_CONF_UNSET_UINT;
    mcf->max_jobs = NGX_CONF_UNSET_UINT;
    mcf->queue_length = NGX_CONF_UNSET_UINT;
    mcf->queue_timeout = NGX_CONF_UNSET_MSEC;
    mcf->ticket_ttl = NGX_CONF_UNSET_MSEC;
    mcf->cache_size = NGX_CONF_UNSET_SIZE;
    mcf->job_ttl = NGX_CONF_UNSET_MSEC;
    mcf->results = NGX_CONF_UNSET_SIZE;

    mcf->deflate = ngx_http_codr_deflate_create(cf->pool);

    if (mcf->deflate == NULL
        || ngx_array_init(&mcf->allow_missing, cf->pool, 4, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&mcf->binds, cf->pool, 4,
                          sizeof(ngx_http_codr_bind_t))
           != NGX_OK
        || ngx_array_init(&mcf->languages, cf->pool, 8,
                          sizeof(ngx_http_codr_language_t *))
           != NGX_OK
        || ngx_array_init(&mcf->locations, cf->pool, 8,
                          sizeof(ngx_http_codr_loc_conf_t *))
           != NGX_OK
        || ngx_array_init(&mcf->keys, cf->pool, 4,
                          sizeof(ngx_http_codr_keys_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


static char *
ngx_http_codr_init_main_conf(ngx_conf_t *cf, void *conf)
{
    return (ngx_http_codr_job_log_init(cf, conf) == NGX_CONF_OK)
           ? ngx_http_codr_init_main(cf, conf) : NGX_CONF_ERROR;
}


static void *
ngx_http_codr_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_codr_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    lcf->keys = NGX_CONF_UNSET_PTR;
    lcf->origins = NGX_CONF_UNSET_PTR;
    lcf->first_message_timeout = NGX_CONF_UNSET_MSEC;
    lcf->idle_timeout = NGX_CONF_UNSET_MSEC;
    lcf->ping = NGX_CONF_UNSET_MSEC;
    lcf->detach = NGX_CONF_UNSET_MSEC;
    lcf->deflate = NGX_CONF_UNSET;
    lcf->policy_mode = NGX_CONF_UNSET_UINT;
    lcf->policy_level = NGX_CONF_UNSET_UINT;

    return lcf;
}


static char *
ngx_http_codr_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    return ngx_http_codr_merge_location(cf, parent, child);
}
