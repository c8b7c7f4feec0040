
/*
 * Values of directives: sizes, times and numbers within their bounds, and the
 * limits of a location or a language, which one table describes.  Runs while
 * the configuration is read, never for a request.
 */

#include "ngx_http_codr_conf.h"


/*
 * name    of the directive, without "codr_"
 * id      the limit that the first argument sets
 * option  further limits, set by "name=" arguments
 *
 * The bounds are those of codr_limit_info().
 */

typedef struct {
    const char                *name;
    codr_limit_id_t            id;
    ngx_http_codr_kind_e       kind;
} ngx_http_codr_limit_part_t;


typedef struct {
    ngx_http_codr_limit_part_t  first;
    ngx_http_codr_limit_part_t  option[2];
} ngx_http_codr_limit_row_t;


static const ngx_http_codr_limit_row_t  ngx_http_codr_limit_table[] = {

    { { "timeout", CODR_LIMIT_WALL_MS, NGX_HTTP_CODR_TIME },
      { { "input", CODR_LIMIT_INPUT_MS, NGX_HTTP_CODR_TIME },
        { "max", CODR_LIMIT_MAX_MS, NGX_HTTP_CODR_TIME } } },

    { { "cpu_time", CODR_LIMIT_CPU_MS, NGX_HTTP_CODR_TIME }, { { 0 } } },

    { { "compile_timeout", CODR_LIMIT_COMPILE_MS, NGX_HTTP_CODR_TIME },
      { { 0 } } },

    { { "compile_memory", CODR_LIMIT_COMPILE_MEMORY, NGX_HTTP_CODR_SIZE },
      { { 0 } } },

    { { "memory", CODR_LIMIT_MEMORY, NGX_HTTP_CODR_SIZE }, { { 0 } } },

    { { "stack", CODR_LIMIT_STACK, NGX_HTTP_CODR_SIZE }, { { 0 } } },

    { { "processes", CODR_LIMIT_PROCESSES, NGX_HTTP_CODR_NUMBER },
      { { 0 } } },

    { { "open_files", CODR_LIMIT_OPEN_FILES, NGX_HTTP_CODR_NUMBER },
      { { 0 } } },

    { { "disk", CODR_LIMIT_DISK, NGX_HTTP_CODR_SIZE },
      { { "inodes", CODR_LIMIT_INODES, NGX_HTTP_CODR_NUMBER } } },

    { { "output", CODR_LIMIT_OUTPUT, NGX_HTTP_CODR_SIZE }, { { 0 } } },

    { { "code_size", CODR_LIMIT_CODE, NGX_HTTP_CODR_SIZE }, { { 0 } } },

    { { "files", CODR_LIMIT_FILES, NGX_HTTP_CODR_SIZE },
      { { "count", CODR_LIMIT_FILE_COUNT, NGX_HTTP_CODR_NUMBER } } },

    { { "input", CODR_LIMIT_STDIN, NGX_HTTP_CODR_SIZE }, { { 0 } } },

    { { "ast_nodes", CODR_LIMIT_AST_NODES, NGX_HTTP_CODR_NUMBER },
      { { 0 } } }
};


#define NGX_HTTP_CODR_LIMIT_ROWS                                              \
    (sizeof(ngx_http_codr_limit_table) / sizeof(ngx_http_codr_limit_row_t))


static u_char *
ngx_http_codr_print_value(u_char *p, ngx_http_codr_kind_e kind, uint64_t value)
{
    ngx_uint_t  i;

    static const struct {
        uint64_t     factor;
        const char  *unit;
    } units[2][4] = {
        { { 1024 * 1024 * 1024, "g" }, { 1024 * 1024, "m" }, { 1024, "k" },
          { 1, "" } },
        { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } }
    };

    if (kind == NGX_HTTP_CODR_NUMBER) {
        return ngx_sprintf(p, "%uL", value);
    }

    for (i = 0; i < 3; i++) {
        if (value && value % units[kind][i].factor == 0) {
            break;
        }
    }

    return ngx_sprintf(p, "%uL%s", value / units[kind][i].factor,
                       units[kind][i].unit);
}


ngx_int_t
ngx_http_codr_parse_value(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *value, const ngx_http_codr_range_t *range, uint64_t *ret)
{
    off_t       n;
    u_char     *p, *last;
    u_char      min[NGX_INT64_LEN + 3], max[NGX_INT64_LEN + 3];
    ngx_str_t   text;

    text = *value;                  /* the parsers move what they are given */
    n = NGX_ERROR;

    switch (range->kind) {

    case NGX_HTTP_CODR_SIZE:
        n = ngx_parse_offset(&text);
        break;

    case NGX_HTTP_CODR_TIME:
        n = ngx_parse_time(&text, 0);
        break;

    case NGX_HTTP_CODR_NUMBER:
        n = ngx_atoof(text.data, text.len);
        break;
    }

    if (n >= 0 && (uint64_t) n >= range->min && (uint64_t) n <= range->max) {
        *ret = (uint64_t) n;
        return NGX_OK;
    }

    p = ngx_http_codr_print_value(min, range->kind, range->min);
    last = ngx_http_codr_print_value(max, range->kind, range->max);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\", it must be from "
                       "%*s to %*s", value, directive,
                       p - min, min, last - max, max);
    return NGX_ERROR;
}


ngx_int_t
ngx_http_codr_option(ngx_str_t *value, const char *name, ngx_str_t *ret)
{
    size_t  len;

    len = ngx_strlen(name);

    if (value->len <= len || ngx_strncmp(value->data, name, len) != 0
        || value->data[len] != '=')
    {
        return NGX_DECLINED;
    }

    ret->data = value->data + len + 1;
    ret->len = value->len - len - 1;

    return NGX_OK;
}


char *
ngx_http_codr_conf_invalid(ngx_conf_t *cf, ngx_uint_t i)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\"", &value[i], &value[0]);
    return NGX_CONF_ERROR;
}


void
ngx_http_codr_conf_place(ngx_conf_t *cf, ngx_http_codr_place_t *ret)
{
    ret->file = cf->conf_file->file.name.data;
    ret->line = cf->conf_file->line;
}


char *
ngx_http_codr_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t  name;

    name.data = cmd->name.data + sizeof("codr_") - 1;
    name.len = cmd->name.len - (sizeof("codr_") - 1);

    return ngx_http_codr_limit_set(cf, &name, &lcf->limits,
                                   &lcf->output_drop);
}


/* A time: cmd->post is its range. */

char *
ngx_http_codr_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    uint64_t     n;
    ngx_str_t   *value;
    ngx_msec_t  *msec;

    msec = (ngx_msec_t *) (p + cmd->offset);

    if (*msec != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_codr_parse_value(cf, &value[0], &value[1], cmd->post, &n)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *msec = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


/* The same for a size. */

char *
ngx_http_codr_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t     *size;
    uint64_t    n;
    ngx_str_t  *value;

    size = (size_t *) (p + cmd->offset);

    if (*size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_codr_parse_value(cf, &value[0], &value[1], cmd->post, &n)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *size = (size_t) n;

    return NGX_CONF_OK;
}


static const ngx_http_codr_limit_row_t *
ngx_http_codr_limit_find(ngx_str_t *name)
{
    ngx_uint_t   i;
    const char  *row;

    for (i = 0; i < NGX_HTTP_CODR_LIMIT_ROWS; i++) {
        row = ngx_http_codr_limit_table[i].first.name;

        if (ngx_strlen(row) == name->len
            && ngx_strncmp(row, name->data, name->len) == 0)
        {
            return &ngx_http_codr_limit_table[i];
        }
    }

    return NULL;
}


static char *
ngx_http_codr_limit_part(ngx_conf_t *cf, const ngx_http_codr_limit_part_t *part,
    ngx_str_t *value, codr_limits_t *limits)
{
    ngx_str_t              *directive;
    ngx_http_codr_range_t   range;

    if (limits->value[part->id]) {
        return "is duplicate";
    }

    directive = cf->args->elts;

    range.kind = part->kind;
    range.min = 1;
    range.max = codr_limit_info(part->id)->maximum;

    return ngx_http_codr_parse_value(cf, directive, value, &range,
                                     &limits->value[part->id])
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_codr_limit_option(ngx_conf_t *cf, ngx_uint_t n,
    const ngx_http_codr_limit_row_t *row, codr_limits_t *limits)
{
    ngx_str_t   *value, text;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 0; i < 2 && row->option[i].name; i++) {
        if (ngx_http_codr_option(&value[n], row->option[i].name, &text)
            == NGX_OK)
        {
            return ngx_http_codr_limit_part(cf, &row->option[i], &text, limits);
        }
    }

    return ngx_http_codr_conf_invalid(cf, n);
}


static char *
ngx_http_codr_limit_times(ngx_conf_t *cf, codr_limits_t *limits)
{
    uint64_t    *time;
    ngx_str_t   *value;
    const char  *longer;

    time = limits->value;

    if (time[CODR_LIMIT_MAX_MS] == 0) {
        return NGX_CONF_OK;
    }

    if (time[CODR_LIMIT_MAX_MS] < time[CODR_LIMIT_INPUT_MS]) {
        longer = "\"input\"";

    } else if (time[CODR_LIMIT_MAX_MS] < time[CODR_LIMIT_WALL_MS]) {
        longer = "the time before it";

    } else {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"max\" must not be less than %s in \"%V\"", longer,
                       &value[0]);
    return NGX_CONF_ERROR;
}


char *
ngx_http_codr_limit_set(ngx_conf_t *cf, ngx_str_t *name,
    codr_limits_t *limits, ngx_flag_t *drop)
{
    char                             *rv;
    ngx_str_t                        *value;
    ngx_uint_t                        i, seen;
    const ngx_http_codr_limit_row_t  *row;

    row = ngx_http_codr_limit_find(name);
    if (row == NULL) {
        return NGX_HTTP_CODR_CONF_UNKNOWN;
    }

    value = cf->args->elts;
    seen = 0;

    rv = ngx_http_codr_limit_part(cf, &row->first, &value[1], limits);

    for (i = 2; i < cf->args->nelts && rv == NGX_CONF_OK; i++) {

        if (row->first.id == CODR_LIMIT_OUTPUT && !seen
            && (ngx_strcmp(value[i].data, "end") == 0
                || ngx_strcmp(value[i].data, "drop") == 0))
        {
            seen = 1;
            *drop = (value[i].data[0] == 'd');
            continue;
        }

        rv = ngx_http_codr_limit_option(cf, i, row, limits);
    }

    if (rv == NGX_CONF_OK && row->first.id == CODR_LIMIT_WALL_MS) {
        return ngx_http_codr_limit_times(cf, limits);
    }

    return rv;
}


/* A directive of an inner level replaces the whole one of the outer. */

void
ngx_http_codr_limit_merge(ngx_http_codr_loc_conf_t *prev,
    ngx_http_codr_loc_conf_t *conf)
{
    codr_limit_id_t                   id;
    ngx_uint_t                        i, n;
    const ngx_http_codr_limit_row_t  *row;

    for (i = 0; i < NGX_HTTP_CODR_LIMIT_ROWS; i++) {
        row = &ngx_http_codr_limit_table[i];
        id = row->first.id;

        if (conf->limits.value[id]) {
            continue;
        }

        conf->limits.value[id] = prev->limits.value[id];

        if (id == CODR_LIMIT_OUTPUT) {
            conf->output_drop = prev->output_drop;
        }

        for (n = 0; n < 2 && row->option[n].name; n++) {
            id = row->option[n].id;
            conf->limits.value[id] = prev->limits.value[id];
        }
    }
}
