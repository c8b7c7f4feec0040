/*
 * The supervisor role: hands what comes over the lifeline to the broker, the
 * master's configuration and the workers' channels.  It reads nothing else of
 * anybody, and leaves when the last nginx process has left.
 *
 * In service mode there is no lifeline: the configuration is a file, workers
 * connect to a socket, and a signal ends it.
 */

#define _GNU_SOURCE

#include "codr_supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_conf_file.h"
#include "codr_event.h"
#include "codr_family.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_listen.h"
#include "codr_log.h"
#include "codr_proto.h"
#include "codr_toolchain.h"
#include "codr_uid.h"
#include "codr_util.h"

#define LIFELINE_MAX    1024        /* bytes of a message */
#define EXIT_CONFIG     2           /* the configuration is wrong */
#define AGAIN_US        1000000     /* what the kernel had no room for */
#define LATER_US        100000      /* a message */

typedef struct {
    codr_loop_t       loop;
    codr_settings_t   settings;
    codr_conf_file_t  file;         /* service mode */
    codr_family_t     family;
    codr_toolchain_t  toolchain;
    int               shortcut;     /* codr-shortcut, sealed, or -1 */
    codr_event_t      lifeline;
    codr_event_t      signals;
    int               store;        /* of the keeper, or -1 */
    int               waiting;      /* a channel to tell of later, or -1 */
    uint64_t          waiting_generation;
    codr_timer_t      later;
    int               owed;         /* a configuration to take later, or -1 */
    uint64_t          owed_generation;
    codr_timer_t      again;
    codr_timer_t      give;         /* what the keeper has not got yet */
} supervisor_t;


/* The toolchain */


static void
tell_toolchain(codr_toolchain_t *toolchain)
{
    supervisor_t *supervisor = toolchain->data;

    if (toolchain->stamp != 0) {
        /* a broker that is gone gets it when it is back */
        (void) codr_family_tell(&supervisor->family, CODR_CONTROL_TOOLCHAIN,
                                toolchain->stamp, supervisor->shortcut);
    }
}


/* Takes the memfd over; on failure the old configuration stays. */
static int
configure(supervisor_t *supervisor, int memfd, uint64_t generation)
{
    int result = codr_family_configure(&supervisor->family, memfd, generation);

    if (result == 0) {
        codr_toolchain_configure(&supervisor->toolchain,
                                 supervisor->family.config);
    }

    return result;
}


/* Configuration from a file */


static int
make_memfd(const codr_conf_file_t *file)
{
    int fd, result;

    fd = memfd_create("codr-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1) {
        return -errno;
    }

    result = codr_io_write_all(fd, file->image, file->length);
    if (result == 0) {
        result = codr_io_seal(fd);
    }
    if (result < 0) {
        codr_close(&fd);
        return result;
    }

    return fd;
}


/* Service mode: after SIGHUP the file counts as a new configuration; what
   was settled at start (uids, user, cgroup) stays. */
static void
reload(supervisor_t *supervisor)
{
    int              memfd;
    char             error[CODR_CONF_ERROR_MAX];
    codr_conf_file_t file;

    if (codr_conf_file_read(&file, supervisor->settings.config, error) < 0) {
        codr_log(CODR_LEVEL_ERROR, 0, "%s; the old configuration stays",
                 error);
        codr_conf_file_free(&file);
        return;
    }

    memfd = make_memfd(&file);
    codr_conf_file_free(&file);

    if (memfd < 0 || configure(supervisor, memfd, codr_now_us()) < 0) {
        codr_log(CODR_LEVEL_ERROR, 0, "take the new configuration; the old"
                 " one stays");
    }
}


/* The lifeline */


static int
decode_numbers(const uint8_t *message, size_t len, uint64_t *ret_version,
    uint64_t *ret_generation)
{
    int           result;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, message + CODR_FRAME_HEADER,
                     len - CODR_FRAME_HEADER);

    while ((result = codr_fields_next(&fields, &field)) == 1) {
        if (field.tag == CODR_FIELD_VERSION) {
            result = codr_field_number(&field, 0, UINT64_MAX, ret_version);
        } else if (field.tag == CODR_FIELD_GENERATION) {
            result = codr_field_number(&field, 0, UINT64_MAX, ret_generation);
        } else {
            return -EPROTO;
        }
        if (result != 0) {
            return -EPROTO;
        }
    }

    return result == 0 ? 0 : -EPROTO;
}


/* What the keeper has of it is what a next supervisor begins with. */
static void
give_config(codr_timer_t *timer)
{
    int           result;
    supervisor_t *supervisor = timer->data;
    codr_store_t  store = {
        .version = CODR_IPC_VERSION,
        .generation = supervisor->family.config->generation,
    };

    result = codr_io_send_one(supervisor->store, &store, sizeof(store),
                              &supervisor->family.memfd, 1);
    if (result == -EPIPE || result == -ECONNRESET) {
        codr_close(&supervisor->store);     /* there is no keeper any more */
    } else if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "give the configuration to the"
                 " keeper");
        (void) codr_timer_set(&supervisor->loop.timers, timer,
                              codr_now_us() + LATER_US);
    }
}


static int
try_config(supervisor_t *supervisor, int memfd, uint64_t generation)
{
    int result = configure(supervisor, memfd, generation);

    if (result == 0 && supervisor->store != -1) {
        supervisor->give.handler = give_config;
        supervisor->give.data = supervisor;
        codr_timer_clear(&supervisor->loop.timers, &supervisor->give);
        give_config(&supervisor->give);
    }

    return result;
}


static void take_owed(codr_timer_t *timer);

/* nginx says it once, and its new workers go by it: what there was no memory
   for is tried again. */
static int
take_config(supervisor_t *supervisor, int memfd, uint64_t generation)
{
    int result, again = fcntl(memfd, F_DUPFD_CLOEXEC, 0);

    codr_close(&supervisor->owed);
    result = try_config(supervisor, memfd, generation);

    if (again == -1 || (result != -ENOMEM && result != -EIO)) {
        codr_close(&again);
        codr_timer_clear(&supervisor->loop.timers, &supervisor->again);
        return result;
    }

    supervisor->owed = again;
    supervisor->owed_generation = generation;
    supervisor->again.handler = take_owed;
    supervisor->again.data = supervisor;
    (void) codr_timer_set(&supervisor->loop.timers, &supervisor->again,
                          codr_now_us() + AGAIN_US);
    return result;
}


static void
take_owed(codr_timer_t *timer)
{
    supervisor_t *supervisor = timer->data;

    if (take_config(supervisor, codr_steal_fd(&supervisor->owed),
                    supervisor->owed_generation) == 0)
    {
        codr_log(CODR_LEVEL_INFO, 0, "took the configuration after all");
    }
}


static void
tell_waiting(codr_timer_t *timer)
{
    supervisor_t *supervisor = timer->data;

    if (codr_family_tell(&supervisor->family, CODR_CONTROL_CHANNEL,
                         supervisor->waiting_generation, supervisor->waiting)
        < 0)
    {
        (void) codr_timer_set(&supervisor->loop.timers, timer,
                              codr_now_us() + LATER_US);
        return;
    }

    codr_close(&supervisor->waiting);
    codr_timer_clear(&supervisor->loop.timers, timer);
    (void) codr_event_watch(&supervisor->loop, &supervisor->lifeline, EPOLLIN);
}


/* The broker has died and its worker was faster than the news of it, or the
   kernel has no room for the message: this channel, and all that come later,
   are for the next broker, or for a while later. */
static void
keep_waiting(supervisor_t *supervisor, uint64_t generation, int fd)
{
    codr_close(&supervisor->waiting);
    supervisor->waiting = fd;
    supervisor->waiting_generation = generation;

    supervisor->later.handler = tell_waiting;
    supervisor->later.data = supervisor;
    (void) codr_timer_set(&supervisor->loop.timers, &supervisor->later,
                          codr_now_us() + LATER_US);
    (void) codr_event_watch(&supervisor->loop, &supervisor->lifeline,
                            EPOLLRDHUP);
}


static int
take_message(supervisor_t *supervisor, const uint8_t *message, size_t len,
    uid_t uid, int *fd)
{
    uint64_t     version = CODR_PROTO_VERSION, generation = 0;
    codr_frame_t frame;

    if (len < CODR_FRAME_HEADER || codr_frame_decode(&frame, message) != 0
        || frame.length != len - CODR_FRAME_HEADER || *fd == -1
        || decode_numbers(message, len, &version, &generation) < 0)
    {
        return -EPROTO;
    }

    if (frame.type == CODR_FRAME_CONFIG) {
        /* a worker has the lifeline too, but not the master's uid */
        if (uid != getuid()) {
            return -EPERM;
        }
        return take_config(supervisor, codr_steal_fd(fd), generation);
    }

    if (frame.type == CODR_FRAME_CHANNEL && version == CODR_PROTO_VERSION
        && codr_io_is_unix(*fd, SOCK_SEQPACKET))
    {
        if (codr_family_tell(&supervisor->family, CODR_CONTROL_CHANNEL,
                             generation, *fd) < 0)
        {
            keep_waiting(supervisor, generation, codr_steal_fd(fd));
        }
        return 0;
    }

    return -EPROTO;
}


/* While there is no broker what comes waits in the socket for the next one. */
static void
broker_up(codr_family_t *family, bool up)
{
    supervisor_t *supervisor = family->data;

    (void) codr_event_watch(&supervisor->loop, &supervisor->lifeline,
                            up && supervisor->waiting == -1 ? EPOLLIN
                                                            : EPOLLRDHUP);

    if (up) {
        tell_toolchain(&supervisor->toolchain);
    }
    if (up && supervisor->waiting != -1) {
        tell_waiting(&supervisor->later);
    }
}


static void
leave(supervisor_t *supervisor)
{
    codr_event_close(&supervisor->loop, &supervisor->lifeline);
    codr_timer_clear(&supervisor->loop.timers, &supervisor->later);
    codr_timer_clear(&supervisor->loop.timers, &supervisor->again);
    codr_timer_clear(&supervisor->loop.timers, &supervisor->give);
    codr_family_leave(&supervisor->family);
}


static void
lifeline_ready(codr_event_t *event, uint32_t events)
{
    int           fd = -1, result;
    uid_t         uid;
    size_t        nfds;
    ssize_t       n;
    uint8_t       message[LIFELINE_MAX];
    supervisor_t *supervisor = event->data;

    if (!(events & EPOLLIN)) {
        leave(supervisor);      /* the end, and no broker to tell anything */
        return;
    }

    n = codr_io_recv_now(event->fd, message, sizeof(message), &fd, 1, &nfds,
                         &uid);
    if (n == -EAGAIN || n == -EMSGSIZE || n == -ENOMEM) {
        return;                 /* what there is no memory for is still there */
    }
    if (n <= 0) {
        leave(supervisor);
        return;
    }

    result = take_message(supervisor, message, (size_t) n, uid, &fd);
    codr_io_discard(&fd);

    /* one process of nginx may be bad: the others still need us */
    if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "read message from nginx");
    }
}


static void
signal_came(codr_event_t *event, uint32_t events)
{
    supervisor_t           *supervisor = event->data;
    struct signalfd_siginfo info;

    (void) events;

    if (read(event->fd, &info, sizeof(info)) != (ssize_t) sizeof(info)) {
        return;
    }

    switch (info.ssi_signo) {

    case SIGCHLD:
        codr_family_reap(&supervisor->family);
        break;

    case SIGHUP:
        if (supervisor->settings.config && !supervisor->family.leaving) {
            reload(supervisor);
        }
        break;

    default:                            /* SIGTERM, SIGINT, SIGQUIT */
        leave(supervisor);
        break;
    }
}


/* Start */


static int
watch_signals(supervisor_t *supervisor)
{
    int      fd;
    sigset_t set;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGCHLD);
    (void) sigaddset(&set, SIGHUP);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGINT);
    (void) sigaddset(&set, SIGQUIT);

    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1) {
        return -errno;
    }

    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd == -1) {
        return -errno;
    }

    supervisor->signals = (codr_event_t) {
        .fd = fd, .handler = signal_came, .data = supervisor,
    };
    return codr_event_watch(&supervisor->loop, &supervisor->signals, EPOLLIN);
}


static int
open_lifeline(supervisor_t *supervisor)
{
    int on = 1;

    if (setsockopt(CODR_FD_LIFELINE, SOL_SOCKET, SO_PASSCRED, &on,
                   sizeof(on)) == -1
        || fcntl(CODR_FD_LIFELINE, F_SETFL, O_RDWR | O_NONBLOCK) == -1
        || fcntl(CODR_FD_LIFELINE, F_SETFD, FD_CLOEXEC) == -1)
    {
        return -errno;
    }

    supervisor->lifeline.fd = CODR_FD_LIFELINE;

    /* somebody may have started us without a keeper */
    if (codr_io_is_unix(CODR_FD_STORE, SOCK_SEQPACKET)) {
        if (fcntl(CODR_FD_STORE, F_SETFD, FD_CLOEXEC) == -1) {
            return -errno;
        }
        supervisor->store = CODR_FD_STORE;
    }

    return 0;
}


static int
open_listener(supervisor_t *supervisor)
{
    int         sock;
    const char *path = supervisor->settings.listen;

    sock = path ? codr_listen_open(path, supervisor->file.group)
                : codr_listen_inherited();
    if (sock < 0) {
        codr_log(CODR_LEVEL_FATAL, -sock, "listen on \"%s\"",
                 path ? path : "inherited socket");
        return -ECANCELED;
    }

    supervisor->family.listener = sock;
    return 0;
}


/* Fills in what the command line leaves to the file. */
static int
read_file(supervisor_t *supervisor)
{
    char                   error[CODR_CONF_ERROR_MAX];
    codr_conf_file_t      *file = &supervisor->file;
    codr_settings_t       *settings = &supervisor->settings;
    const codr_settings_t *more = &file->settings;

    if (codr_conf_file_read(file, settings->config, error) < 0) {
        codr_log(CODR_LEVEL_FATAL, 0, "%s", error);
        return -ECANCELED;
    }

    if (settings->uid_count == 0) {
        settings->uid_base = more->uid_base;
        settings->uid_count = more->uid_count;
    }
    settings->user = settings->user ? settings->user : more->user;
    settings->cgroup = settings->cgroup ? settings->cgroup : more->cgroup;
    return 0;
}


static int
read_settings(supervisor_t *supervisor)
{
    int              result = 0;
    codr_settings_t *settings = &supervisor->settings;

    if (settings->config) {
        result = read_file(supervisor);
    }
    if (settings->uid_count == 0) {
        settings->uid_base = CODR_UID_BASE;
        settings->uid_count = CODR_UID_COUNT;
    }

    return result;
}


static int
open_supervisor(supervisor_t *supervisor)
{
    int result = codr_loop_init(&supervisor->loop);

    if (result == 0) {
        result = watch_signals(supervisor);
    }
    if (result == 0) {
        result = supervisor->settings.config ? open_listener(supervisor)
                                             : open_lifeline(supervisor);
    }
    if (result == 0) {
        supervisor->shortcut = codr_toolchain_shortcut();
        codr_toolchain_open(&supervisor->toolchain, &supervisor->loop,
                            tell_toolchain, supervisor);
        result = codr_family_open(&supervisor->family);
    }

    return result;
}


static void
configure_from_file(supervisor_t *supervisor)
{
    int memfd = make_memfd(&supervisor->file);

    if (memfd < 0 || configure(supervisor, memfd, 1) < 0) {
        codr_log(CODR_LEVEL_FATAL, 0, "take the configuration");
        leave(supervisor);
    }
}


/* What a supervisor before us had; without one the lifeline has it.  Nobody
   says it again: the keeper gives it to the next one, too. */
static int
configure_from_store(supervisor_t *supervisor)
{
    int          memfd = -1, result;
    size_t       nfds;
    ssize_t      n;
    codr_store_t store;

    if (supervisor->store == -1) {
        return 0;
    }

    n = codr_io_recv_now(supervisor->store, &store, sizeof(store), &memfd, 1,
                         &nfds, NULL);
    if (n == -EAGAIN) {
        return 0;
    }

    result = n == (ssize_t) sizeof(store) && memfd != -1
             ? configure(supervisor, memfd, store.generation) : -EPROTO;
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "take the configuration of the"
                 " keeper");
    }

    return result;
}


int
codr_supervisor_run(const codr_settings_t *settings)
{
    int                 result;
    static supervisor_t supervisor;

    supervisor.settings = *settings;
    supervisor.store = supervisor.waiting = supervisor.owed = -1;
    supervisor.lifeline = (codr_event_t) {
        .fd = -1, .handler = lifeline_ready, .data = &supervisor,
    };
    supervisor.family = (codr_family_t) {
        .loop = &supervisor.loop,
        .settings = &supervisor.settings,
        .listener = -1,
        .broker_up = broker_up,
        .data = &supervisor,
    };

    codr_log_init("supervisor", -1);
    (void) signal(SIGPIPE, SIG_IGN);

    if (read_settings(&supervisor) < 0) {
        return EXIT_CONFIG;
    }

    result = open_supervisor(&supervisor);
    if (result < 0) {
        if (result != -ECANCELED) {     /* else it has been told already */
            codr_log(CODR_LEVEL_FATAL, -result, "start the helper");
        }
        return EXIT_FAILURE;
    }

    codr_family_start(&supervisor.family);
    if (settings->config) {
        configure_from_file(&supervisor);
    } else if (configure_from_store(&supervisor) < 0) {
        return EXIT_FAILURE;
    }

    result = codr_loop_run(&supervisor.loop);

    if (settings->config && settings->listen) {
        (void) unlink(settings->listen);    /* a stale one is no obstacle */
    }

    /* a loop that was stopped without leaving could not go on */
    return result < 0 || !supervisor.family.leaving ? EXIT_FAILURE
                                                    : EXIT_SUCCESS;
}
