/*
 * The broker role: start, the supervisor's messages, the log, the listening
 * socket.  Jobs are in codr_job.c and after, workers in codr_channel.c.
 *
 * It holds no privilege: whatever it does wrong, the spawner's compiled
 * maxima and the kernel's limits on each sandbox stand.
 */

#define _GNU_SOURCE

#include "codr_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_confine.h"
#include "codr_figures.h"
#include "codr_io.h"
#include "codr_log.h"
#include "codr_proto.h"
#include "codr_turn.h"
#include "codr_util.h"

#define LOG_MESSAGE     2048        /* a line and its frame */
#define DESCRIPTORS     65536       /* asked for; the host may allow less */
#define LISTEN_US       500000      /* until there may be one again */


static void compute_capacity(codr_broker_t *broker);


/* The supervisor */


static codr_config_t *
config_of(const codr_broker_t *broker, uint64_t generation)
{
    size_t i;

    for (i = 0; i < CODR_BROKER_CONFIGS; i++) {
        if (broker->config[i] && broker->config[i]->generation == generation) {
            return broker->config[i];
        }
    }

    return NULL;
}


/* What is known of a language stays known while it is asked again. */
static void
inherit_languages(codr_config_t *config, const codr_config_t *old)
{
    size_t                 i;
    codr_language_t       *language;
    const codr_language_t *known;

    for (i = 0; old && i < config->languages; i++) {
        language = &config->language[i];
        known = codr_config_language(old, language->name,
                                     strlen(language->name));
        if (known && codr_config_language_same(config, language, old, known)) {
            language->availability = known->availability;
            memcpy(language->version_text, known->version_text,
                   sizeof(language->version_text));
            memcpy(language->reason, known->reason, sizeof(language->reason));
        }
    }
}


static void
take_config(codr_broker_t *broker, uint64_t generation, int memfd)
{
    int            result;
    size_t         last = CODR_BROKER_CONFIGS - 1;
    codr_config_t *config;

    result = codr_config_read(&config, memfd, generation);
    codr_close(&memfd);
    if (result < 0) {
        codr_log(CODR_LEVEL_PANIC, -result, "read the configuration");
        return;
    }

    inherit_languages(config, broker->config[0]);

    codr_config_unref(broker->config[last]);
    memmove(&broker->config[1], &broker->config[0],
            last * sizeof(codr_config_t *));
    broker->config[0] = config;
    if (broker->listener.fd != -1) {
        codr_channel_renew_configs(broker);
    }

    codr_headers_configure(&broker->headers);

    compute_capacity(broker);
    codr_results_limit(&broker->results, config->results,
                       config->job_ttl_ms * 1000);
    codr_figures_changed(broker);
    codr_probe_restart(&broker->probe);
    codr_pool_restart(&broker->pool);
    codr_channel_tell_status(broker);
    codr_dispatch(broker);
}


static void
take_channel(codr_broker_t *broker, uint64_t generation, int sock)
{
    codr_config_t *config = config_of(broker, generation);

    if (config == NULL) {
        /* a worker from before the broker's restart and a reload: what its
           locations are nobody knows any more */
        codr_log(CODR_LEVEL_INFO, 0, "a worker of a forgotten configuration"
                 " is refused");
        codr_close(&sock);
        return;
    }

    codr_channel_open(broker, sock, config);
}


static void
link_changed(codr_link_t *link)
{
    codr_broker_t *broker = link->data;

    if (link->state == CODR_LINK_LOST) {
        if (broker->link == link) {
            broker->link = NULL;
        }
        codr_link_free(link);
    }

    if (link->state == CODR_LINK_READY && link->known) {
        codr_pool_refill(&broker->pool);    /* of another kind, perhaps */
        codr_channel_tell_status(broker);
        return;
    }

    if (link->state == CODR_LINK_READY) {
        link->known = true;
        broker->cause[0] = '\0';
        codr_figures_restart(broker);
        compute_capacity(broker);
        codr_probe_restart(&broker->probe);
        codr_pool_restart(&broker->pool);
    }

    codr_dispatch_refuse_all(broker);
    codr_channel_tell_status(broker);
    codr_dispatch(broker);
}


static void
take_spawner(codr_broker_t *broker, int sock)
{
    codr_link_t *old = broker->link;

    codr_pool_drain(&broker->pool);
    broker->link = codr_link_open(&broker->loop, &broker->slots, sock,
                                  link_changed, broker);
    if (broker->link == NULL) {
        codr_log(CODR_LEVEL_ERROR, errno, "take the spawner's socket");
    }

    if (old) {
        codr_link_retire(old);
    }

    codr_channel_tell_status(broker);
}


/* What was compiled by another toolchain may not even start with this one. */
static void
take_toolchain(codr_broker_t *broker, uint64_t stamp, int shortcut)
{
    bool another = broker->toolchain != 0 && broker->toolchain != stamp;

    broker->toolchain = stamp;
    codr_cache_shrink(&broker->cache, 0);
    codr_headers_drop(&broker->headers);

    codr_close(&broker->shortcut);
    broker->shortcut = shortcut;

    if (another) {
        codr_probe_restart(&broker->probe);
    }
}


static void
take_cause(codr_broker_t *broker, const codr_control_t *control)
{
    memcpy(broker->cause, control->cause, sizeof(broker->cause));
    broker->cause[sizeof(broker->cause) - 1] = '\0';

    codr_dispatch_refuse_all(broker);
    codr_channel_tell_status(broker);
}


/*
 * A worker's connection: anybody the configuration names, root, and whoever
 * the helper runs as; never a job, whatever the socket's mode says.
 */
static bool
may_connect(const codr_broker_t *broker, uid_t uid)
{
    size_t               i;
    const codr_config_t *config = broker->config[0];

    if (uid > broker->uid_base && uid - broker->uid_base < broker->uid_count) {
        return false;
    }
    if (uid == 0 || uid == getuid()) {
        return true;
    }

    for (i = 0; config && i < config->peers; i++) {
        if (config->peer[i] == uid) {
            return true;
        }
    }

    return false;
}


static void
listen_again(codr_timer_t *timer)
{
    codr_broker_t *broker = timer->data;

    codr_timer_clear(&broker->loop.timers, timer);
    (void) codr_event_watch(&broker->loop, &broker->listener, EPOLLIN);
}


/* Who waits is announced again and again: there must be a pause. */
static void
listen_later(codr_broker_t *broker, int error)
{
    codr_timer_t *timer = &broker->listen_timer;

    timer->handler = listen_again;
    timer->data = broker;
    if (codr_timer_set(&broker->loop.timers, timer,
                       codr_now_us() + LISTEN_US) == 0)
    {
        (void) codr_event_watch(&broker->loop, &broker->listener, 0);
    }

    if (!broker->deaf) {
        codr_log(CODR_LEVEL_ERROR, error, "take a worker's connection");
    }
    broker->deaf = true;
}


static void
connection_ready(codr_event_t *event, uint32_t events)
{
    int            sock;
    socklen_t      len;
    struct ucred   peer;
    codr_broker_t *broker = event->data;

    (void) events;

    sock = accept4(event->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (sock == -1) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            listen_later(broker, errno);
        }
        return;                     /* else the peer has given up meanwhile */
    }

    broker->deaf = false;

    len = sizeof(peer);
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1
        || !may_connect(broker, peer.uid))
    {
        codr_log(CODR_LEVEL_WARNING, 0, "connection of user %u refused",
                 (unsigned) peer.uid);
        codr_close(&sock);
        return;
    }

    codr_channel_open(broker, sock, NULL);
}


static void
take_listener(codr_broker_t *broker, int sock)
{
    codr_event_close(&broker->loop, &broker->listener);

    broker->listener = (codr_event_t) {
        .fd = sock, .handler = connection_ready, .data = broker,
    };
    if (codr_event_watch(&broker->loop, &broker->listener, EPOLLIN) < 0) {
        codr_log(CODR_LEVEL_FATAL, errno, "watch the listening socket");
    }

    /* from now on lines go to stderr: none has to wait for a worker */
    (void) codr_event_watch(&broker->loop, &broker->log, EPOLLIN);
}


/* 0, or -EPROTO; a descriptor that was taken is -1 then. */
static int
take_control(codr_broker_t *broker, const codr_control_t *control, int *fd)
{
    bool given = *fd != -1;

    switch ((codr_control_kind_t) control->kind) {

    case CODR_CONTROL_CONFIG:
        if (given) {
            take_config(broker, control->generation, codr_steal_fd(fd));
        }
        return given ? 0 : -EPROTO;

    case CODR_CONTROL_CHANNEL:
        if (given) {
            take_channel(broker, control->generation, codr_steal_fd(fd));
        }
        return given ? 0 : -EPROTO;

    case CODR_CONTROL_LISTENER:
        if (given) {
            take_listener(broker, codr_steal_fd(fd));
        }
        return given ? 0 : -EPROTO;

    case CODR_CONTROL_SPAWNER:
        if (given) {
            take_spawner(broker, codr_steal_fd(fd));
        }
        return given ? 0 : -EPROTO;

    case CODR_CONTROL_NO_SPAWNER:
        take_cause(broker, control);
        return 0;

    case CODR_CONTROL_VALIDATOR:
        if (given) {
            codr_reviewer_take(&broker->reviewer, codr_steal_fd(fd));
        }
        return given ? 0 : -EPROTO;

    case CODR_CONTROL_NO_VALIDATOR:
        codr_reviewer_none(&broker->reviewer, control->cause);
        return 0;

    case CODR_CONTROL_TOOLCHAIN:
        take_toolchain(broker, control->generation, codr_steal_fd(fd));
        return 0;

    case CODR_CONTROL_ALIVE:
        return 0;
    }

    return -EPROTO;
}


static void
control_ready(codr_event_t *event, uint32_t events)
{
    int            fd = -1, result = 0;
    ssize_t        n;
    codr_broker_t *broker = event->data;
    codr_control_t control;

    (void) events;

    n = codr_io_recv(event->fd, &control, sizeof(control), &fd, 1, NULL, NULL);
    if (n == -EAGAIN) {
        return;
    }

    if (n == (ssize_t) sizeof(control)
        && control.version == CODR_IPC_VERSION)
    {
        result = take_control(broker, &control, &fd);
    } else if (n > 0) {
        result = -EPROTO;
    }
    codr_close(&fd);

    /* without its supervisor a broker has nothing to do */
    if (n <= 0 || result < 0) {
        codr_loop_stop(&broker->loop);
    }
}


/* The log */


static void
print_line(const uint8_t *frame, size_t len)
{
    uint64_t      level = CODR_LEVEL_ERROR;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, frame + CODR_FRAME_HEADER,
                     len - CODR_FRAME_HEADER);

    while (codr_fields_next(&fields, &field) == 1) {
        if (field.tag == CODR_FIELD_LEVEL) {
            (void) codr_field_number(&field, 0, CODR_LEVEL_COUNT - 1, &level);
        } else if (field.tag == CODR_FIELD_MESSAGE) {
            (void) dprintf(STDERR_FILENO, "codr[%s]: %.*s\n",
                           codr_level_name(level), (int) field.length,
                           (const char *) field.data);
        }
    }
}


/* Lines wait in their socket until a worker is there to write them. */
static void
log_ready(codr_event_t *event, uint32_t events)
{
    ssize_t        n;
    uint8_t        frame[LOG_MESSAGE];
    codr_frame_t   header;
    codr_broker_t *broker = event->data;

    (void) events;

    if (broker->channels == NULL && broker->listener.fd == -1) {
        (void) codr_event_watch(&broker->loop, event, 0);
        return;
    }

    n = recv(event->fd, frame, sizeof(frame), MSG_DONTWAIT);
    if (n < CODR_FRAME_HEADER || codr_frame_decode(&header, frame) != 0
        || header.type != CODR_FRAME_LOG
        || header.length != (size_t) n - CODR_FRAME_HEADER)
    {
        return;
    }

    if (broker->listener.fd != -1) {
        print_line(frame, (size_t) n);
    } else {
        (void) codr_channel_tell_one(broker, frame, (size_t) n);
    }
}


/* Start */


typedef struct {
    uint32_t  uid_base;
    uint32_t  uid_count;
    uid_t     uid;
    gid_t     gid;
} options_t;


static bool
number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;

    errno = 0;
    *ret = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret <= max;
}


static int
read_options(options_t *options, int argc, char **argv)
{
    int           c;
    unsigned      base, count;
    unsigned long value;

    static const struct option table[] = {
        { "uids", required_argument, NULL, 'r' },
        { "uid", required_argument, NULL, 'u' },
        { "gid", required_argument, NULL, 'g' },
        { NULL, 0, NULL, 0 },
    };

    *options = (options_t) { .uid = getuid(), .gid = getgid() };
    optind = 2;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (c == 'r' && sscanf(optarg, "%u:%u", &base, &count) == 2) {
            options->uid_base = base;
            options->uid_count = count;
        } else if (c == 'u' && number(optarg, UINT32_MAX - 1, &value)) {
            options->uid = (uid_t) value;
        } else if (c == 'g' && number(optarg, UINT32_MAX - 1, &value)) {
            options->gid = (gid_t) value;
        } else {
            return -EINVAL;
        }
    }

    return 0;
}


static void
compute_capacity(codr_broker_t *broker)
{
    size_t slots = broker->slots.count > 1 ? broker->slots.count - 1 : 1;

    if (broker->config[0]) {
        codr_capacity_compute(&broker->capacity, broker->config[0],
                              &broker->host, slots);
    }
}


static void
raise_descriptors(void)
{
    struct rlimit files = { DESCRIPTORS, DESCRIPTORS };

    if (setrlimit(RLIMIT_NOFILE, &files) == 0
        || getrlimit(RLIMIT_NOFILE, &files) == -1)
    {
        return;
    }

    files.rlim_cur = files.rlim_max;
    (void) setrlimit(RLIMIT_NOFILE, &files);    /* then capacity is smaller */
}


static void
reviewer_changed(void *data)
{
    codr_channel_tell_status(data);
}


static int
open_broker(codr_broker_t *broker)
{
    int result = codr_loop_init(&broker->loop);

    if (result < 0) {
        return result;
    }

    broker->listener = CODR_EVENT_NONE;
    broker->control = (codr_event_t) {
        .fd = CODR_FD_CONTROL, .handler = control_ready, .data = broker,
    };
    broker->log = (codr_event_t) {
        .fd = CODR_FD_LOG, .handler = log_ready, .data = broker,
    };
    codr_probe_init(&broker->probe, broker);
    codr_headers_init(&broker->headers, broker);
    broker->shortcut = -1;
    codr_reviewer_init(&broker->reviewer, &broker->loop,
                       CODR_REVIEW_AT_ONCE * (size_t) broker->host.cpus);
    broker->reviewer.changed = reviewer_changed;
    broker->reviewer.data = broker;
    codr_pool_init(&broker->pool, broker);
    codr_results_init(&broker->results, &broker->loop.timers);

    (void) fcntl(CODR_FD_CONTROL, F_SETFL, O_RDWR | O_NONBLOCK);
    result = codr_event_watch(&broker->loop, &broker->control, EPOLLIN);
    if (result == 0) {
        result = codr_event_watch(&broker->loop, &broker->log, EPOLLIN);
    }

    return result;
}


int
codr_broker_main(int argc, char **argv)
{
    int                  result;
    options_t            options;
    const char          *lacks;
    static codr_broker_t broker;

    codr_log_init("broker", CODR_FD_LOG_SELF);
    (void) signal(SIGPIPE, SIG_IGN);

    if (read_options(&options, argc, argv) < 0) {
        codr_log(CODR_LEVEL_PANIC, EINVAL, "read the broker's options");
        return EXIT_FAILURE;
    }

    raise_descriptors();
    (void) codr_turn_short();   /* without it output may come a turn later */
    codr_capacity_host(&broker.host);
    broker.uid_base = options.uid_base;
    broker.uid_count = options.uid_count;

    result = open_broker(&broker);
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "start the broker");
        return EXIT_FAILURE;
    }

    lacks = codr_confine(&(codr_confine_t) {
        .uid = options.uid, .gid = options.gid,
    });
    if (lacks) {
        codr_log(CODR_LEVEL_WARNING, 0, "%s", lacks);
    }

    result = codr_loop_run(&broker.loop);
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "wait for events");
        return EXIT_FAILURE;
    }

    return EXIT_SUCCESS;
}
