
/*
 * For tests: "codr_echo;" in a location of codr_exec gives each message back
 * as it came, text or binary, so that suites for WebSocket servers can be run
 * against codr's sockets.  A module of its own, loaded after codr's and never
 * installed.  Runs in workers.
 */

#include "ngx_http_codr_ws.h"


/* 4 MB in fragments of 64 bytes are 65536. */

#define NGX_HTTP_CODR_ECHO_FRAGMENTS  131072


typedef struct {
    ngx_flag_t                 enabled;
} ngx_http_codr_echo_conf_t;


static void ngx_http_codr_echo_text(ngx_http_codr_ws_t *ws,
    const u_char *data, size_t len);
static void ngx_http_codr_echo_bytes(ngx_http_codr_ws_t *ws,
    const u_char *data, size_t len);
static void ngx_http_codr_echo_abandon(ngx_http_codr_ws_t *ws);
static ngx_int_t ngx_http_codr_echo_access(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_echo_handler(ngx_http_request_t *r);
static char *ngx_http_codr_echo(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_codr_echo_create_loc_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_codr_echo_init(ngx_conf_t *cf);


static const ngx_http_codr_service_t  ngx_http_codr_echo_service = {
    ngx_http_codr_echo_text,
    ngx_http_codr_echo_bytes,
    ngx_http_codr_echo_abandon,
    NGX_HTTP_CODR_ECHO_FRAGMENTS,
    1
};


static ngx_command_t  ngx_http_codr_echo_commands[] = {

    { ngx_string("codr_echo"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_codr_echo,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_codr_echo_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_codr_echo_init,               /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_codr_echo_create_loc_conf,    /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_codr_echo_module = {
    NGX_MODULE_V1,
    &ngx_http_codr_echo_module_ctx,        /* module context */
    ngx_http_codr_echo_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void
ngx_http_codr_echo_text(ngx_http_codr_ws_t *ws, const u_char *data, size_t len)
{
    ngx_http_codr_frames_put(ws, WSLAY_TEXT_FRAME, data, len);
}


static void
ngx_http_codr_echo_bytes(ngx_http_codr_ws_t *ws, const u_char *data,
    size_t len)
{
    ngx_http_codr_frames_put(ws, WSLAY_BINARY_FRAME, data, len);
}


static void
ngx_http_codr_echo_abandon(ngx_http_codr_ws_t *ws)
{
    /* there is no job */
}


/* The content handler is codr_exec's by now: ours stands in its place. */

static ngx_int_t
ngx_http_codr_echo_access(ngx_http_request_t *r)
{
    ngx_http_codr_echo_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_codr_echo_module);

    if (conf->enabled) {
        r->content_handler = ngx_http_codr_echo_handler;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_codr_echo_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (!ngx_http_codr_upgrade_wanted(r)) {
        return ngx_http_codr_upgrade_required(r);
    }

    rc = ngx_http_codr_context(r);

    return (rc == NGX_OK)
           ? ngx_http_codr_ws_serve(r, &ngx_http_codr_echo_service) : rc;
}


static char *
ngx_http_codr_echo(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_echo_conf_t  *ecf = conf;

    ecf->enabled = 1;

    return NGX_CONF_OK;
}


static void *
ngx_http_codr_echo_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_echo_conf_t));
}


static ngx_int_t
ngx_http_codr_echo_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_codr_echo_access;

    return NGX_OK;
}
