/*
 * Makes a spawner: from the host's world, with all of root's rights, into the
 * finished template root with a few of them.  Runs once, before any request,
 * and reads nothing but its arguments and the host.  Must not come to an end
 * with less than it was asked for: a required layer that is missing leaves
 * `usable` false, and then no sandbox is made.
 */

#define _GNU_SOURCE

#include "codr_spawner_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_cred.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_mnt.h"
#include "codr_ns.h"
#include "codr_nursery.h"
#include "codr_rlim.h"
#include "codr_turn.h"
#include "codr_uid.h"
#include "codr_util.h"

#define HOST_NAME       "codr"
#define SYSTEMD_RUN     "/usr/bin/systemd-run"
#define BINDS_MAX       64
#define UIDS_MAX        65536
#define SCOPE_ARGS      12

_Static_assert(BINDS_MAX + 8 <= CODR_LANDLOCK_READ_MAX, "a rule a bind");

typedef struct {
    codr_cgroup_options_t  cgroup;
    size_t                 nbinds;
    const char            *bind_from[BINDS_MAX];
    const char            *bind_at[BINDS_MAX];
    bool                   allowed[CODR_LAYER_COUNT];
    bool                   again;      /* what is missing has been said */
} options_t;

typedef struct {
    codr_layer_id_t  layer;
    unsigned long    flag;
} namespace_t;

/* Those of an init; the network is the slot's, the cgroup one init's own. */
static const namespace_t namespaces[] = {
    { CODR_LAYER_NS_PID, CLONE_NEWPID },
    { CODR_LAYER_NS_MOUNT, CLONE_NEWNS },
    { CODR_LAYER_NS_IPC, CLONE_NEWIPC },
    { CODR_LAYER_NS_UTS, CLONE_NEWUTS },
};

static const struct option long_options[] = {
    { "uids", required_argument, NULL, 'u' },
    { "cgroup", required_argument, NULL, 'c' },
    { "total-memory", required_argument, NULL, 'm' },
    { "total-cpu", required_argument, NULL, 'p' },
    { "bind", required_argument, NULL, 'b' },
    { "allow", required_argument, NULL, 'a' },
    { "again", no_argument, NULL, 'A' },
    { "in-scope", no_argument, NULL, 's' },
    { "zygote", required_argument, NULL, 'k' },
    { "parked", required_argument, NULL, 'n' },
    { "zygote-word", required_argument, NULL, 'z' },
    { "zygote-env", required_argument, NULL, 'e' },
    { "zygote-preload", required_argument, NULL, 'l' },
    { NULL, 0, NULL, 0 },
};


static int
failed(int rc, const char *tried)
{
    codr_log(CODR_LEVEL_FATAL, -rc, "%s", tried);
    return rc;
}


/* A decimal number up to the given end of the text. */
static bool
parse_number(const char *text, char end, uint64_t max, uint64_t *ret)
{
    char     *rest;
    uint64_t  value;

    errno = 0;
    value = strtoull(text, &rest, 10);
    if (errno != 0 || rest == text || *rest != end || text[0] == '-'
        || value > max)
    {
        return false;
    }

    *ret = value;
    return true;
}


/* Arguments stay as they are: a scope gets them once more. */
static bool
parse_uids(const char *text, codr_spawner_t *spawner)
{
    uint64_t    base, count;
    const char *colon = strchr(text, ':');

    if (colon == NULL || !parse_number(text, ':', UINT32_MAX, &base)
        || base == 0 || !parse_number(colon + 1, '\0', UIDS_MAX, &count)
        || count < 2 || base + count > UINT32_MAX)
    {
        return false;
    }

    spawner->first_uid = (uid_t) base;
    spawner->count = (uint32_t) count;
    return true;
}


static bool
parse_bind(const char *text, options_t *options)
{
    char       *from;
    const char *colon = strrchr(text, ':');

    if (colon == NULL || options->nbinds == BINDS_MAX) {
        return false;
    }

    from = strndup(text, (size_t) (colon - text));
    if (from == NULL) {
        return false;
    }

    options->bind_from[options->nbinds] = from;
    options->bind_at[options->nbinds++] = colon + 1;
    return true;
}


static bool
parse_allow(const char *name, options_t *options)
{
    int layer = codr_layer_by_name(name);

    if (layer >= 0) {
        options->allowed[layer] = true;
    }

    return layer >= 0;
}


static bool
parse_option(int option, codr_spawner_t *spawner, options_t *options)
{
    switch (option) {
    case 'u':
        return parse_uids(optarg, spawner);
    case 'c':
        options->cgroup.path = optarg;
        return true;
    case 'm':
        return parse_number(optarg, '\0', INT64_MAX,
                            &options->cgroup.total_memory);
    case 'p':
        return parse_number(optarg, '\0', UINT32_MAX,
                            &options->cgroup.total_cpu);
    case 'b':
        return parse_bind(optarg, options);
    case 'a':
        return parse_allow(optarg, options);

    case 'A':
        options->again = true;
        return 0;
    case 's':
        options->cgroup.in_scope = true;
        return true;
    }

    return codr_nursery_option(spawner->nursery, option, optarg);
}


/* argv without the role, which stands where an option parser expects the
   program's name. */
static int
parse(codr_spawner_t *spawner, options_t *options, int argc, char **argv)
{
    int option;

    optind = 1;
    opterr = 0;

    while ((option = getopt_long(argc - 1, argv + 1, "", long_options, NULL))
           != -1)
    {
        if (!parse_option(option, spawner, options)) {
            codr_log(CODR_LEVEL_PANIC, 0, "bad argument \"%s\" of a spawner",
                     argv[optind]);
            return -EINVAL;
        }
    }

    return spawner->count != 0 ? 0 : -EINVAL;
}


/*
 * Under systemd the tree is systemd's: a scope with Delegate=yes is the way to
 * a part of it.  systemd-run moves the process that calls it and executes what
 * follows, descriptors untouched, so the same spawner starts again inside.
 */
static int
enter_scope(int argc, char **argv)
{
    char  self[32];
    int   i, n = 0;
    char *args[SCOPE_ARGS + 1];
    char **all = calloc((size_t) argc + SCOPE_ARGS + 2, sizeof(char *));

    if (all == NULL) {
        return -ENOMEM;
    }

    (void) snprintf(self, sizeof(self), "/proc/self/fd/%d", CODR_FD_SELF);

    args[n++] = (char *) (uintptr_t) SYSTEMD_RUN;
    args[n++] = (char *) (uintptr_t) "--scope";
    args[n++] = (char *) (uintptr_t) "--quiet";
    args[n++] = (char *) (uintptr_t) "--collect";
    args[n++] = (char *) (uintptr_t) "--slice=codr.slice";
    args[n++] = (char *) (uintptr_t) "--property=Delegate=yes";
    args[n++] = (char *) (uintptr_t) "--property=CPUWeight=25";
    args[n++] = (char *) (uintptr_t) "--property=TasksMax=infinity";
    args[n++] = (char *) (uintptr_t) "--";
    args[n++] = self;
    args[n++] = argv[1];
    args[n++] = (char *) (uintptr_t) "--in-scope";

    memcpy(all, args, (size_t) n * sizeof(char *));
    for (i = 2; i < argc; i++) {
        all[n++] = argv[i];
    }

    (void) execv(SYSTEMD_RUN, all);

    i = -errno;
    free(all);
    return i;
}


/* What is ignored stays so through every exec: SIGPIPE, which our own parent
   ignores, or what a shell has for its background jobs.  The C library keeps
   two signals from its callers; the kernel does not. */
static void
ignore_nothing(void)
{
    int           signo;
    unsigned long action[4] = { 0 };    /* SIG_DFL, no flags, no mask */

    for (signo = 1; signo < NSIG; signo++) {
        (void) syscall(SYS_rt_sigaction, signo, action, NULL,
                       sizeof(action[0]));      /* not of KILL and STOP */
    }
}


/* Signals wait in a descriptor; an init inherits the mask and makes use of
   it, a program starts with an empty one. */
static int
prepare_process(codr_spawner_t *spawner)
{
    int      fd;
    sigset_t set;

    for (fd = CODR_FD_CONTROL; fd <= CODR_FD_PEER; fd++) {
        (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    (void) close(CODR_FD_SELF);     /* for the scope only */

    (void) sigfillset(&set);
    if (sigprocmask(SIG_SETMASK, &set, NULL) == -1) {
        return -errno;
    }
    ignore_nothing();

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGCHLD);
    (void) sigaddset(&set, SIGTERM);
    spawner->children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (spawner->children == -1) {
        return -errno;
    }

    codr_rlim_raise_files();
    return codr_rlim_no_core();
}


static codr_level_t
level(const options_t *options, codr_level_t first)
{
    return options->again ? CODR_LEVEL_DEBUG : first;
}


/* Uids and cgroups.  What cannot be had is a missing layer, and logged. */
static void
claim_host(codr_spawner_t *spawner, const options_t *options)
{
    int         rc, run_dir = codr_uid_run_dir();
    const char *tried = "";

    if (run_dir < 0) {
        codr_log(level(options, CODR_LEVEL_ERROR), -run_dir,
                 "open the run directory");
        codr_layer_set(&spawner->layers, CODR_LAYER_UIDS, false);
        return;
    }

    spawner->uids = codr_uid_open(run_dir);
    if (spawner->uids < 0) {
        codr_log(level(options, CODR_LEVEL_ERROR), -spawner->uids,
                 "open the uid leases");
        codr_layer_set(&spawner->layers, CODR_LAYER_UIDS, false);
    }

    rc = codr_cgroup_open(&spawner->cgroup, run_dir, &options->cgroup, &tried);
    if (rc != 0) {
        codr_log(level(options, CODR_LEVEL_ERROR), -rc, "cgroups: %s", tried);
        return;
    }

    codr_layer_set(&spawner->layers, CODR_LAYER_CGROUP, true);
    codr_layer_set(&spawner->layers, CODR_LAYER_CGROUP_CPU,
                   spawner->cgroup.has_cpu);
}


static void
judge_layers(codr_spawner_t *spawner, const options_t *options)
{
    int i;

    spawner->usable = true;

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        codr_layer_id_t layer = (codr_layer_id_t) i;

        if (options->allowed[i] && !codr_layer_waive(&spawner->layers, layer))
        {
            codr_log(level(options, CODR_LEVEL_WARNING), 0,
                     "layer \"%s\" cannot be missing", codr_layer_name(layer));
        }
        if (spawner->layers.state[i] == CODR_LAYER_MISSING) {
            spawner->usable = false;
            codr_log(level(options, CODR_LEVEL_FATAL), 0,
                     "layer \"%s\" is missing: %s", codr_layer_name(layer),
                     codr_layer_info(layer)->advice);
        }
        if (spawner->layers.state[i] == CODR_LAYER_WAIVED) {
            codr_log(level(options, CODR_LEVEL_WARNING), 0,
                     "layer \"%s\" is missing and not enforced",
                     codr_layer_name(layer));
        }
    }
}


/* Without root: a user namespace in which every slot is the first job's uid,
   as there is one uid to give. */
static int
enter_user_ns(codr_spawner_t *spawner)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    spawner->namespaces |= CLONE_NEWUSER;   /* each job one of its own, too */

    if (unshare(CLONE_NEWUSER) == -1) {
        return -errno;
    }

    return codr_ns_map(spawner->first_uid + 1, uid, spawner->first_uid + 1,
                       gid);
}


/* The spawner's own, which inits copy or, for the network, leave. */
static int
unshare_own(const codr_spawner_t *spawner)
{
    unsigned long flags = spawner->namespaces & (CLONE_NEWIPC | CLONE_NEWUTS);

    if (codr_layer_ok(&spawner->layers, CODR_LAYER_NS_NET)) {
        flags |= CLONE_NEWNET;
    }
    if (unshare((int) flags) == -1) {
        return -errno;
    }

    if ((flags & CLONE_NEWUTS)
        && (sethostname(HOST_NAME, strlen(HOST_NAME)) == -1
            || setdomainname("", 0) == -1))
    {
        return -errno;
    }

    return codr_mnt_unshare();
}


static void
open_binds(const options_t *options, codr_mnt_bind_t *binds, size_t *ret)
{
    int    fd;
    size_t i;

    *ret = 0;

    for (i = 0; i < options->nbinds; i++) {
        if (!codr_mnt_valid_place(options->bind_at[i])) {
            codr_log(CODR_LEVEL_ERROR, 0, "nothing can be bound at \"%s\"",
                     options->bind_at[i]);
            continue;
        }
        fd = codr_mnt_open(options->bind_from[i]);
        if (fd < 0) {
            codr_log(CODR_LEVEL_ERROR, -fd, "bind \"%s\"",
                     options->bind_from[i]);
            continue;
        }
        binds[(*ret)++] = (codr_mnt_bind_t) { fd, options->bind_at[i] };
    }
}


static int
build_root(codr_spawner_t *spawner, const options_t *options)
{
    int                  rc;
    size_t               i;
    const char          *tried = "", *extra;
    codr_mnt_bind_t      binds[BINDS_MAX];
    codr_mnt_template_t  plan = {
        .first_uid = spawner->first_uid,
        .uids = spawner->count,
        .binds = binds,
    };

    open_binds(options, binds, &plan.nbinds);

    rc = codr_mnt_build(&plan, &tried);
    if (rc != 0) {
        codr_log(CODR_LEVEL_FATAL, -rc, "template root: %s", tried);
        return rc;
    }

    codr_landlock_init(&spawner->landlock);
    for (i = 0; (extra = codr_mnt_extra_dir(i)) != NULL; i++) {
        (void) codr_landlock_add(&spawner->landlock, extra);
    }

    for (i = 0; i < plan.nbinds; i++) {
        codr_close(&binds[i].source);
        if (binds[i].at == NULL) {
            codr_log(CODR_LEVEL_ERROR, 0,
                     "a bind has no place in the read-only root");
        } else {
            (void) codr_landlock_add(&spawner->landlock, binds[i].at);
        }
    }

    return 0;
}


/* In a user namespace of its own, a job's mounts are made there. */
static int
open_blanks(codr_spawner_t *spawner)
{
    if (spawner->user_ns || !(spawner->namespaces & CLONE_NEWNS)) {
        return 0;
    }

    return codr_blank_open(&spawner->blanks, spawner->namespaces,
                           codr_layer_ok(&spawner->layers, CODR_LAYER_LANDLOCK)
                           ? &spawner->landlock : NULL);
}


static int
leave_host(codr_spawner_t *spawner, const options_t *options)
{
    int    rc = 0;
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(namespaces); i++) {
        if (codr_layer_ok(&spawner->layers, namespaces[i].layer)) {
            spawner->namespaces |= namespaces[i].flag;
        }
    }

    if (spawner->user_ns) {
        rc = enter_user_ns(spawner);
    }
    if (rc != 0) {
        return failed(rc, "enter a user namespace");
    }

    (void) umask(0);

    rc = unshare_own(spawner);
    if (rc != 0) {
        return failed(rc, "enter namespaces");
    }

    rc = build_root(spawner, options);
    if (rc != 0) {
        return rc;
    }

    rc = open_blanks(spawner);
    if (rc != 0) {
        return failed(rc, "open its own namespaces");
    }

    rc = codr_cred_lock();
    if (rc != 0) {
        return failed(rc, "give up privileges");
    }

    if (codr_layer_ok(&spawner->layers, CODR_LAYER_SECCOMP)) {
        rc = codr_seccomp_compile(&spawner->seccomp);
        if (rc == 0) {
            rc = codr_seccomp_load_spawner(&spawner->seccomp);
            codr_seccomp_forget(&spawner->seccomp);
        }
    }

    return rc == 0 ? 0 : failed(rc, "make the system call filter");
}


int
codr_spawner_set_up(codr_spawner_t *ret, codr_nursery_t *nursery, int argc,
    char **argv)
{
    int       rc;
    options_t options = { 0 };

    *ret = (codr_spawner_t) {
        .used = 1,
        .uids = -1,
        .children = -1,
        .user_ns = codr_layer_unprivileged(),
        .cgroup = { .version = CODR_CGROUP_NONE },
        .seccomp = { .late_fd = -1 },
        .nursery = nursery,
    };

    rc = parse(ret, &options, argc, argv);
    if (rc != 0) {
        return rc;
    }

    if (!ret->user_ns && codr_cgroup_wants_scope(&options.cgroup)) {
        return failed(enter_scope(argc, argv), "execute systemd-run");
    }

    rc = prepare_process(ret);
    if (rc != 0) {
        return failed(rc, "prepare");
    }

    ret->slots = calloc(ret->count, sizeof(*ret->slots));
    if (ret->slots == NULL) {
        return failed(-ENOMEM, "allocate slots");
    }

    codr_layer_probe(&ret->layers);
    (void) codr_turn_short();   /* without it sandboxes may be a turn late */

    if (ret->user_ns) {
        options.allowed[CODR_LAYER_UIDS] = true;
        options.allowed[CODR_LAYER_CGROUP] = true;
    } else {
        claim_host(ret, &options);
    }

    judge_layers(ret, &options);
    codr_nursery_open(nursery, ret);

    return ret->usable ? leave_host(ret, &options) : 0;
}
