/*
 * Probes of the layers.  Each runs in a forked child, does for real what a
 * sandbox does, and looks at the effect where there is one to see: a call that
 * returns 0 proves nothing.  Runs in the spawner at start and in --check.
 */

#define _GNU_SOURCE

#include "codr_layer.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_cred.h"
#include "codr_landlock.h"
#include "codr_mnt.h"
#include "codr_ns.h"
#include "codr_seccomp.h"
#include "codr_util.h"

#define NOBODY      65534
#define LAST_CAP    63

#define AS_ROOT     "run the helper as root"
#define KERNEL(v)   "needs Linux " v " or newer, and this layer built into it"
#define USER_NS     "run as root, or allow user namespaces (sysctl "          \
                    "user.max_user_namespaces, "                              \
                    "kernel.unprivileged_userns_clone)"
#define CGROUP_HOW  "mount cgroup v2 with the memory and pids controllers "   \
                    "(or v1), run as root, or name a delegated cgroup with "  \
                    "codr_cgroup"

/* required, what it does, how to get it */
static const codr_layer_info_t infos[CODR_LAYER_COUNT] = {
    [CODR_LAYER_NS_PID] = { true,
        "a job sees and signals only its own processes", USER_NS },
    [CODR_LAYER_NS_MOUNT] = { true,
        "a job sees only its own root", USER_NS },
    [CODR_LAYER_NS_IPC] = { true,
        "a job shares no System V or POSIX queues", USER_NS },
    [CODR_LAYER_NS_UTS] = { true,
        "a job does not see the host's name", USER_NS },
    [CODR_LAYER_NS_NET] = { true,
        "a job has no network", USER_NS },
    [CODR_LAYER_NS_CGROUP] = { false,
        "a job does not see where its cgroup is", KERNEL("4.6") },
    [CODR_LAYER_UIDS] = { true,
        "each job runs under a uid of its own", AS_ROOT },
    [CODR_LAYER_CAPABILITIES] = { true,
        "a job has no capability, nor can get one", USER_NS },
    [CODR_LAYER_NO_NEW_PRIVS] = { true,
        "set-id programs give a job nothing", KERNEL("3.5") },
    [CODR_LAYER_SECCOMP] = { true,
        "a job reaches only listed system calls", KERNEL("4.14") },
    [CODR_LAYER_LANDLOCK] = { true,
        "a second wall around files",
        KERNEL("5.13") "; boot with lsm=landlock,..." },
    [CODR_LAYER_LANDLOCK_NET] = { false,
        "a second wall around TCP", KERNEL("6.7") },
    [CODR_LAYER_LANDLOCK_SCOPE] = { false,
        "a second wall around signals and abstract sockets", KERNEL("6.12") },
    [CODR_LAYER_CGROUP] = { true,
        "memory and tasks of a job are bounded and counted as a whole",
        CGROUP_HOW },
    [CODR_LAYER_CGROUP_CPU] = { false,
        "jobs yield the CPU to nginx", CGROUP_HOW },
};


const codr_layer_info_t *
codr_layer_info(codr_layer_id_t layer)
{
    return &infos[layer];
}


int
codr_layer_by_name(const char *name)
{
    int i;

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        if (strcmp(name, codr_layer_name((codr_layer_id_t) i)) == 0) {
            return i;
        }
    }

    return -1;
}


bool
codr_layer_unprivileged(void)
{
    return geteuid() != 0;
}


/* A child without root starts in a user namespace, as a sandbox would. */
static int
enter_user_ns(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (!codr_layer_unprivileged()) {
        return 0;
    }
    if (unshare(CLONE_NEWUSER) == -1) {
        return -errno;
    }

    return codr_ns_map(uid, uid, gid, gid);
}


/* True when the child has come to the end of the probe with 0. */
static bool
try(int (*probe)(void))
{
    int   status;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(enter_user_ns() == 0 && probe() == 0 ? 0 : 1);
    }

    while (pid > 0 && waitpid(pid, &status, 0) == -1) {
        if (errno != EINTR) {
            return false;
        }
    }

    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}


/* In the new pid namespace: it is 1, and may mount a proc that says so. */
static int
probe_inside_pid(void)
{
    return getpid() == 1
           && mount("proc", "/proc", "proc", MS_NOSUID, "hidepid=2") == 0
           ? 0 : -1;
}


static int
probe_pid(void)
{
    int   status;
    pid_t pid;

    if (unshare(CLONE_NEWPID) == -1 || codr_mnt_unshare() != 0) {
        return -1;
    }

    pid = fork();
    if (pid == 0) {
        _exit(probe_inside_pid() == 0 ? 0 : 1);
    }

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && WEXITSTATUS(status) == 0 ? 0 : -1;
}


static int
probe_mount(void)
{
    if (codr_mnt_unshare() != 0
        || mount("probe", "/tmp", "tmpfs", MS_NOSUID, "size=4k") == -1)
    {
        return -1;
    }

    return 0;
}


static int
probe_ipc(void)
{
    return unshare(CLONE_NEWIPC);
}


static int
probe_uts(void)
{
    return unshare(CLONE_NEWUTS) == 0 && sethostname("codr", 4) == 0 ? 0 : -1;
}


static int
probe_net(void)
{
    codr_ns_net_t net = { .fd = -1 };
    int           rc = codr_ns_enter_net(&net);

    return rc == 0 ? codr_ns_enter_net(&net) : rc;
}


static int
probe_cgroup_ns(void)
{
    return unshare(CLONE_NEWCGROUP);
}


static int
probe_uids(void)
{
    if (codr_layer_unprivileged() || setresgid(NOBODY, NOBODY, NOBODY) == -1
        || setresuid(NOBODY, NOBODY, NOBODY) == -1)
    {
        return -1;
    }

    return setuid(0) == -1 ? 0 : -1;
}


static int
probe_capabilities(void)
{
    int         cap, in_bounds;
    uint32_t    step;
    codr_cred_t cred = { geteuid(), getegid(), true };

    if (codr_cred_lock() != 0 || codr_cred_drop(&cred, &step) != 0) {
        return -1;
    }

    for (cap = 0; cap <= LAST_CAP; cap++) {
        in_bounds = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (in_bounds == -1) {
            break;
        }
        if (in_bounds == 1) {
            return -1;
        }
    }

    return unshare(CLONE_NEWNS) == -1 ? 0 : -1;     /* the effect */
}


static int
probe_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
           && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -1;
}


static int
probe_seccomp(void)
{
    codr_seccomp_t seccomp;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
        || codr_seccomp_compile(&seccomp) != 0
        || codr_seccomp_load_spawner(&seccomp) != 0
        || codr_seccomp_load_init(&seccomp) != 0)
    {
        return -1;
    }

    if (unshare(CLONE_NEWUTS) != -1 || errno != EPERM) {
        return -1;
    }

    return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 0 : -1;
}


static int
probe_landlock(void)
{
    return codr_landlock_abi() >= 1 ? codr_landlock_probe() : -1;
}


static int
probe_landlock_net(void)
{
    int                sock;
    struct sockaddr_in address = { .sin_family = AF_INET };

    if (codr_landlock_abi() < 4 || codr_landlock_probe() != 0) {
        return -1;
    }

    sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return sock >= 0
           && bind(sock, (struct sockaddr *) &address, sizeof(address)) == -1
           && errno == EACCES ? 0 : -1;
}


static int
probe_landlock_scope(void)
{
    return codr_landlock_abi() >= 6 && codr_landlock_probe() == 0
           && kill(getppid(), 0) == -1 && errno == EPERM ? 0 : -1;
}


/* NULL: found out where the cgroups are made */
static int (*const probes[CODR_LAYER_COUNT])(void) = {
    [CODR_LAYER_NS_PID] = probe_pid,
    [CODR_LAYER_NS_MOUNT] = probe_mount,
    [CODR_LAYER_NS_IPC] = probe_ipc,
    [CODR_LAYER_NS_UTS] = probe_uts,
    [CODR_LAYER_NS_NET] = probe_net,
    [CODR_LAYER_NS_CGROUP] = probe_cgroup_ns,
    [CODR_LAYER_UIDS] = probe_uids,
    [CODR_LAYER_CAPABILITIES] = probe_capabilities,
    [CODR_LAYER_NO_NEW_PRIVS] = probe_no_new_privs,
    [CODR_LAYER_SECCOMP] = probe_seccomp,
    [CODR_LAYER_LANDLOCK] = probe_landlock,
    [CODR_LAYER_LANDLOCK_NET] = probe_landlock_net,
    [CODR_LAYER_LANDLOCK_SCOPE] = probe_landlock_scope,
};


void
codr_layer_set(codr_layers_t *layers, codr_layer_id_t layer, bool there)
{
    if (there) {
        layers->state[layer] = CODR_LAYER_OK;
    } else {
        layers->state[layer] = infos[layer].required ? CODR_LAYER_MISSING
                                                     : CODR_LAYER_ABSENT;
    }
}


void
codr_layer_probe(codr_layers_t *ret)
{
    int i;

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        codr_layer_set(ret, (codr_layer_id_t) i, probes[i] && try(probes[i]));
    }
}


bool
codr_layer_waive(codr_layers_t *layers, codr_layer_id_t layer)
{
    if (layer == CODR_LAYER_NS_PID || layer == CODR_LAYER_NS_MOUNT) {
        return false;           /* ends and mounts of a job hang on them */
    }

    if (layers->state[layer] == CODR_LAYER_MISSING) {
        layers->state[layer] = CODR_LAYER_WAIVED;
    }

    return true;
}
