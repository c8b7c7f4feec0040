/*
 * What zygotes are executed from.  Runs in the spawner; a kind is a row of the
 * table.  The library is read once, before the host's files are gone, and
 * sealed: what a zygote loads is what was installed when the helper started.
 */

#define _GNU_SOURCE

#include "codr_zygote_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define LIBRARY_MAX     (16 * 1024 * 1024)

typedef struct {
    const char  *library;       /* beside our own executable */
    const char  *loader;        /* the variable that loads it */
    const char  *parked;        /* the same for one that is parked, or NULL */
} kind_t;

static const kind_t kinds[CODR_INTERPRETER_COUNT] = {
    [CODR_INTERPRETER_PYTHON] = {
        "codr-zygote-python.so", "LD_PRELOAD=/proc/self/fd/5", NULL,
    },
    [CODR_INTERPRETER_NODE] = {
        "codr-zygote-node.so", "LD_PRELOAD=/proc/self/fd/5",
        "LD_PRELOAD=/proc/self/fd/1001",
    },
};

_Static_assert(CODR_ZYGOTE_LIBRARY == 5, "the loader's path");
_Static_assert(CODR_PARKED_LIBRARY == 1001, "the loader's path");


bool
codr_zygote_plan_option(codr_zygote_plan_t *plan, int option,
    const char *text)
{
    size_t used;

    if (option == 'z' && plan->argc < CODR_ZYGOTE_WORDS) {
        plan->argv[plan->argc++] = text;
        return true;
    }
    if (option == 'e' && plan->envc < CODR_ZYGOTE_WORDS) {
        plan->env[plan->envc++] = text;
        return true;
    }
    if (option != 'l') {
        return false;
    }

    used = strlen(plan->preload);
    return (size_t) snprintf(plan->preload + used,
                             sizeof(plan->preload) - used, "%s%s",
                             used ? ":" : CODR_ZYGOTE_PRELOAD "=", text)
           < sizeof(plan->preload) - used;
}


static int
open_library(const char *name)
{
    char    path[4096];
    char   *slash;
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    int     fd;

    if (len <= 0) {
        return -errno;
    }
    path[len] = '\0';

    slash = strrchr(path, '/');
    if (slash == NULL
        || (size_t) (slash + 1 - path) + strlen(name) >= sizeof(path))
    {
        return -ENAMETOOLONG;
    }
    memcpy(slash + 1, name, strlen(name) + 1);

    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd == -1 ? -errno : fd;
}


/* A copy that has no path of the host, sealed. */
static int
copy_library(const char *name)
{
    int                    rc = 0;
    char                   data[16384];
    ssize_t                n, total = 0;
    codr_cleanup_close int from = open_library(name), to = -1;

    if (from < 0) {
        return from;
    }

    to = memfd_create("codr-zygote", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (to == -1) {
        return -errno;
    }

    while (rc == 0 && (n = read(from, data, sizeof(data))) > 0) {
        total += n;
        rc = total > LIBRARY_MAX ? -EFBIG
                                 : codr_io_write_all(to, data, (size_t) n);
    }
    if (rc == 0) {
        rc = codr_io_seal(to);
    }

    return rc == 0 ? codr_steal_fd(&to) : rc;
}


/* It has two descriptors of high numbers. */
static bool
has_room(void)
{
    struct rlimit files;

    return getrlimit(RLIMIT_NOFILE, &files) == 0
           && files.rlim_cur > CODR_PARKED_LIBRARY;
}


static void
prepare_parked(codr_zygote_plan_t *plan, const char *loader)
{
    plan->parkable = loader && has_room();
    memcpy(plan->parked_env, plan->env, plan->envc * sizeof(plan->env[0]));
    plan->parked_env[plan->envc] = loader;
    plan->parked_env[plan->envc + 1] = CODR_PARKED "=1";

    plan->parked = (codr_init_parked_t) {
        .argv = (char *const *) (uintptr_t) plan->argv,
        .envp = (char *const *) (uintptr_t) plan->parked_env,
        .library = plan->library,
    };
}


int
codr_zygote_plan_open(codr_zygote_plan_t *plan, codr_interpreter_kind_t kind)
{
    int fd = copy_library(kinds[kind].library);

    if (fd < 0) {
        return fd;
    }

    plan->env[plan->envc] = kinds[kind].loader;
    plan->library = fd;
    prepare_parked(plan, kinds[kind].parked);
    return 0;
}


void
codr_zygote_plan_seal(codr_zygote_plan_t *plan, const char *read)
{
    plan->env[plan->envc + 1] = read;
    plan->env[plan->envc + 2] = plan->preload[0] ? plan->preload : NULL;
}


void
codr_zygote_plan_remember(codr_zygote_plan_t *plan)
{
    if (stat(plan->argv[0], &plan->tested) == -1) {
        plan->tested = (struct stat) { 0 };
    }
}


bool
codr_zygote_plan_same(const codr_zygote_plan_t *plan)
{
    struct stat        now;
    const struct stat *then = &plan->tested;

    return stat(plan->argv[0], &now) == 0 && now.st_dev == then->st_dev
           && now.st_ino == then->st_ino && now.st_size == then->st_size
           && now.st_ctim.tv_sec == then->st_ctim.tv_sec
           && now.st_ctim.tv_nsec == then->st_ctim.tv_nsec;
}


void
codr_zygote_plan_execute(const codr_zygote_plan_t *plan, uid_t uid,
    const codr_zygote_files_t *files)
{
    int          i, fd[CODR_ZYGOTE_FDS];
    size_t       n = plan->envc + 2;
    const char  *env[CODR_ZYGOTE_WORDS + 5];
    const int    from[CODR_ZYGOTE_FDS] = {
        0, 0, 0, files->control, files->filter, plan->library, files->log,
    };

    memcpy(env, plan->env, sizeof(plan->env));
    if (files->test) {
        n += env[n] != NULL;
        env[n] = CODR_ZYGOTE_TEST "=1";
        env[n + 1] = NULL;
    }

    /* out of each other's way first */
    for (i = 0; i < CODR_ZYGOTE_FDS; i++) {
        fd[i] = fcntl(from[i], F_DUPFD, CODR_ZYGOTE_FDS);
    }
    for (i = 0; i < CODR_ZYGOTE_FDS; i++) {
        if (dup2(fd[i], i) == -1) {
            _exit(EXIT_FAILURE);
        }
    }

    if (close_range(CODR_ZYGOTE_FDS, ~0U, 0) == -1
        || setgroups(0, NULL) == -1
        || setresgid((gid_t) uid, (gid_t) uid, (gid_t) uid) == -1
        || setresuid(uid, uid, uid) == -1
        || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
    {
        _exit(EXIT_FAILURE);
    }

    (void) execve(plan->argv[0], plan->parked.argv,
                  (char *const *) (uintptr_t) env);
    _exit(EXIT_FAILURE);
}
