
/*
 * Sockets to the helper, to Redis and between parts of this module, as nginx's
 * connections.
 */

#include "ngx_http_codr.h"


ngx_connection_t *
ngx_http_codr_get_connection(ngx_socket_t fd, void *data,
    ngx_event_handler_pt read, ngx_event_handler_pt write, ngx_log_t *log)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, log);

    if (c == NULL) {
        return NULL;
    }

    c->data = data;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->log_error = NGX_ERROR_INFO;
    c->read->handler = read;
    c->write->handler = write;

    return c;
}
