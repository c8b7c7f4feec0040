/*
 * The inside of a codr_language block, read by nginx's own parser.  What the
 * module takes is encoded for the helper, which must take it, too.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_conf.h"
#include "../../../sandbox/codr_config.h"

#include <sys/mman.h>

#define BUFFER_SIZE  4096               /* as nginx's */


static void
begin_conf(host_t *host, ngx_conf_t *cf, ngx_conf_file_t *file,
    ngx_buf_t *buffer, int fd)
{
    static ngx_str_t   words[] = { ngx_string("codr_language"),
                                   ngx_string("x") };
    static ngx_cycle_t cycle;

    memset(cf, 0, sizeof(*cf));
    memset(file, 0, sizeof(*file));
    memset(buffer, 0, sizeof(*buffer));

    cf->pool = host->pool;
    cf->temp_pool = host->pool;
    cf->log = &host->log;
    cf->cycle = &cycle;
    cycle.log = &host->log;
    cycle.pool = host->pool;
    ngx_str_set(&cycle.prefix, "/");
    ngx_str_set(&cycle.conf_prefix, "/");
    cf->ctx = &host->request.main_conf;         /* main_conf is its first */
    cf->conf_file = file;

    cf->args = ngx_array_create(host->pool, 10, sizeof(ngx_str_t));
    must(cf->args != NULL);
    memcpy(ngx_array_push_n(cf->args, 2), words, sizeof(words));

    file->file.fd = fd;
    file->file.log = &host->log;
    ngx_str_set(&file->file.name, "fuzz");
    must(ngx_fd_info(fd, &file->file.info) != NGX_FILE_ERROR);
    file->buffer = buffer;
    file->line = 1;
    buffer->start = ngx_palloc(host->pool, BUFFER_SIZE);
    must(buffer->start != NULL);
    buffer->pos = buffer->last = buffer->start;
    buffer->end = buffer->start + BUFFER_SIZE;
    buffer->temporary = 1;
}


static void
check_image(host_t *host)
{
    int             fd;
    codr_config_t  *config = NULL;

    fd = ngx_http_codr_image(&host->mcf, &host->log);
    must(fd >= 0);
    must(codr_config_read(&config, fd, 1) == 0);
    must(config->languages == 1);
    must(strcmp(config->language[0].name, "x") == 0);
    codr_config_unref(config);
    (void) close(fd);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               fd = memfd_create("fuzz", MFD_CLOEXEC);
    host_t            host;
    ngx_buf_t         buffer;
    ngx_conf_t        cf;
    ngx_conf_file_t   file;

    must(fd >= 0 && write(fd, data, size) == (ssize_t) size
         && write(fd, "\n}", 2) == 2);

    host_begin(&host);
    must(ngx_array_init(&host.mcf.binds, host.pool, 1,
                        sizeof(ngx_http_codr_bind_t)) == NGX_OK
         && ngx_array_init(&host.mcf.allow_missing, host.pool, 1,
                           sizeof(ngx_str_t)) == NGX_OK
         && ngx_array_init(&host.mcf.locations, host.pool, 1, sizeof(void *))
            == NGX_OK);
    host.mcf.queue_length = 10;
    host.mcf.queue_timeout = 1000;
    begin_conf(&host, &cf, &file, &buffer, fd);

    if (ngx_http_codr_language_block(&cf, NULL, &host.mcf) == NGX_CONF_OK) {
        check_image(&host);
    }

    host_end(&host);
    (void) close(fd);

    return 0;
}
