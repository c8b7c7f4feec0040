
/*
 * Setters of the directives of the http level: the helper and its ceilings.
 * Runs while the configuration is read and refuses there whatever can be
 * known to be wrong; what only a start can show is left to the start.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_helper.h"

#include <sys/random.h>
#include <sys/un.h>


static char *ngx_http_codr_helper_spawn(ngx_conf_t *cf,
    ngx_http_codr_main_conf_t *mcf);


/* The layers that codr-sandboxd --check prints. */

static const char  *ngx_http_codr_layers[] = {
    "pid_namespace", "mount_namespace", "ipc_namespace", "uts_namespace",
    "net_namespace", "cgroup_namespace", "uids", "capabilities",
    "no_new_privs", "seccomp", "landlock", "landlock_net", "landlock_scope",
    "cgroup", "cgroup_cpu", NULL
};


char *
ngx_http_codr_helper(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t  *value;

    if (mcf->helper != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "spawn") == 0) {
        return ngx_http_codr_helper_spawn(cf, mcf);
    }

    if (cf->args->nelts == 3) {
        return ngx_http_codr_conf_invalid(cf, 2);
    }

    if (ngx_strcmp(value[1].data, "auto") == 0) {
        mcf->helper = NGX_HTTP_CODR_HELPER_AUTO;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "unix:/", sizeof("unix:/") - 1) != 0) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    mcf->helper = NGX_HTTP_CODR_HELPER_UNIX;
    mcf->helper_path.data = value[1].data + sizeof("unix:") - 1;
    mcf->helper_path.len = value[1].len - (sizeof("unix:") - 1);

    if (mcf->helper_path.len
        >= sizeof(((struct sockaddr_un *) 0)->sun_path))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too long path \"%V\" in \"%V\"",
                           &mcf->helper_path, &value[0]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_helper_spawn(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    ngx_int_t    rc;
    ngx_str_t   *value;
    const char  *reason;

    mcf->helper = NGX_HTTP_CODR_HELPER_SPAWN;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;
    mcf->helper_path = value[2];

    if (ngx_conf_full_name(cf->cycle, &mcf->helper_path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_codr_spawn_check(&mcf->helper_path, &reason);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "helper \"%V\" in \"%V\" %s",
                           &mcf->helper_path, &value[0], reason);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "helper \"%V\" in \"%V\" %s",
                           &mcf->helper_path, &value[0], reason);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_total_memory(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *text)
{
    uint64_t   n;
    ngx_str_t  *value;

    static const ngx_http_codr_range_t  percents = {
        NGX_HTTP_CODR_NUMBER, 1, 100
    };
    static const ngx_http_codr_range_t  sizes = {
        NGX_HTTP_CODR_SIZE, 16 * 1024 * 1024, (uint64_t) 1 << 50
    };

    value = cf->args->elts;

    if (text->len && text->data[text->len - 1] == '%') {
        text->len--;

        if (ngx_http_codr_parse_value(cf, &value[0], text, &percents, &n)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        mcf->total_percent = (ngx_uint_t) n;
        return NGX_CONF_OK;
    }

    if (ngx_http_codr_parse_value(cf, &value[0], text, &sizes, &n) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf->total_memory = (size_t) n;
    return NGX_CONF_OK;
}


char *
ngx_http_codr_total(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_int_t    n;
    ngx_str_t   *value, text;
    ngx_uint_t   i;

    if (mcf->total_memory || mcf->total_percent || mcf->total_cpu) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (mcf->total_memory == 0 && mcf->total_percent == 0
            && ngx_http_codr_option(&value[i], "memory", &text) == NGX_OK)
        {
            if (ngx_http_codr_total_memory(cf, mcf, &text) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (mcf->total_cpu == 0
            && ngx_http_codr_option(&value[i], "cpu", &text) == NGX_OK)
        {
            n = ngx_atofp(text.data, text.len, 3);

            if (n > 0 && n <= 4096 * 1000) {
                mcf->total_cpu = n;
                continue;
            }
        }

        return ngx_http_codr_conf_invalid(cf, i);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_codr_allow_missing(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t   *value, *layer;
    ngx_uint_t   i, n;

    if (mcf->allow_missing.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; ngx_http_codr_layers[n]; n++) {
            if (ngx_strcmp(value[i].data, ngx_http_codr_layers[n]) == 0) {
                break;
            }
        }

        if (ngx_http_codr_layers[n] == NULL) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        layer = ngx_array_push(&mcf->allow_missing);
        if (layer == NULL) {
            return NGX_CONF_ERROR;
        }

        *layer = value[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_codr_max_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    uint64_t     n;
    ngx_str_t   *value, text;
    ngx_uint_t   i, k, seen, *field[3];

    static const char                  *names[] = { NULL, "batch", "compile" };
    static const ngx_http_codr_range_t  range = {
        NGX_HTTP_CODR_NUMBER, 1, 65535
    };

    if (mcf->max_jobs != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mcf->max_jobs = 0;
    mcf->max_batch = 0;
    mcf->max_compile = 0;

    field[0] = &mcf->max_jobs;
    field[1] = &mcf->max_batch;
    field[2] = &mcf->max_compile;
    seen = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        text = value[i];
        k = 0;

        if (i > 1) {
            for (k = 1; k < 3; k++) {
                if (ngx_http_codr_option(&value[i], names[k], &text) == NGX_OK)
                {
                    break;
                }
            }
        }

        if (k == 3 || seen & (1 << k)) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        seen |= 1 << k;

        if (ngx_strcmp(text.data, "auto") == 0) {
            continue;
        }

        if (ngx_http_codr_parse_value(cf, &value[0], &text, &range, &n)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        *field[k] = (ngx_uint_t) n;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_codr_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    uint64_t    n;
    ngx_str_t  *value, text;

    static const ngx_http_codr_range_t  lengths = {
        NGX_HTTP_CODR_NUMBER, 0, 100000
    };
    static const ngx_http_codr_range_t  times = {
        NGX_HTTP_CODR_TIME, 1, 24 * 3600 * 1000
    };

    if (mcf->queue_length != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_codr_parse_value(cf, &value[0], &value[1], &lengths, &n)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mcf->queue_length = (ngx_uint_t) n;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_http_codr_option(&value[2], "timeout", &text) != NGX_OK) {
        return ngx_http_codr_conf_invalid(cf, 2);
    }

    if (ngx_http_codr_parse_value(cf, &value[0], &text, &times, &n) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf->queue_timeout = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


char *
ngx_http_codr_compile_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    uint64_t    n;
    ngx_str_t  *value;

    static const ngx_http_codr_range_t  sizes = {
        NGX_HTTP_CODR_SIZE, 0, (uint64_t) 1 << 40
    };

    if (mcf->cache_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = 0;

    if (ngx_strcmp(value[1].data, "off") != 0
        && ngx_http_codr_parse_value(cf, &value[0], &value[1], &sizes, &n)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mcf->cache_size = (size_t) n;

    if (cf->args->nelts == 3) {
        if (ngx_strcmp(value[2].data, "shared") != 0) {
            return ngx_http_codr_conf_invalid(cf, 2);
        }

        mcf->cache_shared = 1;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_codr_init_text(ngx_str_t *text)
{
    if (text->data == NULL) {
        ngx_str_set(text, "");
    }
}


char *
ngx_http_codr_init_main(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    ngx_uint_t                 jobs;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_http_codr_init_text(&mcf->helper_path);
    ngx_http_codr_init_text(&mcf->user);
    ngx_http_codr_init_text(&mcf->cgroup);

    ngx_conf_init_uint_value(mcf->helper, NGX_HTTP_CODR_HELPER_AUTO);
    ngx_conf_init_uint_value(mcf->uid_base, NGX_HTTP_CODR_UID_BASE);
    ngx_conf_init_uint_value(mcf->uid_count, NGX_HTTP_CODR_UID_COUNT);
    ngx_conf_init_uint_value(mcf->max_jobs, 0);
    ngx_conf_init_uint_value(mcf->queue_length, 1000);
    ngx_conf_init_msec_value(mcf->queue_timeout, 30000);
    ngx_conf_init_msec_value(mcf->ticket_ttl, 15 * 60 * 1000);
    ngx_conf_init_size_value(mcf->cache_size, 256 * 1024 * 1024);
    ngx_conf_init_msec_value(mcf->job_ttl, 60 * 60 * 1000);
    ngx_conf_init_size_value(mcf->results, 64 * 1024 * 1024);

    if (mcf->total_memory == 0 && mcf->total_percent == 0) {
        mcf->total_percent = 70;
    }

    jobs = mcf->max_jobs + mcf->max_batch;

    if (jobs > mcf->uid_count - 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"codr_max_jobs\" allows %ui jobs, but "
                           "\"codr_uids\" has uids for %ui",
                           jobs, mcf->uid_count - 1);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    mcf->body_size_set = (clcf->client_max_body_size != NGX_CONF_UNSET);

    if (getrandom(&mcf->generation, sizeof(mcf->generation), 0)
        != sizeof(mcf->generation))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "getrandom() failed");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_codr_binds_check(cf, mcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (mcf->zone == NULL && ngx_http_codr_zone_default(cf, mcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
