/*
 * Credentials.  The order matters and is the reason for this file: groups
 * before gid before uid before capabilities, and only then "not dumpable" and
 * the death signal, which the kernel resets when ids change.  Runs in the
 * spawner and in zygotes (codr_cred_lock) and in init (codr_cred_drop), never
 * in a program.
 */

#define _GNU_SOURCE

#include "codr_cred.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_ipc.h"

#define BIT(cap)    (1ULL << (cap))

/* What making a sandbox takes: mounts and namespaces (the second one to enter a
   mount namespace), the job's ids, the ends of inits that have other ids, the
   owner of a box. */
#define SPAWNER_CAPS    (BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_CHROOT)             \
                         | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL)  \
                         | BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE))

#define SECUREBITS      (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED                 \
                         | SECBIT_NO_SETUID_FIXUP                             \
                         | SECBIT_NO_SETUID_FIXUP_LOCKED                      \
                         | SECBIT_KEEP_CAPS_LOCKED                            \
                         | SECBIT_NO_CAP_AMBIENT_RAISE                        \
                         | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)


/* Effective and permitted become the given set as far as they are held. */
static int
set_capabilities(uint64_t caps)
{
    size_t                          i;
    uint32_t                        keep;
    struct __user_cap_data_struct   data[_LINUX_CAPABILITY_U32S_3] = { 0 };
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };

    if (caps != 0 && syscall(SYS_capget, &header, data) == -1) {
        return -errno;
    }

    for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        keep = (uint32_t) (caps >> (32 * i));
        data[i].permitted &= keep;
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }

    return syscall(SYS_capset, &header, data) == -1 ? -errno : 0;
}


static int
drop_bounding_set(void)
{
    int cap;

    for (cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == -1) {
            break;              /* beyond the last one of this kernel */
        }
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1) {
            return -errno;
        }
    }

    return 0;
}


int
codr_cred_lock(void)
{
    int rc;

    if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) == -1) {
        return -errno;
    }

    rc = drop_bounding_set();
    if (rc != 0) {
        return rc;
    }

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
        return -errno;
    }

    return set_capabilities(SPAWNER_CAPS);
}


static int
drop_ids(const codr_cred_t *cred)
{
    if (!cred->keep_groups && setgroups(0, NULL) == -1) {
        return -errno;
    }
    if (setresgid(cred->gid, cred->gid, cred->gid) == -1) {
        return -errno;
    }
    if (setresuid(cred->uid, cred->uid, cred->uid) == -1) {
        return -errno;
    }

    return set_capabilities(0);
}


int
codr_cred_drop(const codr_cred_t *cred, uint32_t *ret_step)
{
    int rc = drop_ids(cred);

    if (rc != 0) {
        *ret_step = CODR_STEP_CREDENTIALS;
        return rc;
    }

    /* A dumpable init could be rewritten through /proc/1/mem by the job,
       which has its uid.  Set, not only checked: fs.suid_dumpable decides
       what the change of ids has made of it. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1
        || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
    {
        *ret_step = CODR_STEP_DUMPABLE;
        return -EPERM;
    }

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1) {
        *ret_step = CODR_STEP_PDEATHSIG;
        return -errno;
    }

    return 0;
}
