/*
 * Watches the toolchain.  Runs in the supervisor, which sees the host's files;
 * it looks at sizes and times only, and opens none of them.
 *
 * A package manager that changes anything says so in its own status file, and
 * last: what was compiled from a half of two versions is known as old
 * afterwards.  What is changed by hand shows if a directory of the table or a
 * program of a language changes.
 */

#define _GNU_SOURCE

#include "codr_toolchain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "codr_artefact.h"
#include "codr_log.h"
#include "codr_util.h"

#define SETTLE_US       250000
#define SHORTCUT_MAX    (16 * 1024 * 1024)
#define EVENTS      (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_CLOSE_WRITE      \
                     | IN_ONLYDIR)

/* Looked at. */
static const char *const paths[] = {
    "/var/lib/dpkg/status", "/etc/ld.so.cache",
    "/usr/bin", "/usr/include", "/usr/lib",
    "/usr/local/bin", "/usr/local/include", "/usr/local/lib",
};

/* Where something happens when one of them changes. */
static const char *const watched[] = {
    "/var/lib/dpkg", "/usr/bin", "/usr/include", "/usr/lib",
    "/usr/local/bin", "/usr/local/include", "/usr/local/lib",
};


static void
add_file(SHA2_CTX *hash, const char *path)
{
    struct stat st;
    uint64_t    is[7] = { 0 };

    if (stat(path, &st) == 0) {
        is[0] = st.st_dev;
        is[1] = st.st_ino;
        is[2] = (uint64_t) st.st_size;
        is[3] = (uint64_t) st.st_mtim.tv_sec;
        is[4] = (uint64_t) st.st_mtim.tv_nsec;
        is[5] = (uint64_t) st.st_ctim.tv_sec;
        is[6] = (uint64_t) st.st_ctim.tv_nsec;
    }

    SHA256Update(hash, (const uint8_t *) is, sizeof(is));
}


static void
add_program(SHA2_CTX *hash, const codr_list_t *command)
{
    if (command->count > 0 && command->item[0][0] == '/') {
        add_file(hash, command->item[0]);
    }
}


/* "FROM:AT" */
static void
add_bind(SHA2_CTX *hash, const char *bind)
{
    char   from[4096];
    size_t len = strcspn(bind, ":");

    if (len < sizeof(from)) {
        memcpy(from, bind, len);
        from[len] = '\0';
        add_file(hash, from);
    }
}


static uint64_t
look(const codr_config_t *config)
{
    size_t   i;
    uint8_t  digest[SHA256_DIGEST_LENGTH];
    uint64_t stamp;
    SHA2_CTX hash;

    SHA256Init(&hash);

    for (i = 0; i < CODR_ARRAY_LEN(paths); i++) {
        add_file(&hash, paths[i]);
    }
    for (i = 0; config && i < config->languages; i++) {
        add_program(&hash, &config->language[i].compile);
        add_program(&hash, &config->language[i].version);
    }
    for (i = 0; config && i < config->binds.count; i++) {
        add_bind(&hash, config->binds.item[i]);
    }

    SHA256Final(digest, &hash);
    memcpy(&stamp, digest, sizeof(stamp));
    return stamp;
}


static void
look_again(codr_toolchain_t *toolchain)
{
    uint64_t stamp = look(toolchain->config);

    if (stamp != toolchain->stamp) {
        toolchain->stamp = stamp;
        toolchain->changed(toolchain);
    }
}


static void
settled(codr_timer_t *timer)
{
    look_again(timer->data);
}


static void
something_happened(codr_event_t *event, uint32_t events)
{
    char              buffer[4096];
    codr_toolchain_t *toolchain = event->data;

    (void) events;

    while (read(event->fd, buffer, sizeof(buffer)) > 0) {
        continue;               /* what it was does not matter */
    }

    if (!codr_timer_is_set(&toolchain->timer)
        && codr_timer_set(&toolchain->loop->timers, &toolchain->timer,
                          codr_now_us() + SETTLE_US) < 0)
    {
        look_again(toolchain);
    }
}


void
codr_toolchain_open(codr_toolchain_t *toolchain, codr_loop_t *loop,
    void (*changed)(codr_toolchain_t *toolchain), void *data)
{
    size_t i;
    int    fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    *toolchain = (codr_toolchain_t) {
        .loop = loop,
        .event = { .fd = fd, .handler = something_happened,
                   .data = toolchain },
        .timer = { .handler = settled, .data = toolchain },
        .changed = changed,
        .data = data,
    };

    for (i = 0; fd != -1 && i < CODR_ARRAY_LEN(watched); i++) {
        (void) inotify_add_watch(fd, watched[i], EVENTS);   /* or not there */
    }

    if (fd == -1 || codr_event_watch(loop, &toolchain->event, EPOLLIN) < 0) {
        codr_log(CODR_LEVEL_WARNING, errno, "watch the compilers: after"
                 " changing them nginx needs a reload");
    }
}


void
codr_toolchain_configure(codr_toolchain_t *toolchain, codr_config_t *config)
{
    codr_config_unref(toolchain->config);
    toolchain->config = codr_config_ref(config);

    look_again(toolchain);
}


/* Our own executable's path with another name at its end; false when there is
   no such place. */
static bool
beside(char path[PATH_MAX], const char *name)
{
    char   *slash;
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

    if (len <= 0) {
        return false;
    }
    path[len] = '\0';

    slash = strrchr(path, '/');
    if (slash == NULL || (size_t) (slash + 1 - path) + strlen(name) + 1
                         > PATH_MAX)
    {
        return false;
    }

    memcpy(slash + 1, name, strlen(name) + 1);
    return true;
}


/* A copy, as a job that executes it could see and keep what it is a file of. */
static int
copy(codr_artefact_t *ret, int fd)
{
    int         result;
    char        buffer[4096];
    ssize_t     n;
    struct stat st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        return -EINVAL;
    }

    result = codr_artefact_begin(ret, (uint64_t) st.st_size, SHORTCUT_MAX);
    while (result == 0 && !ret->sealed) {
        n = read(fd, buffer, sizeof(buffer));
        if (n <= 0) {
            return n == 0 ? -EIO : -errno;
        }
        result = codr_artefact_add(ret, buffer, (size_t) n);
    }

    return result;
}


int
codr_toolchain_shortcut(void)
{
    int                    result = -ENOENT;
    char                   path[PATH_MAX];
    codr_artefact_t        made = CODR_ARTEFACT_NONE;
    codr_cleanup_close int fd = -1;

    if (beside(path, "codr-shortcut")) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        result = fd == -1 ? -errno : copy(&made, fd);
    }
    if (result < 0) {
        codr_artefact_free(&made);
        codr_log(CODR_LEVEL_WARNING, -result, "open codr-shortcut: compilers"
                 " are called the slower way");
        return -1;
    }

    return made.memfd;
}
