/*
 * A module for "nginx -t": the directive "codr_replay DIRECTORY" gives a
 * target what is there.  So targets meet the very nginx that codr's module
 * runs in, and nothing of it has to be made up.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "../replay.h"


static char *
replay_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value = cf->args->elts;

    (void) cmd;
    (void) conf;

    return replay((char *) value[1].data) > 0 ? NGX_CONF_OK : "has no files";
}


static ngx_command_t  replay_commands[] = {

    { ngx_string("codr_replay"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      replay_directive,
      0,
      0,
      NULL },

      ngx_null_command
};


extern ngx_module_t  replay_module;
extern ngx_module_t *ngx_modules[];
extern char         *ngx_module_names[];
extern char         *ngx_module_order[];

ngx_module_t  replay_module = {
    NGX_MODULE_V1,
    NULL,
    replay_commands,
    NGX_CONF_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

ngx_module_t  *ngx_modules[] = { &replay_module, NULL };
char          *ngx_module_names[] = { "replay_module", NULL };
char          *ngx_module_order[] = { NULL };
