
/*
 * Starting the helper: which file it is, whether it may be run, and a double
 * fork that leaves it with nothing of nginx but its end of the lifeline.  Runs
 * in the process that runs init_module: the later master, its launcher, or
 * the only process.  Between fork and exec only async-signal-safe calls.
 */

#include "ngx_http_codr_helper.h"

#include <dlfcn.h>


#define NGX_HTTP_CODR_HELPER_NAME  "codr-sandboxd"

/* of the helper at exec; the second one only tells us of a failed exec */
#define NGX_HTTP_CODR_FD_LIFELINE  3
#define NGX_HTTP_CODR_FD_FAILURE   4


typedef struct {
    char                      *path;
    char                     **argv;
    int                        lifeline;
    int                        failure;
    int                        log;            /* stderr of the helper */
} ngx_http_codr_exec_ctx_t;


ngx_int_t
ngx_http_codr_spawn_check(ngx_str_t *path, const char **reason)
{
    ngx_file_info_t  fi;

    if (ngx_file_info(path->data, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR) {
            *reason = "does not exist";
            return NGX_DECLINED;
        }

        *reason = "cannot be reached";
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)) {
        *reason = "is not a regular file";
        return NGX_ERROR;
    }

    if (fi.st_uid != 0 && fi.st_uid != geteuid()) {
        *reason = "is owned by neither root nor the user who starts nginx";
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & 0022) {
        *reason = "can be written by others";
        return NGX_ERROR;
    }

    if (!(ngx_file_access(&fi) & 0111)) {
        *reason = "is not executable";
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The configured path, else the file beside this module, as in a build tree,
   else that of the tree this module was installed in, which "make install
   DESTDIR=" has put anywhere, else the installed one. */

ngx_int_t
ngx_http_codr_spawn_path(ngx_cycle_t *cycle, ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *path)
{
    size_t       len;
    u_char      *p;
    Dl_info      info;
    ngx_str_t   *tail;
    const char  *slash, *reason;

    static ngx_str_t  tails[] = {
        ngx_string(NGX_HTTP_CODR_HELPER_NAME),
        ngx_string("../../codr/" NGX_HTTP_CODR_HELPER_NAME),
        ngx_null_string
    };

    if (mcf->helper_path.len) {
        *path = mcf->helper_path;
        return NGX_OK;
    }

    ngx_str_set(path, NGX_HTTP_CODR_HELPER_PATH);

    if (dladdr((void *) &ngx_http_codr_module, &info) == 0
        || info.dli_fname == NULL || info.dli_fname[0] != '/')
    {
        return NGX_OK;
    }

    slash = strrchr(info.dli_fname, '/');
    len = slash + 1 - info.dli_fname;

    for (tail = tails; tail->len; tail++) {

        p = ngx_pnalloc(cycle->pool, len + tail->len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(ngx_cpymem(p, info.dli_fname, len), tail->data,
                   tail->len + 1);

        reason = NULL;
        path->data = p;
        path->len = len + tail->len;

        if (ngx_http_codr_spawn_check(path, &reason) != NGX_DECLINED) {
            return NGX_OK;
        }
    }

    ngx_str_set(path, NGX_HTTP_CODR_HELPER_PATH);

    return NGX_OK;
}


static void
ngx_http_codr_spawn_failed(int fd)
{
    int  err;

    err = errno;
    (void) !write(fd, &err, sizeof(int));   /* nobody is left to tell */
    _exit(2);
}


/* Never returns.  Listening sockets of nginx are inherited across exec, so
   everything but the numbered descriptors is closed; what was ignored or
   blocked would be so in the helper, too. */

static void
ngx_http_codr_spawn_exec(ngx_http_codr_exec_ctx_t *ctx)
{
    int       sig, null, lifeline, failure, log;
    sigset_t  none;

    static char  *env[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8", NULL
    };

    for (sig = 1; sig < NSIG; sig++) {
        (void) signal(sig, SIG_DFL);    /* fails for those that cannot be */
    }

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) umask(022);

    /* above the numbers they are going to have */

    lifeline = fcntl(ctx->lifeline, F_DUPFD_CLOEXEC, 16);
    failure = fcntl(ctx->failure, F_DUPFD_CLOEXEC, 16);
    log = fcntl(ctx->log, F_DUPFD_CLOEXEC, 16);
    null = open("/dev/null", O_RDWR|O_CLOEXEC);

    if (log == -1) {
        log = null;
    }

    if (lifeline == -1 || failure == -1 || null == -1
        || dup2(null, STDIN_FILENO) == -1
        || dup2(log, STDOUT_FILENO) == -1
        || dup2(log, STDERR_FILENO) == -1
        || dup2(lifeline, NGX_HTTP_CODR_FD_LIFELINE) == -1
        || dup3(failure, NGX_HTTP_CODR_FD_FAILURE, O_CLOEXEC) == -1
        || close_range(NGX_HTTP_CODR_FD_FAILURE + 1, ~0U, 0) == -1
        || chdir("/") == -1)
    {
        ngx_http_codr_spawn_failed(ctx->failure);
    }

    (void) execve(ctx->path, ctx->argv, env);

    ngx_http_codr_spawn_failed(NGX_HTTP_CODR_FD_FAILURE);
}


/* The errno of a failed exec, or 0. */

static ngx_err_t
ngx_http_codr_spawn_wait(int fd, pid_t pid)
{
    int      err, status;
    ssize_t  n;

    err = 0;

    do {
        n = read(fd, &err, sizeof(int));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    /* nginx's handler of SIGCHLD may have been faster */

    while (waitpid(pid, &status, 0) == -1 && ngx_errno == NGX_EINTR) {
        /* void */
    }

    return (n == sizeof(int)) ? err : 0;
}


static ngx_err_t
ngx_http_codr_spawn_fork(ngx_http_codr_exec_ctx_t *ctx)
{
    int        pp[2];
    pid_t      pid;
    ngx_err_t  err;

    if (pipe2(pp, O_CLOEXEC) == -1) {
        return ngx_errno;
    }

    ctx->failure = pp[1];

    pid = fork();

    if (pid == -1) {
        err = ngx_errno;
        (void) close(pp[0]);
        (void) close(pp[1]);
        return err;
    }

    if (pid == 0) {
        (void) setsid();            /* cannot fail in a new process */

        pid = fork();

        if (pid == -1) {
            ngx_http_codr_spawn_failed(ctx->failure);
        }

        if (pid > 0) {
            _exit(0);
        }

        ngx_http_codr_spawn_exec(ctx);
    }

    (void) close(pp[1]);
    err = ngx_http_codr_spawn_wait(pp[0], pid);
    (void) close(pp[0]);

    return err;
}


ngx_int_t
ngx_http_codr_spawn(ngx_cycle_t *cycle, ngx_http_codr_main_conf_t *mcf,
    ngx_socket_t sock)
{
    char                       *argv[9], uids[2 * NGX_INT_T_LEN + 2];
    ngx_log_t                  *log;
    ngx_str_t                   path;
    ngx_err_t                   err;
    ngx_uint_t                  n;
    const char                 *reason;
    ngx_http_codr_exec_ctx_t    ctx;

    if (ngx_http_codr_spawn_path(cycle, mcf, &path) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_codr_spawn_check(&path, &reason) != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0, "codr: helper \"%V\" %s",
                      &path, reason);
        return NGX_ERROR;
    }

    (void) ngx_sprintf((u_char *) uids, "%ui:%ui%Z", mcf->uid_base,
                       mcf->uid_count);

    n = 0;
    argv[n++] = NGX_HTTP_CODR_HELPER_NAME;
    argv[n++] = "keeper";
    argv[n++] = "--uids";
    argv[n++] = uids;

    if (mcf->user.len) {
        argv[n++] = "--user";
        argv[n++] = (char *) mcf->user.data;
    }

    if (mcf->cgroup.len) {
        argv[n++] = "--cgroup";
        argv[n++] = (char *) mcf->cgroup.data;
    }

    argv[n] = NULL;

    ctx.path = (char *) path.data;
    ctx.argv = argv;
    ctx.lifeline = sock;

    /* as nginx's own stderr after the start: who waits for the launcher's
       output to end must not wait for the helper */

    log = ngx_log_get_file_log(cycle->log);

    ctx.log = (cycle->log_use_stderr || log == NULL) ? STDERR_FILENO
                                                     : log->file->fd;

    err = ngx_http_codr_spawn_fork(&ctx);

    if (err) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, err,
                      "codr: start of helper \"%V\" failed", &path);
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "codr: started helper \"%V\"",
                  &path);

    return NGX_OK;
}
