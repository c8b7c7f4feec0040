
/*
 * Files with secrets, read by the master while the configuration is: one that
 * others could read is refused.  What is in it never gets into a message.
 */

#include "ngx_http_codr_conf.h"


static ngx_int_t
ngx_http_codr_secret_check(ngx_conf_t *cf, ngx_str_t *file, ngx_fd_t fd,
    const char *what, size_t max, size_t *size)
{
    const char       *text;
    ngx_file_info_t   fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    text = NULL;

    if (!ngx_is_file(&fi)) {
        text = "is not a regular file";

    } else if (ngx_file_access(&fi) & 0007) {
        text = "is accessible to others, it must not be";

    } else if (ngx_file_size(&fi) > (off_t) max) {
        text = "is too large";
    }

    if (text) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\" %s", what, file,
                           text);
        return NGX_ERROR;
    }

    *size = (size_t) ngx_file_size(&fi);

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_secret(ngx_conf_t *cf, ngx_pool_t *pool, ngx_str_t *file,
    const char *what, size_t max, ngx_str_t *text)
{
    size_t     size;
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_int_t  rc;

    /* what is not a regular file must not make us wait */

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_http_codr_secret_check(cf, file, fd, what, max, &size) != NGX_OK) {
        goto done;
    }

    text->data = ngx_pnalloc(pool, size + 1);
    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, text->data, size);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", file);
        goto done;
    }

    text->len = n;
    rc = NGX_OK;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    return rc;
}
