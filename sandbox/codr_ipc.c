/*
 * Names of the steps of making a sandbox and of the layers it is made of.
 * Pure.  Used by every role; layer names are what --check prints and what
 * codr_allow_missing takes, so they never change.
 */

#include "codr_ipc.h"

#include "codr_util.h"

static const char *const steps[] = {
    [CODR_STEP_NONE] = "nothing",
    [CODR_STEP_UID_LEASE] = "lease uid",
    [CODR_STEP_NETNS] = "make network namespace",
    [CODR_STEP_CGROUP_CREATE] = "create cgroup",
    [CODR_STEP_CGROUP_LIMIT] = "set cgroup limits",
    [CODR_STEP_CGROUP_ENTER] = "enter cgroup",
    [CODR_STEP_CLONE] = "clone init",
    [CODR_STEP_MOUNT_BOX] = "mount /box",
    [CODR_STEP_MOUNT_PROC] = "mount /proc",
    [CODR_STEP_MOUNT_PTS] = "mount /dev/pts",
    [CODR_STEP_TERMINAL] = "open terminal",
    [CODR_STEP_RLIMIT] = "set resource limits",
    [CODR_STEP_CREDENTIALS] = "drop privileges",
    [CODR_STEP_DUMPABLE] = "make init untouchable",
    [CODR_STEP_PDEATHSIG] = "tie init to its parent",
    [CODR_STEP_DESCRIPTION] = "read description",
    [CODR_STEP_FILES] = "write files",
    [CODR_STEP_PROGRAM] = "find program",
    [CODR_STEP_FORK] = "fork program",
    [CODR_STEP_SESSION] = "start session",
    [CODR_STEP_STDIO] = "attach standard streams",
    [CODR_STEP_LANDLOCK] = "restrict file access",
    [CODR_STEP_SECCOMP] = "load system call filter",
    [CODR_STEP_EXEC] = "execute program",
    [CODR_STEP_ARTEFACT] = "collect artefact",
};

static const char *const layers[] = {
    [CODR_LAYER_NS_PID] = "pid_namespace",
    [CODR_LAYER_NS_MOUNT] = "mount_namespace",
    [CODR_LAYER_NS_IPC] = "ipc_namespace",
    [CODR_LAYER_NS_UTS] = "uts_namespace",
    [CODR_LAYER_NS_NET] = "net_namespace",
    [CODR_LAYER_NS_CGROUP] = "cgroup_namespace",
    [CODR_LAYER_UIDS] = "uids",
    [CODR_LAYER_CAPABILITIES] = "capabilities",
    [CODR_LAYER_NO_NEW_PRIVS] = "no_new_privs",
    [CODR_LAYER_SECCOMP] = "seccomp",
    [CODR_LAYER_LANDLOCK] = "landlock",
    [CODR_LAYER_LANDLOCK_NET] = "landlock_net",
    [CODR_LAYER_LANDLOCK_SCOPE] = "landlock_scope",
    [CODR_LAYER_CGROUP] = "cgroup",
    [CODR_LAYER_CGROUP_CPU] = "cgroup_cpu",
};

_Static_assert(CODR_ARRAY_LEN(steps) == CODR_STEP_COUNT, "a name a step");
_Static_assert(CODR_ARRAY_LEN(layers) == CODR_LAYER_COUNT, "a name a layer");


const char *
codr_step_name(uint32_t step)
{
    return step < CODR_STEP_COUNT ? steps[step] : "unknown step";
}


const char *
codr_layer_name(codr_layer_id_t layer)
{
    return (unsigned) layer < CODR_LAYER_COUNT ? layers[layer]
                                               : "unknown layer";
}
