
/*
 * What the broker reports over a channel: its status and lines for the log.
 * Runs in a worker and takes the bytes for a stranger's: nothing of them is
 * believed before it is checked, nothing in the log looks like a line of
 * nginx's own.
 */

#include "ngx_http_codr_helper.h"


static ngx_int_t
ngx_http_codr_report_text(ngx_pool_t *pool, codr_field_t *field,
    ngx_str_t *text)
{
    if (codr_field_text(field, CODR_FRAME_MAX) != 0) {
        return NGX_ERROR;
    }

    text->len = field->length;
    text->data = ngx_pnalloc(pool, field->length + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text->data, field->data, field->length);
    text->data[text->len] = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_report_layer(ngx_pool_t *pool, codr_field_t *field,
    ngx_http_codr_helper_status_t *status)
{
    codr_field_t                   name;
    ngx_http_codr_helper_layer_t  *layer;

    if (field->length < 2 || field->data[0] > CODR_LAYER_ABSENT) {
        return NGX_ERROR;
    }

    layer = ngx_array_push(&status->layers);
    if (layer == NULL) {
        return NGX_ERROR;
    }

    layer->state = field->data[0];

    name = *field;
    name.data++;
    name.length--;

    return ngx_http_codr_report_text(pool, &name, &layer->name);
}


static ngx_int_t
ngx_http_codr_report_language(ngx_pool_t *pool, codr_field_t *field,
    ngx_http_codr_helper_status_t *status)
{
    uint64_t                          n;
    ngx_http_codr_helper_language_t  *lang;

    if (field->tag == CODR_FIELD_LANGUAGE) {
        lang = ngx_array_push(&status->languages);
        if (lang == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(lang, sizeof(ngx_http_codr_helper_language_t));

        return ngx_http_codr_report_text(pool, field, &lang->name);
    }

    if (status->languages.nelts == 0) {
        return NGX_ERROR;
    }

    lang = status->languages.elts;
    lang += status->languages.nelts - 1;

    if (field->tag == CODR_FIELD_VERSION_TEXT) {
        return ngx_http_codr_report_text(pool, field, &lang->version);
    }

    if (field->tag == CODR_FIELD_REASON) {
        return ngx_http_codr_report_text(pool, field, &lang->reason);
    }

    if (codr_field_number(field, 0, 1, &n) != 0) {
        return NGX_ERROR;
    }

    lang->available = (n == 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_report_field(ngx_pool_t *pool, codr_field_t *field,
    ngx_http_codr_helper_status_t *status)
{
    uint64_t    n;
    ngx_str_t  *cause;

    switch (field->tag) {

    case CODR_FIELD_HELPER_STATE:
        if (codr_field_number(field, 0, CODR_HELPER_UNAVAILABLE, &n) != 0) {
            return NGX_ERROR;
        }

        status->state = (ngx_uint_t) n;
        return NGX_OK;

    case CODR_FIELD_CAUSE:
        cause = ngx_array_push(&status->causes);

        return cause ? ngx_http_codr_report_text(pool, field, cause)
                     : NGX_ERROR;

    case CODR_FIELD_LAYER:
        return ngx_http_codr_report_layer(pool, field, status);

    case CODR_FIELD_LANGUAGE:
    case CODR_FIELD_AVAILABLE:
    case CODR_FIELD_VERSION_TEXT:
    case CODR_FIELD_REASON:
        return ngx_http_codr_report_language(pool, field, status);
    }

    return NGX_ERROR;
}


ngx_http_codr_helper_status_t *
ngx_http_codr_report_status(ngx_pool_t *pool, u_char *payload, size_t len)
{
    int                             rc;
    codr_field_t                    field;
    codr_fields_t                   fields;
    ngx_http_codr_helper_status_t  *status;

    status = ngx_pcalloc(pool, sizeof(ngx_http_codr_helper_status_t));

    if (status == NULL
        || ngx_array_init(&status->causes, pool, 4, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&status->layers, pool, 16,
                          sizeof(ngx_http_codr_helper_layer_t))
           != NGX_OK
        || ngx_array_init(&status->languages, pool, 8,
                          sizeof(ngx_http_codr_helper_language_t))
           != NGX_OK)
    {
        return NULL;
    }

    status->state = CODR_HELPER_UNAVAILABLE;

    codr_fields_init(&fields, payload, len);

    for ( ;; ) {
        rc = codr_fields_next(&fields, &field);

        if (rc == 0) {
            return status;
        }

        if (rc < 0
            || ngx_http_codr_report_field(pool, &field, status) != NGX_OK)
        {
            return NULL;
        }
    }
}


static ngx_int_t
ngx_http_codr_report_warm(ngx_http_codr_helper_figures_t *figures,
    codr_field_t *field)
{
    ngx_http_codr_helper_warm_t  *warm;

    if (field->tag == CODR_FIELD_LANGUAGE) {

        if (figures->languages == NGX_HTTP_CODR_WARM_LANGUAGES
            || codr_field_text(field, CODR_NAME_MAX) != 0)
        {
            return NGX_ERROR;
        }

        warm = &figures->warm[figures->languages++];
        warm->n = 0;
        warm->len = field->length;
        ngx_memcpy(warm->name, field->data, field->length);

        return NGX_OK;
    }

    if (field->tag != CODR_FIELD_WARM || figures->languages == 0) {
        return NGX_ERROR;
    }

    warm = &figures->warm[figures->languages - 1];

    return codr_field_number(field, 0, UINT32_MAX, &warm->n) == 0
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_codr_report_figures(ngx_http_codr_helper_figures_t *figures,
    u_char *payload, size_t len)
{
    int            rc;
    uint32_t       id;
    uint64_t       value;
    codr_field_t   field;
    codr_fields_t  fields;

    ngx_memzero(figures->value, sizeof(figures->value));
    figures->languages = 0;

    codr_fields_init(&fields, payload, len);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {

        if (field.tag != CODR_FIELD_FIGURE) {
            if (ngx_http_codr_report_warm(figures, &field) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (codr_field_figure(&field, &id, &value) != 0) {
            return NGX_ERROR;
        }

        figures->value[id] = value;
    }

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_codr_report_log(ngx_log_t *log, u_char *payload, size_t len)
{
    size_t         n;
    u_char         line[NGX_MAX_ERROR_STR];
    uint64_t       level;
    codr_field_t   field, message;
    codr_fields_t  fields;

    static const ngx_uint_t  levels[CODR_LEVEL_COUNT] = {
        [CODR_LEVEL_DEBUG] = NGX_LOG_DEBUG,
        [CODR_LEVEL_INFO] = NGX_LOG_INFO,
        [CODR_LEVEL_WARNING] = NGX_LOG_WARN,
        [CODR_LEVEL_ERROR] = NGX_LOG_ERR,
        [CODR_LEVEL_FATAL] = NGX_LOG_CRIT,
        [CODR_LEVEL_PANIC] = NGX_LOG_CRIT
    };

    codr_fields_init(&fields, payload, len);

    if (codr_fields_next(&fields, &field) != 1
        || field.tag != CODR_FIELD_LEVEL
        || codr_field_number(&field, 0, CODR_LEVEL_PANIC, &level) != 0
        || codr_fields_next(&fields, &message) != 1
        || message.tag != CODR_FIELD_MESSAGE)
    {
        return NGX_ERROR;
    }

    /* nothing that would look like a line of its own */

    len = ngx_min(message.length, sizeof(line));

    for (n = 0; n < len; n++) {
        line[n] = (message.data[n] < 0x20 || message.data[n] == 0x7f)
                  ? ' ' : message.data[n];
    }

    ngx_log_error(levels[level], log, 0, "codr: %*s", len, line);

    return NGX_OK;
}
