/*
 * The zygote's loop.  Runs in the interpreter's process, with the spawner's
 * capabilities in a user namespace of its own and none outside of it.  It reads
 * structs of numbers and descriptors from the spawner and nothing from anybody
 * else; each CLONE becomes an init that is the spawner's child, not ours.
 */

#define _GNU_SOURCE

#include "codr_zygote_serve.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_cred.h"
#include "codr_init.h"
#include "codr_io.h"
#include "codr_log.h"
#include "codr_ns.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define NAME        "codr-zygote"
#define FDS_MAX     (1 + CODR_INIT_TASKS)

typedef struct {
    const codr_interpreter_t   *interpreter;
    codr_zygote_request_t       setup;
    codr_layers_t               layers;
    codr_seccomp_t              seccomp;
    codr_landlock_t             landlock;
    codr_cgroup_t               cgroup;     /* only whether there is one */
    codr_ns_net_t              *net;        /* by slot */
} zygote_t;

static zygote_t self;


static void __attribute__((noreturn))
die(int error, const char *tried)
{
    codr_log(CODR_LEVEL_WARNING, error, "%s", tried);
    _exit(EXIT_FAILURE);
}


static void
tell(codr_zygote_answer_t kind, int32_t pid, int fd)
{
    codr_zygote_reply_t reply = {
        .version = CODR_IPC_VERSION, .kind = kind, .pid = pid,
    };

    if (codr_io_send_one(CODR_ZYGOTE_CONTROL, &reply, sizeof(reply), &fd,
                         fd >= 0) != 0)
    {
        _exit(EXIT_FAILURE);
    }
}


static void
receive(codr_zygote_request_t *request, codr_zygote_op_t op, int *fds,
    size_t max, size_t *ret_nfds)
{
    ssize_t n = codr_io_recv(CODR_ZYGOTE_CONTROL, request, sizeof(*request),
                             fds, max, ret_nfds, NULL);

    if (n == 0) {
        _exit(EXIT_SUCCESS);
    }
    if (n != sizeof(*request) || request->version != CODR_IPC_VERSION
        || request->op != op)
    {
        die(n < 0 ? (int) -n : EPROTO, "read the spawner's request");
    }
}


static void
add_landlock_paths(void)
{
    char *text = getenv(CODR_ZYGOTE_READ), *path, *rest;

    codr_landlock_init(&self.landlock);

    text = text ? strdup(text) : NULL;
    for (path = text ? strtok_r(text, ":", &rest) : NULL; path;
         path = strtok_r(NULL, ":", &rest))
    {
        if (!codr_landlock_add(&self.landlock, path)) {
            die(E2BIG, "remember what can be read");
        }
    }
}


/* Its /proc files must stay its own: a clone writes one before it is init. */
static void
enter_user_ns(void)
{
    int rc;

    rc = codr_seccomp_map(CODR_ZYGOTE_FILTER, &self.seccomp.late);
    if (rc != 0) {
        die(-rc, "map the system call filter");
    }

    if (unshare(CLONE_NEWUSER) == -1
        || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1)
    {
        die(errno, "enter a user namespace");
    }
}


/* What it makes of itself for good, each of its clones has from the start: a
   user namespace begins with all capabilities, and to take them away one by one
   is a fiftieth of all that a job takes. */
static void
lock_credentials(void)
{
    int rc = codr_cred_lock();

    if (rc != 0) {
        die(-rc, "give up capabilities");
    }
}


static void
set_up(void)
{
    size_t nfds, i;

    tell(CODR_ZYGOTE_HELLO, 0, -1);
    receive(&self.setup, CODR_ZYGOTE_SETUP, NULL, 0, &nfds);
    lock_credentials();

    memcpy(self.layers.state, self.setup.layer, sizeof(self.layers.state));
    self.cgroup.version = self.setup.limit_data ? CODR_CGROUP_NONE
                                                : CODR_CGROUP_V1;

    self.net = malloc(self.setup.slots * sizeof(*self.net));
    if (self.net == NULL) {
        die(ENOMEM, "remember network namespaces");
    }
    for (i = 0; i < self.setup.slots; i++) {
        self.net[i].fd = -1;
    }

    tell(CODR_ZYGOTE_READY, 0, -1);
}


static int
enter_net(codr_ns_net_t *net)
{
    if (!codr_layer_ok(&self.layers, CODR_LAYER_NS_NET)) {
        return 0;
    }

    codr_ns_check_net(net);     /* nobody tells a zygote of ends */
    return codr_ns_enter_net(net);
}


/* In the clone this does not return. */
static int
clone_init(const codr_zygote_request_t *request, const int *fds, size_t nfds)
{
    int                rc, into = -1;
    size_t             i;
    codr_init_zygote_t zygote = {
        .interpreter = self.interpreter,
    };
    codr_init_t        init = {
        .request = &request->spawn,
        .layers = &self.layers,
        .cgroup = &self.cgroup,
        .seccomp = &self.seccomp,
        .landlock = &self.landlock,
        .uid = request->uid,
        .socket = fds[0],
        .zygote = &zygote,
    };

    if (request->into) {
        into = nfds == 2 ? fds[1] : -1;
    } else {
        for (i = 1; i < nfds; i++) {
            zygote.tasks[zygote.ntasks++] = fds[i];
        }
    }

    rc = enter_net(&self.net[request->spawn.slot]);
    if (rc != 0) {
        return rc;
    }

    rc = codr_ns_clone(self.setup.namespaces | CLONE_PARENT, into);
    if (rc == 0) {
        codr_init_main(&init);
    }

    return rc;
}


static void
serve(void)
{
    int                   fds[FDS_MAX], pid, mounts;
    size_t                nfds;
    codr_zygote_request_t request;

    for ( ;; ) {
        nfds = 0;
        receive(&request, CODR_ZYGOTE_CLONE, fds, FDS_MAX, &nfds);
        if (nfds == 0 || request.spawn.slot >= self.setup.slots) {
            die(EPROTO, "read the spawner's request");
        }

        /* the spawner may not look there, and holds it as any other's */
        pid = clone_init(&request, fds, nfds);
        mounts = pid > 0 ? codr_ns_hold_mounts(pid) : -1;
        tell(CODR_ZYGOTE_CLONED, pid, mounts);
        codr_close(&mounts);

        while (nfds > 0) {
            codr_close(&fds[--nfds]);
        }
    }
}


void
codr_zygote_serve(const codr_interpreter_t *interpreter)
{
    self.interpreter = interpreter;
    (void) prctl(PR_SET_NAME, NAME, 0, 0, 0);   /* for who looks at ps */

    add_landlock_paths();
    enter_user_ns();
    set_up();
    serve();

    _exit(EXIT_SUCCESS);
}


bool
codr_zygote_begins(char *const *words, int argc, char *const *argv)
{
    int i;

    for (i = 0; i < argc; i++) {
        if (words[i] == NULL || strcmp(words[i], argv[i]) != 0) {
            return false;
        }
    }

    return true;
}


/* The last word.  The spawner ends who has said it, or has not read it yet: a
   process that is gone is not listened to any more. */
static void __attribute__((noreturn))
tell_and_end(codr_zygote_answer_t kind)
{
    char    byte;
    ssize_t n;

    tell(kind, 0, -1);
    do {
        n = recv(CODR_ZYGOTE_CONTROL, &byte, 1, 0);
    } while (n > 0 || (n == -1 && errno == EINTR));

    _exit(EXIT_SUCCESS);
}


void
codr_zygote_serve_test(bool parkable)
{
    tell_and_end(parkable ? CODR_ZYGOTE_PARKABLE : CODR_ZYGOTE_UNFIT);
}


void
codr_zygote_serve_not(void)
{
    tell_and_end(CODR_ZYGOTE_UNFIT);
}
