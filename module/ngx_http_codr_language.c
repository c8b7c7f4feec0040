
/*
 * codr_language blocks, and the look-up of a language by a client's word for
 * it.  The blocks are read by the master; what a language really is, and
 * whether it is there, only the helper knows.
 */

#include "ngx_http_codr_conf.h"


#define NGX_HTTP_CODR_LANGUAGES  128           /* the helper takes no more */


static ngx_int_t
ngx_http_codr_language_is(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}


ngx_http_codr_language_t *
ngx_http_codr_language_find(ngx_http_codr_main_conf_t *mcf, ngx_str_t *name)
{
    ngx_str_t                  *alias;
    ngx_uint_t                  i, n;
    ngx_http_codr_language_t  **lang;

    lang = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {

        if (ngx_http_codr_language_is(&lang[i]->name, name)) {
            return lang[i];
        }

        alias = lang[i]->aliases.elts;

        for (n = 0; n < lang[i]->aliases.nelts; n++) {
            if (ngx_http_codr_language_is(&alias[n], name)) {
                return lang[i];
            }
        }
    }

    return NULL;
}


ngx_http_codr_language_t *
ngx_http_codr_language_only(ngx_http_codr_loc_conf_t *lcf)
{
    ngx_http_codr_language_t  **lang;

    if (lcf->allowed == NULL || lcf->allowed->nelts != 1) {
        return NULL;
    }

    lang = lcf->allowed->elts;

    return lang[0];
}


ngx_int_t
ngx_http_codr_language_allowed(ngx_http_codr_loc_conf_t *lcf,
    ngx_http_codr_language_t *lang)
{
    ngx_uint_t                  i;
    ngx_http_codr_language_t  **allowed;

    if (lcf->allowed == NULL) {
        return NGX_OK;
    }

    allowed = lcf->allowed->elts;

    for (i = 0; i < lcf->allowed->nelts; i++) {
        if (allowed[i] == lang) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* A name or alias, checked, in lower case. */

char *
ngx_http_codr_language_name(ngx_conf_t *cf, ngx_uint_t n, ngx_str_t *name)
{
    u_char                     *p;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_codr_main_conf_t  *mcf;

    value = cf->args->elts;
    value = &value[n];

    if (value->len == 0 || value->len > CODR_NAME_MAX) {
        return ngx_http_codr_conf_invalid(cf, n);
    }

    p = ngx_pstrdup(cf->pool, value);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        p[i] = ngx_tolower(p[i]);

        if ((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9')
            || (i && p[i] && ngx_strchr("+#._-", p[i])))
        {
            continue;
        }

        return ngx_http_codr_conf_invalid(cf, n);
    }

    name->data = p;
    name->len = value->len;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);

    if (ngx_http_codr_language_find(mcf, name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate language \"%V\"",
                           name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_http_codr_language_t *
ngx_http_codr_language_create(ngx_conf_t *cf)
{
    ngx_uint_t                 i;
    ngx_http_codr_language_t  *lang;

    static const size_t  arrays[] = {
        offsetof(ngx_http_codr_language_t, aliases),
        offsetof(ngx_http_codr_language_t, sources),
        offsetof(ngx_http_codr_language_t, version),
        offsetof(ngx_http_codr_language_t, compile),
        offsetof(ngx_http_codr_language_t, run),
        offsetof(ngx_http_codr_language_t, env),
        offsetof(ngx_http_codr_language_t, env_live),
        offsetof(ngx_http_codr_language_t, precompile),
        offsetof(ngx_http_codr_language_t, preload)
    };

    lang = ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_language_t));
    if (lang == NULL) {
        return NULL;
    }

    for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (ngx_array_init((ngx_array_t *) ((u_char *) lang + arrays[i]),
                           cf->pool, 2, sizeof(ngx_str_t))
            != NGX_OK)
        {
            return NULL;
        }
    }

    if (ngx_array_init(&lang->binds, cf->pool, 2, sizeof(ngx_http_codr_bind_t))
        != NGX_OK)
    {
        return NULL;
    }

    return lang;
}


static ngx_int_t
ngx_http_codr_language_argument(ngx_array_t *argv, const char *name)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = argv->elts;

    for (i = 0; i < argv->nelts; i++) {
        if (ngx_strcmp(value[i].data, name) == 0) {
            return 1;
        }
    }

    return 0;
}


/* What the block must have said when it ends. */

static const char *
ngx_http_codr_language_lacks(ngx_http_codr_language_t *lang)
{
    if (lang->source.len == 0) {
        return "has no \"source\"";
    }

    if (lang->run.nelts == 0) {
        return "has no \"run\"";
    }

    if (lang->compile.nelts == 0) {
        return ngx_http_codr_language_argument(&lang->run, "$program")
               ? "has \"$program\" in \"run\" but no \"compile\"" : NULL;
    }

    if (!ngx_http_codr_language_argument(&lang->compile, "$program")) {
        return "has no \"$program\" in \"compile\"";
    }

    /* nothing else crosses from the compile stage to the run stage */

    return ngx_http_codr_language_argument(&lang->run, "$program")
           ? NULL : "has \"compile\" but no \"$program\" in \"run\"";
}


/* Without "sources": whatever ends as the main file does. */

static char *
ngx_http_codr_language_default(ngx_conf_t *cf, ngx_http_codr_language_t *lang)
{
    u_char     *dot;
    size_t      len;
    ngx_str_t  *glob;

    if (lang->sources.nelts) {
        return NGX_CONF_OK;
    }

    glob = ngx_array_push(&lang->sources);
    if (glob == NULL) {
        return NGX_CONF_ERROR;
    }

    *glob = lang->source;

    dot = lang->source.data + lang->source.len;

    while (dot > lang->source.data && *dot != '.') {
        dot--;
    }

    if (dot == lang->source.data) {
        return NGX_CONF_OK;
    }

    len = lang->source.data + lang->source.len - dot;

    glob->data = ngx_pnalloc(cf->pool, len + 2);
    if (glob->data == NULL) {
        return NGX_CONF_ERROR;
    }

    glob->len = ngx_sprintf(glob->data, "*%*s%Z", len, dot) - glob->data - 1;

    return NGX_CONF_OK;
}


char *
ngx_http_codr_language_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    char                       *rv;
    ngx_conf_t                  save;
    const char                 *lacks;
    ngx_http_codr_language_t   *lang, **slot;

    if (mcf->languages.nelts >= NGX_HTTP_CODR_LANGUAGES) {
        return "is there too often";
    }

    lang = ngx_http_codr_language_create(cf);
    if (lang == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_codr_language_name(cf, 1, &lang->name);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    slot = ngx_array_push(&mcf->languages);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = lang;
    ngx_http_codr_conf_place(cf, &lang->place);

    save = *cf;
    cf->handler = ngx_http_codr_language_directive;
    cf->handler_conf = (void *) lang;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    lacks = ngx_http_codr_language_lacks(lang);

    if (lacks) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "language \"%V\" %s",
                           &lang->name, lacks);
        return NGX_CONF_ERROR;
    }

    return ngx_http_codr_language_default(cf, lang);
}
