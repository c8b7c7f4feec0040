
/*
 * The lifeline: who starts the helper and when, who keeps it over a reload,
 * and what is said when it cannot be had.  Every process of nginx inherits
 * the lifeline, and its end is the end of the helper; so the helper outlives
 * a reload and a killed master, and nothing else.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_helper.h"

#include <poll.h>


ngx_int_t
ngx_http_codr_send_frame(ngx_socket_t sock, u_char *data, size_t len, int fd)
{
    ssize_t          n;
    struct iovec     iov;
    struct msghdr    msg;
    struct cmsghdr  *cmsg;

    union {
        struct cmsghdr  align;
        u_char          space[CMSG_SPACE(sizeof(int))];
    } control;

    ngx_memzero(&msg, sizeof(struct msghdr));
    ngx_memzero(&control, sizeof(control));

    iov.iov_base = data;
    iov.iov_len = len;
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    if (fd != -1) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control.space);

        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        ngx_memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
    }

    do {
        n = sendmsg(sock, &msg, MSG_DONTWAIT|MSG_NOSIGNAL);
    } while (n == -1 && ngx_errno == NGX_EINTR);

    return (n == (ssize_t) len) ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_codr_lifeline_release(void *data)
{
    ngx_http_codr_lifeline_t  *lifeline = data;

    if (--lifeline->cycles) {
        return;
    }

    if (lifeline->fd != -1) {
        (void) close(lifeline->fd);
    }

    ngx_free(lifeline);
}


static u_char *
ngx_http_codr_lifeline_copy(u_char **p, ngx_str_t *text)
{
    u_char  *start;

    start = *p;
    *p = ngx_cpymem(start, text->data, text->len);
    *(*p)++ = '\0';

    return start;
}


static ngx_http_codr_lifeline_t *
ngx_http_codr_lifeline_create(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    u_char                    *p;
    ngx_http_codr_lifeline_t  *lifeline;

    lifeline = ngx_calloc(sizeof(ngx_http_codr_lifeline_t)
                          + mcf->helper_path.len + mcf->user.len
                          + mcf->cgroup.len + 3, log);
    if (lifeline == NULL) {
        return NULL;
    }

    lifeline->fd = -1;
    lifeline->helper = mcf->helper;
    lifeline->uid_base = mcf->uid_base;
    lifeline->uid_count = mcf->uid_count;

    p = (u_char *) (lifeline + 1);
    lifeline->helper_path = ngx_http_codr_lifeline_copy(&p, &mcf->helper_path);
    lifeline->user = ngx_http_codr_lifeline_copy(&p, &mcf->user);
    lifeline->cgroup = ngx_http_codr_lifeline_copy(&p, &mcf->cgroup);

    return lifeline;
}


static ngx_uint_t
ngx_http_codr_helper_mode(ngx_http_codr_main_conf_t *mcf)
{
    ngx_file_info_t  fi;

    if (mcf->helper != NGX_HTTP_CODR_HELPER_AUTO) {
        return mcf->helper;
    }

    if (ngx_file_info(NGX_HTTP_CODR_HELPER_SOCKET, &fi) == 0
        && S_ISSOCK(fi.st_mode))
    {
        return NGX_HTTP_CODR_HELPER_UNIX;
    }

    return NGX_HTTP_CODR_HELPER_SPAWN;
}


ngx_uint_t
ngx_http_codr_helper_is_foreign(ngx_http_codr_main_conf_t *mcf)
{
    return mcf->lifeline
           && mcf->lifeline->mode == NGX_HTTP_CODR_HELPER_UNIX;
}


/* A pair whose ends both take credentials along: what the master sends before
   the helper runs must carry them, too. */

static ngx_int_t
ngx_http_codr_lifeline_pair(ngx_socket_t *sv, ngx_log_t *log)
{
    int  i, on;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, sv) == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_socket_errno,
                      "codr: socketpair() failed");
        return NGX_ERROR;
    }

    on = 1;

    for (i = 0; i < 2; i++) {
        if (setsockopt(sv[i], SOL_SOCKET, SO_PASSCRED, &on, sizeof(int)) == -1)
        {
            ngx_log_error(NGX_LOG_CRIT, log, ngx_socket_errno,
                          "codr: setsockopt(SO_PASSCRED) failed");
            (void) close(sv[0]);
            (void) close(sv[1]);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_lifeline_spawn(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_lifeline_t *lifeline)
{
    ngx_int_t     rc;
    const char   *reason;
    ngx_socket_t  sv[2];

    reason = ngx_http_codr_users_refused(cycle, mcf);

    if (reason) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "codr: the helper is not started: %s", reason);
        return NGX_ERROR;
    }

    if (ngx_http_codr_lifeline_pair(sv, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_codr_spawn(cycle, mcf, sv[1]);

    (void) close(sv[1]);

    if (rc != NGX_OK) {
        (void) close(sv[0]);
        return NGX_ERROR;
    }

    lifeline->fd = sv[0];

    return NGX_OK;
}


static ngx_http_codr_lifeline_t *
ngx_http_codr_lifeline_start(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_lifeline_t  *lifeline;

    lifeline = ngx_http_codr_lifeline_create(mcf, cycle->log);
    if (lifeline == NULL) {
        return NULL;
    }

    lifeline->mode = ngx_http_codr_helper_mode(mcf);

    if (lifeline->mode == NGX_HTTP_CODR_HELPER_SPAWN
        && ngx_http_codr_lifeline_spawn(cycle, mcf, lifeline) != NGX_OK)
    {
        ngx_free(lifeline);
        return NULL;
    }

    return lifeline;
}


static ngx_uint_t
ngx_http_codr_lifeline_is(const u_char *kept, const ngx_str_t *text)
{
    return ngx_strlen(kept) == text->len
           && (text->len == 0
               || ngx_memcmp(kept, text->data, text->len) == 0);
}


static void
ngx_http_codr_lifeline_changed(ngx_http_codr_lifeline_t *lifeline,
    ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_uint_t  i;

    const struct {
        const char  *name;
        ngx_uint_t   same;
    } kept[] = {
        { "codr_helper", lifeline->helper == mcf->helper
                         && ngx_http_codr_lifeline_is(lifeline->helper_path,
                                                      &mcf->helper_path) },
        { "codr_uids", lifeline->uid_base == mcf->uid_base
                       && lifeline->uid_count == mcf->uid_count },
        { "codr_user", ngx_http_codr_lifeline_is(lifeline->user, &mcf->user) },
        { "codr_cgroup", ngx_http_codr_lifeline_is(lifeline->cgroup,
                                                   &mcf->cgroup) }
    };

    for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (!kept[i].same) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "codr: \"%s\" was changed, which needs a restart: "
                          "the old value is kept", kept[i].name);
        }
    }
}


/* The lifeline of the cycle before, when there is somebody at its end. */

static ngx_http_codr_lifeline_t *
ngx_http_codr_lifeline_keep(ngx_http_codr_main_conf_t *old,
    ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    struct pollfd              pfd;
    ngx_http_codr_lifeline_t  *lifeline;

    lifeline = old ? old->lifeline : NULL;

    if (lifeline == NULL) {
        return NULL;
    }

    if (lifeline->fd != -1) {
        pfd.fd = lifeline->fd;
        pfd.events = 0;
        pfd.revents = 0;

        if (poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLHUP|POLLERR))) {
            return NULL;
        }
    }

    ngx_http_codr_lifeline_changed(lifeline, mcf, log);

    return lifeline;
}


static ngx_http_codr_main_conf_t *
ngx_http_codr_old_conf(ngx_cycle_t *cycle)
{
    ngx_cycle_t  *old;

    old = cycle->old_cycle;

    if (old == NULL || old->conf_ctx == NULL) {
        return NULL;                /* the first one */
    }

    return ngx_http_cycle_get_module_main_conf(old, ngx_http_codr_module);
}


static ngx_int_t
ngx_http_codr_helper_configure(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    int            fd;
    u_char         frame[CODR_FRAME_HEADER + 2 * CODR_FIELD_HEADER];
    size_t         len;
    ngx_int_t      rc;
    codr_writer_t  w;

    if (mcf->lifeline->fd == -1) {
        return NGX_OK;              /* it has a configuration of its own */
    }

    fd = ngx_http_codr_image(mcf, log);
    if (fd == -1) {
        return NGX_ERROR;
    }

    codr_writer_init(&w, frame, sizeof(frame));
    codr_frame_begin(&w, CODR_FRAME_CONFIG);
    codr_put_number(&w, CODR_FIELD_GENERATION, mcf->generation);
    len = codr_frame_end(&w);

    rc = ngx_http_codr_send_frame(mcf->lifeline->fd, frame, len, fd);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_socket_errno,
                      "codr: the configuration cannot be sent to the helper");
    }

    (void) close(fd);

    return rc;
}


/* Always NGX_OK: without a helper codr is unavailable, nginx is not. */

ngx_int_t
ngx_http_codr_helper_init_module(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_codr_lifeline_t   *lifeline;
    ngx_http_codr_main_conf_t  *old;

    ngx_str_set(&mcf->cause, "the helper could not be started, "
                             "the error log says why");

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_OK;
    }

    old = ngx_http_codr_old_conf(cycle);
    lifeline = ngx_http_codr_lifeline_keep(old, mcf, cycle->log);

    if (lifeline == NULL) {
        lifeline = ngx_http_codr_lifeline_start(cycle, mcf);
    }

    if (lifeline == NULL) {
        return NGX_OK;
    }

    lifeline->cycles++;
    cln->handler = ngx_http_codr_lifeline_release;
    cln->data = lifeline;

    mcf->lifeline = lifeline;

    if (ngx_http_codr_helper_configure(mcf, cycle->log) != NGX_OK) {
        ngx_str_set(&mcf->cause, "the helper does not take the configuration");
        mcf->lifeline = NULL;
        return NGX_OK;
    }

    ngx_str_set(&mcf->cause, "the helper is lost");

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_helper_init_process(ngx_cycle_t *cycle,
    ngx_http_codr_main_conf_t *mcf)
{
    mcf->channel = ngx_http_codr_channel_create(cycle, mcf);

    return NGX_OK;
}


void
ngx_http_codr_helper_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_codr_module);

    if (mcf->channel) {
        ngx_http_codr_channel_destroy(mcf->channel);
        mcf->channel = NULL;
    }
}


int
ngx_http_codr_helper_open_job(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_socket_t  sv[2];

    if (ngx_http_codr_helper_pair(sv, log) != NGX_OK) {
        return -1;
    }

    if (ngx_http_codr_helper_give(mcf, sv[1], log) != NGX_OK) {
        (void) close(sv[0]);
        return -1;
    }

    return sv[0];
}


ngx_int_t
ngx_http_codr_helper_pair(ngx_socket_t sv[2], ngx_log_t *log)
{
    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, sv)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "codr: socketpair() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_helper_give(ngx_http_codr_main_conf_t *mcf, ngx_socket_t fd,
    ngx_log_t *log)
{
    ngx_int_t  rc;

    rc = mcf->channel ? ngx_http_codr_channel_job(mcf->channel, fd, log)
                      : NGX_ERROR;

    (void) close(fd);

    return rc;
}


ngx_http_codr_helper_status_t *
ngx_http_codr_helper_status(void)
{
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_codr_module);

    return (mcf && mcf->channel) ? ngx_http_codr_channel_status(mcf->channel)
                                 : NULL;
}


uint64_t *
ngx_http_codr_helper_figures(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_helper_figures_t  *figures;

    if (mcf->channel == NULL) {
        return NULL;
    }

    figures = ngx_http_codr_channel_figures(mcf->channel);

    return figures ? figures->value : NULL;
}


uint64_t
ngx_http_codr_helper_warm(ngx_http_codr_main_conf_t *mcf, ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_http_codr_helper_warm_t     *warm;
    ngx_http_codr_helper_figures_t  *figures;

    figures = mcf->channel ? ngx_http_codr_channel_figures(mcf->channel)
                           : NULL;

    for (i = 0; figures && i < figures->languages; i++) {
        warm = &figures->warm[i];

        if (warm->len == name->len
            && ngx_memcmp(warm->name, name->data, name->len) == 0)
        {
            return warm->n;
        }
    }

    return 0;
}
