
/*
 * codr_status: which of its forms; and health: may this nginx run jobs, and if
 * not, why not.  It says what the helper has said last; nobody is asked and
 * nothing is started.
 */

#include "ngx_http_codr_metrics.h"

#include <jansson.h>


typedef struct {
    ngx_http_codr_main_conf_t      *mcf;
    ngx_http_codr_helper_status_t  *helper;    /* NULL: no worker's */
    ngx_uint_t                      available; /* languages */
    ngx_uint_t                      missing;   /* required layers */
    ngx_uint_t                      waived;
} ngx_http_codr_health_t;


static const char *
ngx_http_codr_layer_state(ngx_uint_t state)
{
    switch ((codr_layer_state_t) state) {

    case CODR_LAYER_OK:
        return "ok";

    case CODR_LAYER_MISSING:
        return "missing";

    case CODR_LAYER_WAIVED:
        return "waived";

    case CODR_LAYER_ABSENT:
        return "absent";
    }

    return "unknown";
}


static const char *
ngx_http_codr_helper_state(ngx_uint_t state)
{
    switch ((codr_helper_state_t) state) {

    case CODR_HELPER_UP:
        return "up";

    case CODR_HELPER_STARTING:
        return "starting";

    case CODR_HELPER_UNAVAILABLE:
        break;
    }

    return "unavailable";
}


/* Text of the helper: what is no UTF-8 is not repeated. */

static json_t *
ngx_http_codr_status_text(ngx_str_t *text)
{
    json_t  *value;

    value = json_stringn((char *) text->data, text->len);

    return value ? value : json_string("(unreadable)");
}


static json_t *
ngx_http_codr_health_layers(ngx_http_codr_health_t *health)
{
    json_t                        *object;
    ngx_uint_t                     i;
    ngx_http_codr_helper_layer_t  *layer;

    object = json_object();

    if (health->helper == NULL) {
        return object;
    }

    layer = health->helper->layers.elts;

    for (i = 0; i < health->helper->layers.nelts; i++) {
        health->missing += (layer[i].state == CODR_LAYER_MISSING);
        health->waived += (layer[i].state == CODR_LAYER_WAIVED);

        (void) json_object_set_new(object, (char *) layer[i].name.data,
                   json_string(ngx_http_codr_layer_state(layer[i].state)));
    }

    return object;
}


static ngx_flag_t
ngx_http_codr_health_available(ngx_http_codr_health_t *health, ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_http_codr_helper_language_t  *lang;

    if (health->helper == NULL) {
        return 0;
    }

    lang = health->helper->languages.elts;

    for (i = 0; i < health->helper->languages.nelts; i++) {
        if (lang[i].name.len == name->len
            && ngx_strncmp(lang[i].name.data, name->data, name->len) == 0)
        {
            return lang[i].available;
        }
    }

    return 0;
}


static json_t *
ngx_http_codr_health_languages(ngx_http_codr_health_t *health)
{
    json_t                     *object;
    ngx_flag_t                  available;
    ngx_uint_t                  i;
    ngx_http_codr_language_t  **lang;

    object = json_object();
    lang = health->mcf->languages.elts;

    for (i = 0; i < health->mcf->languages.nelts; i++) {
        available = ngx_http_codr_health_available(health, &lang[i]->name);
        health->available += available;

        (void) json_object_setn_new(object, (char *) lang[i]->name.data,
                                    lang[i]->name.len,
                                    json_boolean(available));
    }

    return object;
}


static void
ngx_http_codr_health_waived(ngx_http_codr_health_t *health, json_t *causes)
{
    ngx_uint_t                     i;
    ngx_http_codr_helper_layer_t  *layer;

    layer = health->helper->layers.elts;

    for (i = 0; i < health->helper->layers.nelts; i++) {
        if (layer[i].state == CODR_LAYER_WAIVED) {
            (void) json_array_append_new(causes,
                       json_sprintf("layer \"%s\" is missing and waived",
                                    (char *) layer[i].name.data));
        }
    }
}


static json_t *
ngx_http_codr_health_causes(ngx_http_codr_health_t *health)
{
    json_t      *array;
    ngx_str_t   *cause;
    ngx_uint_t   i, total;

    array = json_array();
    total = health->mcf->languages.nelts;

    if (health->helper == NULL) {
        (void) json_array_append_new(array,
                   json_string("this worker has no channel to the helper"));
        return array;
    }

    cause = health->helper->causes.elts;

    for (i = 0; i < health->helper->causes.nelts; i++) {
        (void) json_array_append_new(array,
                                     ngx_http_codr_status_text(&cause[i]));
    }

    ngx_http_codr_health_waived(health, array);

    if (total == 0) {
        (void) json_array_append_new(array,
                   json_string("no \"codr_language\" is configured"));

    } else if (health->helper->state == CODR_HELPER_UP
               && health->available < total)
    {
        (void) json_array_append_new(array,
                   json_sprintf("%d of %d languages are not available",
                                (int) (total - health->available),
                                (int) total));
    }

    return array;
}


static json_t *
ngx_http_codr_health(ngx_http_codr_main_conf_t *mcf, ngx_uint_t *healthy)
{
    json_t                  *layers, *languages, *causes;
    ngx_uint_t               degraded, redis;
    const char              *helper;
    ngx_http_codr_health_t   health;

    ngx_memzero(&health, sizeof(ngx_http_codr_health_t));

    health.mcf = mcf;
    health.helper = ngx_http_codr_helper_status();

    layers = ngx_http_codr_health_layers(&health);
    languages = ngx_http_codr_health_languages(&health);
    causes = ngx_http_codr_health_causes(&health);

    redis = ngx_http_codr_redis_state(mcf);

    if (redis >= 2) {
        (void) json_array_append_new(causes,
                                     json_string("Redis cannot be used"));
    }

    helper = ngx_http_codr_helper_state(health.helper ? health.helper->state
                                                   : CODR_HELPER_UNAVAILABLE);

    *healthy = health.helper && health.helper->state == CODR_HELPER_UP
               && health.missing == 0 && health.available > 0
               && redis != 3;

    degraded = !*healthy || health.waived > 0 || redis >= 2
               || health.available < mcf->languages.nelts
               || health.helper->causes.nelts > 0;

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:o}",
                     "status", *healthy ? "healthy" : "unhealthy",
                     "service", "codr",
                     "helper", helper,
                     "redis", redis == 0 ? "off" : redis == 1 ? "up" : "down",
                     "languages", languages,
                     "layers", layers,
                     "degraded", (int) degraded,
                     "causes", causes);
}


ngx_int_t
ngx_http_codr_status_handler(ngx_http_request_t *r)
{
    json_t                     *root;
    ngx_uint_t                  healthy;
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_codr_send_not_allowed(r, "GET, HEAD", "use GET");
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    if (lcf->status == NGX_HTTP_CODR_STATUS_PROMETHEUS) {
        return ngx_http_codr_prometheus(r, mcf);
    }

    healthy = 1;

    root = (lcf->status == NGX_HTTP_CODR_STATUS_JSON)
           ? ngx_http_codr_counters(mcf)
           : ngx_http_codr_health(mcf, &healthy);

    return ngx_http_codr_send_document(r,
               healthy ? NGX_HTTP_OK : NGX_HTTP_SERVICE_UNAVAILABLE, root);
}
