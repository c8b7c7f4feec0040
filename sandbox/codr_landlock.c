/*
 * Landlock.  codr_landlock_restrict() runs between fork and exec of the
 * program, in memory shared with init: no allocation, no log.  The ruleset is
 * made anew for each job, as another's would not know the job's mounts.
 * Must fail when a rule cannot be added: half a domain is none.
 */

#define _GNU_SOURCE

#include "codr_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_util.h"

/* Newer than the headers of some build hosts; the kernel's numbers. */
#define ACCESS_REFER        (1ULL << 13)    /* ABI 2 */
#define ACCESS_TRUNCATE     (1ULL << 14)    /* ABI 3 */
#define ACCESS_IOCTL_DEV    (1ULL << 15)    /* ABI 5 */

#define NET_BIND_TCP        (1ULL << 0)     /* ABI 4 */
#define NET_CONNECT_TCP     (1ULL << 1)
#define SCOPE_ABSTRACT      (1ULL << 0)     /* ABI 6 */
#define SCOPE_SIGNAL        (1ULL << 1)

#define LIST                LANDLOCK_ACCESS_FS_READ_DIR
#define READ                (LANDLOCK_ACCESS_FS_READ_FILE | LIST)
#define EXECUTE             LANDLOCK_ACCESS_FS_EXECUTE
#define WRITE               (LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define MAKE_DEVICE         (LANDLOCK_ACCESS_FS_MAKE_CHAR                     \
                             | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define CHANGE              (LANDLOCK_ACCESS_FS_REMOVE_DIR                    \
                             | LANDLOCK_ACCESS_FS_REMOVE_FILE                 \
                             | LANDLOCK_ACCESS_FS_MAKE_DIR                    \
                             | LANDLOCK_ACCESS_FS_MAKE_REG                    \
                             | LANDLOCK_ACCESS_FS_MAKE_SOCK                   \
                             | LANDLOCK_ACCESS_FS_MAKE_FIFO                   \
                             | LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER)
#define BOX                 (READ | EXECUTE | WRITE | CHANGE)
#define DEVICE              (READ | WRITE | ACCESS_IOCTL_DEV)

#define NOT_DIR             (EXECUTE | WRITE | LANDLOCK_ACCESS_FS_READ_FILE   \
                             | ACCESS_IOCTL_DEV)

typedef struct {
    uint64_t  handled_access_fs;
    uint64_t  handled_access_net;
    uint64_t  scoped;
} ruleset_attr_t;

typedef struct {
    const char  *path;
    uint64_t     access;
} rule_t;

/* path, what is allowed beneath it */
static const rule_t rules[] = {
    { "/", LIST },              /* getcwd() and ls walk through it */
    { "/usr", READ | EXECUTE },
    { "/etc", READ | EXECUTE },
    { "/dev", DEVICE },
    { "/box", BOX },
    { "/tmp", BOX },
    { "/dev/shm", BOX },
};

/* The one place that is not there before init is. */
static const rule_t own_proc = { "/proc", READ };


/* Everything a domain can handle at this ABI: what is handled and not allowed
   is refused. */
static uint64_t
handled(int abi)
{
    uint64_t access = BOX | DEVICE | MAKE_DEVICE;

    if (abi < 2) {
        access &= ~ACCESS_REFER;
    }
    if (abi < 3) {
        access &= ~ACCESS_TRUNCATE;
    }
    if (abi < 5) {
        access &= ~ACCESS_IOCTL_DEV;
    }

    return access;
}


/* The attribute has grown: an old kernel refuses more than it knows. */
static size_t
attr_size(int abi)
{
    if (abi < 4) {
        return offsetof(ruleset_attr_t, handled_access_net);
    }

    return abi < 6 ? offsetof(ruleset_attr_t, scoped)
                   : sizeof(ruleset_attr_t);
}


int
codr_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);

    return abi < 0 ? 0 : (int) abi;
}


void
codr_landlock_init(codr_landlock_t *ret)
{
    int abi = codr_landlock_abi();

    *ret = (codr_landlock_t) {
        .abi = abi,
        .net = abi >= 4,
        .scope = abi >= 6,
    };
}


bool
codr_landlock_add(codr_landlock_t *landlock, const char *path)
{
    if (landlock->nread == CODR_LANDLOCK_READ_MAX) {
        return false;
    }

    landlock->read[landlock->nread++] = path;
    return true;
}


static int
add_rule(int ruleset, const char *path, uint64_t access, bool maybe_file)
{
    codr_cleanup_close int            fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr attr = {
        .allowed_access = access,
        .parent_fd = fd,
    };

    if (fd == -1) {
        return -errno;
    }

    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                &attr, 0) == 0)
    {
        return 0;
    }

    if (errno != EINVAL || !maybe_file) {
        return -errno;
    }

    attr.allowed_access &= NOT_DIR;     /* a bound file, then */
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                   &attr, 0) == -1 ? -errno : 0;
}


static int
add_rules(int ruleset, const codr_landlock_t *landlock, uint64_t access)
{
    int    rc;
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(rules); i++) {
        rc = add_rule(ruleset, rules[i].path, rules[i].access & access, false);
        if (rc != 0) {
            return rc;
        }
    }

    for (i = 0; i < landlock->nread; i++) {
        rc = add_rule(ruleset, landlock->read[i], (READ | EXECUTE) & access,
                      true);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


/* A ruleset of everything this ABI can handle, without a rule yet. */
static int
make_ruleset(const codr_landlock_t *landlock)
{
    int            fd;
    ruleset_attr_t attr = {
        .handled_access_fs = handled(landlock->abi),
        .handled_access_net = landlock->net ? NET_BIND_TCP | NET_CONNECT_TCP
                                            : 0,
        .scoped = landlock->scope ? SCOPE_ABSTRACT | SCOPE_SIGNAL : 0,
    };

    fd = (int) syscall(SYS_landlock_create_ruleset, &attr,
                       attr_size(landlock->abi), 0);

    return fd == -1 ? -errno : fd;
}


int
codr_landlock_begin(const codr_landlock_t *landlock)
{
    int                    rc;
    codr_cleanup_close int ruleset = make_ruleset(landlock);

    if (ruleset < 0) {
        return ruleset;
    }

    rc = add_rules(ruleset, landlock, handled(landlock->abi));

    return rc == 0 ? codr_steal_fd(&ruleset) : rc;
}


int
codr_landlock_restrict(const codr_landlock_t *landlock, int begun)
{
    int                    rc;
    codr_cleanup_close int own = -1;

    if (begun < 0) {
        own = codr_landlock_begin(landlock);
        if (own < 0) {
            return own;
        }
        begun = own;
    }

    rc = add_rule(begun, own_proc.path,
                  own_proc.access & handled(landlock->abi), false);
    if (rc != 0) {
        return rc;
    }

    return syscall(SYS_landlock_restrict_self, begun, 0) == -1 ? -errno : 0;
}


int
codr_landlock_probe(void)
{
    codr_landlock_t        landlock;
    codr_cleanup_close int ruleset = -1, fd = -1;

    codr_landlock_init(&landlock);
    ruleset = make_ruleset(&landlock);
    if (ruleset < 0) {
        return ruleset;
    }

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
        || syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
    {
        return -errno;
    }

    fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd == -1 && errno == EACCES ? 0 : -EPERM;
}
