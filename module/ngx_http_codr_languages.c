
/*
 * codr_languages: what a client may ask for, with the caps that are in force
 * in this location.  What the configuration says and what the helper has
 * found out about it, merged.
 */

#include "ngx_http_codr.h"

#include <jansson.h>


static json_t *
ngx_http_codr_languages_text(ngx_str_t *text)
{
    json_t  *value;

    value = json_stringn((char *) text->data, text->len);

    return value ? value : json_string("");
}


static json_t *
ngx_http_codr_languages_aliases(ngx_http_codr_language_t *lang)
{
    json_t      *array;
    ngx_str_t   *alias;
    ngx_uint_t   i;

    array = json_array();
    alias = lang->aliases.elts;

    for (i = 0; i < lang->aliases.nelts; i++) {
        (void) json_array_append_new(array,
                                     ngx_http_codr_languages_text(&alias[i]));
    }

    return array;
}


/* "py" of "*.py": what an editor wants to know. */

static json_t *
ngx_http_codr_languages_extensions(ngx_http_codr_language_t *lang)
{
    json_t      *array;
    ngx_str_t   *glob;
    ngx_uint_t   i;

    array = json_array();
    glob = lang->sources.elts;

    for (i = 0; i < lang->sources.nelts; i++) {

        if (glob[i].len < 3 || glob[i].data[0] != '*' || glob[i].data[1] != '.'
            || strpbrk((char *) glob[i].data + 2, "*?[/"))
        {
            continue;
        }

        (void) json_array_append_new(array,
                   json_stringn((char *) glob[i].data + 2, glob[i].len - 2));
    }

    return array;
}


/* As the "limits" of a client's message: times in seconds. */

static json_t *
ngx_http_codr_languages_limits(ngx_http_codr_loc_conf_t *lcf,
    ngx_http_codr_language_t *lang)
{
    json_t                   *object, *value;
    ngx_uint_t                id;
    codr_limits_t             caps;
    const codr_limit_info_t  *info;

    object = json_object();
    codr_limits_combine(&caps, &lcf->limits, &lang->limits);

    for (id = 0; id < CODR_LIMIT_COUNT; id++) {
        info = codr_limit_info(id);

        if (info->client == NULL) {
            continue;
        }

        value = info->is_time && caps.value[id] % 1000
                ? json_real((double) caps.value[id] / 1000)
                : json_integer((json_int_t) (info->is_time
                                             ? caps.value[id] / 1000
                                             : caps.value[id]));

        (void) json_object_set_new(object, info->client, value);
    }

    return object;
}


static ngx_http_codr_helper_language_t *
ngx_http_codr_languages_found(ngx_http_codr_helper_status_t *helper,
    ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_http_codr_helper_language_t  *found;

    if (helper == NULL) {
        return NULL;
    }

    found = helper->languages.elts;

    for (i = 0; i < helper->languages.nelts; i++) {
        if (found[i].name.len == name->len
            && ngx_strncmp(found[i].name.data, name->data, name->len) == 0)
        {
            return &found[i];
        }
    }

    return NULL;
}


static void
ngx_http_codr_languages_state(json_t *object,
    ngx_http_codr_helper_status_t *helper, ngx_str_t *name)
{
    json_t                           *reason;
    ngx_str_t                        *cause;
    ngx_flag_t                        available;
    ngx_http_codr_helper_language_t  *found;

    found = ngx_http_codr_languages_found(helper, name);
    available = found && found->available && helper->state == CODR_HELPER_UP;

    (void) json_object_set_new(object, "version",
               (found && found->version.len)
               ? ngx_http_codr_languages_text(&found->version) : json_null());
    (void) json_object_set_new(object, "available", json_boolean(available));

    if (available) {
        return;
    }

    if (found && found->reason.len) {
        reason = ngx_http_codr_languages_text(&found->reason);

    } else if (helper && helper->causes.nelts) {
        cause = helper->causes.elts;
        reason = ngx_http_codr_languages_text(cause);

    } else {
        reason = json_string("the helper has not said anything about it");
    }

    (void) json_object_set_new(object, "reason", reason);
}


static json_t *
ngx_http_codr_languages_one(ngx_http_codr_loc_conf_t *lcf,
    ngx_http_codr_helper_status_t *helper, ngx_http_codr_language_t *lang)
{
    json_t  *object;

    object = json_object();

    (void) json_object_set_new(object, "name",
                               ngx_http_codr_languages_text(&lang->name));
    (void) json_object_set_new(object, "aliases",
                               ngx_http_codr_languages_aliases(lang));
    (void) json_object_set_new(object, "source",
                               ngx_http_codr_languages_text(&lang->source));
    (void) json_object_set_new(object, "extensions",
                               ngx_http_codr_languages_extensions(lang));
    (void) json_object_set_new(object, "compiled",
                               json_boolean(lang->compile.nelts > 0));

    ngx_http_codr_languages_state(object, helper, &lang->name);

    (void) json_object_set_new(object, "limits",
                               ngx_http_codr_languages_limits(lcf, lang));

    return object;
}


static json_t *
ngx_http_codr_languages(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_loc_conf_t *lcf)
{
    json_t                         *array;
    ngx_uint_t                      i;
    ngx_http_codr_language_t      **lang;
    ngx_http_codr_helper_status_t  *helper;

    array = json_array();
    lang = mcf->languages.elts;
    helper = ngx_http_codr_helper_status();

    for (i = 0; i < mcf->languages.nelts; i++) {
        (void) json_array_append_new(array,
                   ngx_http_codr_languages_one(lcf, helper, lang[i]));
    }

    return json_pack("{s:s, s:[s,s], s:o}", "version", CODR_VERSION,
                     "protocols", "codr.v1", "codr.v1.bin", "languages",
                     array);
}


ngx_int_t
ngx_http_codr_languages_handler(ngx_http_request_t *r)
{
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_codr_preflight(r, "GET, HEAD, OPTIONS");
    }

    if (ngx_http_codr_origin_check(r) != NGX_OK) {
        return ngx_http_codr_send_error(r, NGX_HTTP_FORBIDDEN, "unauthorized",
                                        "this origin is not allowed");
    }

    if (ngx_http_codr_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_codr_send_not_allowed(r, "GET, HEAD, OPTIONS",
                                              "use GET");
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    return ngx_http_codr_send_document(r, NGX_HTTP_OK,
                                       ngx_http_codr_languages(mcf, lcf));
}
