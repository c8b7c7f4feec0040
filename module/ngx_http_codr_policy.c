
/*
 * Policies in the configuration: which one a location has, and whether the
 * files say something that can be understood.  That is asked of the validator,
 * once, by the process that reads the configuration, also under "nginx -t";
 * nginx itself links no parser.  Between fork and exec only async-signal-safe
 * calls.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_helper.h"
#include "ngx_http_codr_policy.h"


#define NGX_HTTP_CODR_VALIDATOR        "codr-validator"
#define NGX_HTTP_CODR_POLICY_SECONDS   60      /* for all policies */
#define NGX_HTTP_CODR_POLICY_TEXT      2048    /* of what is wrong */


char *
ngx_http_codr_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   mode, level;

    if (lcf->policy_mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (mode = 0; mode < CODR_POLICY_MODES; mode++) {
        if (ngx_strcmp(value[1].data, codr_policy_mode_name(mode)) == 0) {
            break;
        }
    }

    if (mode == CODR_POLICY_MODES
        || (mode == CODR_POLICY_OFF && cf->args->nelts > 2))
    {
        return ngx_http_codr_conf_invalid(cf, mode == CODR_POLICY_MODES ? 1
                                                                        : 2);
    }

    level = CODR_POLICY_STANDARD;

    if (cf->args->nelts > 2) {
        for (level = 0; level < CODR_POLICY_LEVELS; level++) {
            if (ngx_strcmp(value[2].data, codr_policy_level_name(level)) == 0)
            {
                break;
            }
        }

        if (level == CODR_POLICY_LEVELS) {
            return ngx_http_codr_conf_invalid(cf, 2);
        }
    }

    lcf->policy_mode = mode;
    lcf->policy_level = level;

    return NGX_CONF_OK;
}


char *
ngx_http_codr_policies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    ngx_str_t  *value;

    if (mcf->policies.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    mcf->policies = value[1];
    ngx_http_codr_conf_place(cf, &mcf->policies_place);

    if (ngx_conf_full_name(cf->cycle, &mcf->policies, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_codr_policy_merge(ngx_http_codr_loc_conf_t *prev,
    ngx_http_codr_loc_conf_t *conf)
{
    if (conf->policy_mode != NGX_CONF_UNSET_UINT) {
        return;
    }

    conf->policy_mode = prev->policy_mode;
    conf->policy_level = prev->policy_level;

    if (conf->policy_mode == NGX_CONF_UNSET_UINT) {
        conf->policy_mode = CODR_POLICY_BLOCK;
        conf->policy_level = CODR_POLICY_STANDARD;
    }
}


/* Checking them */


/* Never returns.  What is inherited is nginx's: nothing of it but the pipe
   may be seen. */

static void
ngx_http_codr_policy_exec(char **argv, int out)
{
    int       sig, null;
    sigset_t  none;

    static char  *env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                            "LANG=C.UTF-8", NULL };

    for (sig = 1; sig < NSIG; sig++) {
        (void) signal(sig, SIG_DFL);    /* fails for those that cannot be */
    }

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) alarm(NGX_HTTP_CODR_POLICY_SECONDS);

    null = open("/dev/null", O_RDWR|O_CLOEXEC);

    if (null != -1
        && dup2(out, STDERR_FILENO) != -1
        && dup2(null, STDIN_FILENO) != -1
        && dup2(null, STDOUT_FILENO) != -1
        && close_range(STDERR_FILENO + 1, ~0U, 0) != -1)
    {
        (void) execve(argv[0], argv, env);
    }

    _exit(127);
}


/* What it says, and how it ends.  SIGCHLD is blocked: nginx's handler would
   take the end for that of a worker. */

static ngx_int_t
ngx_http_codr_policy_run(char **argv, u_char *text, size_t size,
    int *ret_status)
{
    int       pp[2];
    pid_t     pid;
    size_t    len;
    ssize_t   n;
    sigset_t  child, before;

    if (pipe2(pp, O_CLOEXEC) == -1) {
        return NGX_ERROR;
    }

    (void) sigemptyset(&child);
    (void) sigaddset(&child, SIGCHLD);
    (void) sigprocmask(SIG_BLOCK, &child, &before);

    pid = fork();

    if (pid == 0) {
        ngx_http_codr_policy_exec(argv, pp[1]);
    }

    (void) close(pp[1]);

    for (len = 0; pid > 0; /* void */) {
        n = read(pp[0], text + len, size - 1 - len);

        if (n > 0) {
            len += n;
        }

        if (n == 0 || len == size - 1 || (n == -1 && ngx_errno != NGX_EINTR)) {
            break;
        }
    }

    text[len] = '\0';
    (void) close(pp[0]);

    while (pid > 0 && waitpid(pid, ret_status, 0) == -1
           && ngx_errno == NGX_EINTR)
    {
        /* void */
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return pid > 0 ? NGX_OK : NGX_ERROR;
}


static char *
ngx_http_codr_policy_text(ngx_pool_t *pool, const char *format,
    ngx_str_t *a, ngx_str_t *b, ngx_str_t *c)
{
    u_char  *p, *last;
    size_t   size;

    size = a->len + b->len + c->len + 32;

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NULL;
    }

    last = ngx_slprintf(p, p + size - 1, format, a, b, c);
    *last = '\0';

    return (char *) p;
}


/* The command line for n languages; NULL without memory. */

static char **
ngx_http_codr_policy_argv(ngx_conf_t *cf, char *validator,
    ngx_http_codr_language_t **lang, ngx_uint_t n)
{
    char                       **argv, **arg;
    ngx_http_codr_main_conf_t   *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);

    argv = ngx_pcalloc(cf->pool, (2 * n + 5) * sizeof(char *));
    if (argv == NULL) {
        return NULL;
    }

    arg = argv;
    *arg++ = validator;
    *arg++ = "--check-policies";

    if (mcf->policies.len) {
        *arg++ = "--policies";
        *arg++ = (char *) mcf->policies.data;
    }

    for ( /* void */ ; n; n--, lang++) {
        *arg++ = "--plan";
        *arg = ngx_http_codr_policy_text(cf->pool, "%V=%V:%V", &lang[0]->name,
                                         &lang[0]->grammar, &lang[0]->policy);
        if (*arg++ == NULL) {
            return NULL;
        }
    }

    return argv;
}


/* Whether a location would ask for a verdict. */

static ngx_uint_t
ngx_http_codr_policy_wanted(ngx_http_codr_main_conf_t *mcf)
{
    ngx_uint_t                  i;
    ngx_http_codr_loc_conf_t  **lcf;

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        if (lcf[i]->policy_mode != CODR_POLICY_OFF) {
            return 1;
        }
    }

    return 0;
}


/* Beside the helper; NULL when the helper is not ours to start. */

static char *
ngx_http_codr_policy_validator(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    ngx_str_t  path, dir, name, none;

    if (mcf->helper == NGX_HTTP_CODR_HELPER_UNIX
        || ngx_http_codr_spawn_path(cf->cycle, mcf, &path) != NGX_OK)
    {
        return NULL;
    }

    ngx_str_set(&name, NGX_HTTP_CODR_VALIDATOR);
    ngx_str_null(&none);

    dir = path;

    while (dir.len && dir.data[dir.len - 1] != '/') {
        dir.len--;
    }

    return ngx_http_codr_policy_text(cf->pool, "%V%V%V", &dir, &name, &none);
}


/* What the validator says is wrong with these languages, without the end of
   its last line; NGX_DECLINED when it could not say. */

static ngx_int_t
ngx_http_codr_policy_ask(ngx_conf_t *cf, char *validator,
    ngx_http_codr_language_t **lang, ngx_uint_t n, u_char *text)
{
    int      status;
    char   **argv;
    size_t   len;

    argv = ngx_http_codr_policy_argv(cf, validator, lang, n);

    if (argv == NULL
        || ngx_http_codr_policy_run(argv, text, NGX_HTTP_CODR_POLICY_TEXT,
                                    &status)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (len = ngx_strlen(text); len && text[len - 1] == '\n'; len--) {
        text[len - 1] = '\0';
    }

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return NGX_OK;
    }

    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
        return NGX_ABORT;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "codr: \"%s\" could not check the policies: status %d %s",
                  validator, status, text);

    return NGX_DECLINED;
}


/* A language that says nothing itself has its policy from the directory. */

static ngx_http_codr_place_t *
ngx_http_codr_policy_place(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_language_t *lang)
{
    if (mcf->policies_place.file && lang->policy.len == 0
        && lang->grammar.len == 0)
    {
        return &mcf->policies_place;
    }

    return &lang->place;
}


/* The validator was asked about all languages at once and names the policy's
   file: whose it is takes a question each. */

static ngx_int_t
ngx_http_codr_policy_mistake(ngx_conf_t *cf, char *validator, u_char *text)
{
    ngx_uint_t                  i;
    ngx_http_codr_place_t      *place;
    ngx_http_codr_language_t  **lang;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);
    lang = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {

        if (ngx_http_codr_policy_ask(cf, validator, &lang[i], 1, text)
            == NGX_ABORT)
        {
            place = ngx_http_codr_policy_place(mcf, lang[i]);

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "codr: %s in language \"%V\" in %s:%ui",
                          text, &lang[i]->name, place->file, place->line);
            return NGX_ERROR;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "codr: %s", text);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_codr_policy_check(ngx_conf_t *cf)
{
    char                       *validator;
    u_char                      text[NGX_HTTP_CODR_POLICY_TEXT];
    ngx_int_t                   rc;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);

    if (!ngx_http_codr_policy_wanted(mcf)) {
        return NGX_OK;
    }

    validator = ngx_http_codr_policy_validator(cf, mcf);

    if (validator == NULL || access(validator, X_OK) == -1) {
        return NGX_OK;          /* found at run time; nothing runs then */
    }

    rc = ngx_http_codr_policy_ask(cf, validator, mcf->languages.elts,
                                  mcf->languages.nelts, text);

    if (rc == NGX_ABORT) {
        return ngx_http_codr_policy_mistake(cf, validator, text);
    }

    return rc == NGX_DECLINED ? NGX_OK : rc;
}
