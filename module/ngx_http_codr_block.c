
/*
 * The directives inside a codr_language block.  What they say goes to the
 * helper as it stands: what it would not take is refused here, where a line
 * can be named.
 */

#include "ngx_http_codr_conf.h"


#define NGX_HTTP_CODR_ARGUMENT_MAX  4096       /* bytes, of the helper */
#define NGX_HTTP_CODR_POLICY_PATH   1000       /* it takes a few more */
#define NGX_HTTP_CODR_WARM_MAX      64         /* of the helper, too */


/*
 * name     of the directive in the block
 * max      most arguments; one is the least
 * set      takes the directive in cf
 * offset   of the array it fills
 */

typedef struct ngx_http_codr_language_command_s
    ngx_http_codr_language_command_t;

struct ngx_http_codr_language_command_s {
    const char                *name;
    ngx_uint_t                 max;
    char                    *(*set)(ngx_conf_t *cf,
                                    ngx_http_codr_language_t *lang,
                                    const ngx_http_codr_language_command_t *c);
    size_t                     offset;
};


static char *ngx_http_codr_language_source(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_sources(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_alias(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_argv(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_env(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_bind(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_warm(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_shortcut(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_precompile(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_policy(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_grammar(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_zygote(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);
static char *ngx_http_codr_language_preload(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c);


static const ngx_http_codr_language_command_t
    ngx_http_codr_language_commands[] =
{
    { "source", 1, ngx_http_codr_language_source, 0 },

    { "sources", 64, ngx_http_codr_language_sources,
      offsetof(ngx_http_codr_language_t, sources) },

    { "alias", 64, ngx_http_codr_language_alias, 0 },

    { "version", 64, ngx_http_codr_language_argv,
      offsetof(ngx_http_codr_language_t, version) },

    { "compile", 256, ngx_http_codr_language_argv,
      offsetof(ngx_http_codr_language_t, compile) },

    { "run", 256, ngx_http_codr_language_argv,
      offsetof(ngx_http_codr_language_t, run) },

    { "env", 1, ngx_http_codr_language_env,
      offsetof(ngx_http_codr_language_t, env) },

    { "env_live", 1, ngx_http_codr_language_env,
      offsetof(ngx_http_codr_language_t, env_live) },

    { "shortcut", 1, ngx_http_codr_language_shortcut, 0 },

    { "precompile", 32, ngx_http_codr_language_precompile, 0 },

    { "bind", 2, ngx_http_codr_language_bind, 0 },

    { "policy", 1, ngx_http_codr_language_policy, 0 },

    { "grammar", 1, ngx_http_codr_language_grammar, 0 },

    { "warm", 1, ngx_http_codr_language_warm, 0 },

    { "zygote", 1, ngx_http_codr_language_zygote, 0 },

    { "preload", 64, ngx_http_codr_language_preload, 0 },

    { NULL, 0, NULL, 0 }
};


static char *
ngx_http_codr_language_command(ngx_conf_t *cf, ngx_http_codr_language_t *lang)
{
    ngx_str_t                               *value;
    ngx_uint_t                               i;
    const ngx_http_codr_language_command_t  *c;

    value = cf->args->elts;

    for (c = ngx_http_codr_language_commands; c->name; c++) {
        if (ngx_strcmp(value[0].data, c->name) == 0) {
            break;
        }
    }

    if (cf->args->nelts < 2 || (c->name && cf->args->nelts > c->max + 1)) {
        return "has an invalid number of arguments";
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len > NGX_HTTP_CODR_ARGUMENT_MAX
            || ngx_strlen(value[i].data) != value[i].len)
        {
            return ngx_http_codr_conf_invalid(cf, i);
        }
    }

    if (c->name) {
        return c->set(cf, lang, c);
    }

    return ngx_http_codr_limit_set(cf, &value[0], &lang->limits,
                                   &lang->output_drop);
}


char *
ngx_http_codr_language_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    char       *rv;
    ngx_str_t  *value;

    rv = ngx_http_codr_language_command(cf, conf);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" directive in \"codr_language\" %s",
                       &value[0], rv);
    return NGX_CONF_ERROR;
}


static char *
ngx_http_codr_language_source(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_str_t  *value;

    if (lang->source.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!codr_file_name_valid((char *) value[1].data, value[1].len)
        || ngx_strchr(value[1].data, '/'))
    {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    lang->source = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_push(ngx_array_t *array, ngx_str_t *value)
{
    ngx_str_t  *element;

    element = ngx_array_push(array);
    if (element == NULL) {
        return NGX_CONF_ERROR;
    }

    *element = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_sources(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lang->sources.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (p = value[i].data; *p; p++) {
            if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
                  || (*p >= '0' && *p <= '9') || ngx_strchr("._-/*?[]!", *p)))
            {
                return ngx_http_codr_conf_invalid(cf, i);
            }
        }

        if (value[i].len == 0) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        if (ngx_http_codr_language_push(&lang->sources, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_alias(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_str_t    name;
    ngx_uint_t   i;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_codr_language_name(cf, i, &name) != NGX_CONF_OK
            || ngx_http_codr_language_push(&lang->aliases, &name)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* The words that stand for something are arguments of their own: a program
   never sees one that looks replaced but is not. */

static ngx_int_t
ngx_http_codr_language_word(ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "$source") == 0
        || ngx_strcmp(value->data, "$sources") == 0
        || ngx_strcmp(value->data, "$program") == 0)
    {
        return NGX_OK;
    }

    return (ngx_strstr(value->data, "$source")
            || ngx_strstr(value->data, "$program")) ? NGX_ERROR : NGX_OK;
}


static char *
ngx_http_codr_language_argv(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_str_t    *value;
    ngx_uint_t    i;
    ngx_array_t  *argv;

    argv = (ngx_array_t *) ((u_char *) lang + c->offset);

    if (argv->nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_codr_language_word(&value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" in \"%V\": what stands for a file must "
                               "be an argument of its own",
                               &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_codr_language_push(argv, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_env(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    u_char       *p;
    size_t        len;
    ngx_str_t    *value, *var;
    ngx_uint_t    i;
    ngx_array_t  *env;

    value = cf->args->elts;

    for (p = value[1].data; *p != '='; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || *p == '_'
              || (p > value[1].data && *p >= '0' && *p <= '9')))
        {
            return ngx_http_codr_conf_invalid(cf, 1);
        }
    }

    len = p + 1 - value[1].data;

    if (len == 1) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    env = (ngx_array_t *) ((u_char *) lang + c->offset);
    var = env->elts;

    for (i = 0; i < env->nelts; i++) {
        if (ngx_strncmp(var[i].data, value[1].data, len) == 0) {
            return "is duplicate";
        }
    }

    return ngx_http_codr_language_push(env, &value[1]);
}


static char *
ngx_http_codr_language_bind(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    return ngx_http_codr_bind_set(cf, &lang->binds);
}


static char *
ngx_http_codr_language_warm(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    if (lang->warm_set) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);
    if (n == NGX_ERROR || n > NGX_HTTP_CODR_WARM_MAX) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    lang->warm = n;
    lang->warm_set = 1;

    return NGX_CONF_OK;
}


/* One text, in which nothing separates. */

static char *
ngx_http_codr_language_text(ngx_conf_t *cf, ngx_str_t *text, size_t max)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (text->data) {
        return "is duplicate";
    }

    if (value[1].len == 0 || value[1].len > max
        || strpbrk((char *) value[1].data, ":="))
    {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    *text = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_policy(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_http_codr_conf_place(cf, &lang->place);

    return ngx_http_codr_language_text(cf, &lang->policy,
                                       NGX_HTTP_CODR_POLICY_PATH);
}


static char *
ngx_http_codr_language_grammar(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_http_codr_conf_place(cf, &lang->place);

    return ngx_http_codr_language_text(cf, &lang->grammar, CODR_NAME_MAX);
}


static char *
ngx_http_codr_language_shortcut(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "gcc") == 0) {
        lang->shortcut = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        lang->shortcut = 0;
        return NGX_CONF_OK;
    }

    return ngx_http_codr_conf_invalid(cf, 1);
}


/* A set of headers: their names with a blank between them. */

static char *
ngx_http_codr_language_precompile(ngx_conf_t *cf,
    ngx_http_codr_language_t *lang, const ngx_http_codr_language_command_t *c)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *value, *set;
    ngx_uint_t   i;

    value = cf->args->elts;
    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len == 0 || strpbrk((char *) value[i].data, " <>\n")) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        len += value[i].len + 1;
    }

    if (len > 1024) {
        return "has too many headers";
    }

    set = ngx_array_push(&lang->precompile);
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    set->data = ngx_pnalloc(cf->pool, len);
    if (set->data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = set->data;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ' ';
    }

    set->len = len - 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_zygote(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    ngx_int_t                   kind;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_codr_main_conf_t  *mcf;
    ngx_http_codr_language_t  **other;

    if (lang->zygote_set) {
        return "is duplicate";
    }

    lang->zygote_set = 1;
    value = cf->args->elts;

    kind = codr_interpreter_kind((char *) value[1].data);

    if (kind < 0) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    if (kind == CODR_INTERPRETER_NONE) {
        return NGX_CONF_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);
    other = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {
        if (other[i] != lang && other[i]->zygote == (ngx_uint_t) kind) {
            return "is one language's already";
        }
    }

    lang->zygote = kind;

    return NGX_CONF_OK;
}


static char *
ngx_http_codr_language_preload(ngx_conf_t *cf, ngx_http_codr_language_t *lang,
    const ngx_http_codr_language_command_t *c)
{
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0 || value[i].len > CODR_NAME_MAX) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        for (p = value[i].data; *p; p++) {
            if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
                  || (*p >= '0' && *p <= '9') || *p == '_' || *p == '.'))
            {
                return ngx_http_codr_conf_invalid(cf, i);
            }
        }

        if (ngx_http_codr_language_push(&lang->preload, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
