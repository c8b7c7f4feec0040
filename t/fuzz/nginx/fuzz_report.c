/*
 * What the broker says of itself on a worker's channel.  The first byte says
 * which: its state, its figures, or a line for the log, which must come out as
 * one line.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_helper.h"

static unsigned  lines;


static void
write_line(ngx_log_t *log, ngx_uint_t level, u_char *text, size_t len)
{
    size_t  i;

    (void) log;
    must(level >= NGX_LOG_STDERR && level <= NGX_LOG_DEBUG);
    lines++;

    for (i = 0; i + 1 < len; i++) {
        must(text[i] >= 0x20 && text[i] != 0x7f);
    }
}


static void
within(const ngx_str_t *text, const u_char *payload, size_t size)
{
    must(text->len == 0 || (text->len <= size && text->data != NULL));
    (void) payload;
}


static void
look_at_status(host_t *host, u_char *payload, size_t size)
{
    ngx_uint_t                        i;
    ngx_str_t                        *cause;
    ngx_http_codr_helper_layer_t     *layer;
    ngx_http_codr_helper_status_t    *status;
    ngx_http_codr_helper_language_t  *language;

    status = ngx_http_codr_report_status(host->pool, payload, size);
    if (status == NULL) {
        return;
    }

    must(status->state <= CODR_HELPER_UNAVAILABLE);

    for (i = 0, cause = status->causes.elts; i < status->causes.nelts; i++) {
        within(&cause[i], payload, size);
    }

    for (i = 0, layer = status->layers.elts; i < status->layers.nelts; i++) {
        within(&layer[i].name, payload, size);
    }

    language = status->languages.elts;
    for (i = 0; i < status->languages.nelts; i++) {
        within(&language[i].name, payload, size);
        within(&language[i].version, payload, size);
        within(&language[i].reason, payload, size);
        must(language[i].available == 0 || language[i].available == 1);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                                  host;
    uint8_t                                 kind = fuzz_byte(&data, &size);
    u_char                                 *payload = fuzz_copy(data, size);
    static ngx_http_codr_helper_figures_t   figures;

    host_begin(&host);
    host.log.log_level = NGX_LOG_DEBUG;
    host.log.writer = write_line;

    switch (kind % 3) {

    case 0:
        look_at_status(&host, payload, size);
        break;

    case 1:
        (void) ngx_http_codr_report_figures(&figures, payload, size);
        break;

    default:
        lines = 0;
        must((ngx_http_codr_report_log(&host.log, payload, size) == NGX_OK)
             == (lines == 1));
    }

    host_end(&host);
    free(payload);

    return 0;
}
