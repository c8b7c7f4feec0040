/*
 * Builds the template root.  Runs in the spawner, once, before the first job;
 * everything here is the host's or ours, no byte of a job's.  Must leave no
 * way back: after codr_mnt_build() no path of the host is reachable, and what
 * is reachable can be read only.
 */

#define _GNU_SOURCE

#include "codr_mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "codr_etc.h"
#include "codr_util.h"

#define STAGE           "/tmp"  /* any directory every host has */
#define ROOT_OPTIONS    "size=16m,nr_inodes=16k,mode=0755"
#define READ_ONLY       (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID              \
                         | MOUNT_ATTR_NODEV)

typedef struct {
    const char  *path;
    mode_t       mode;
} dir_t;

typedef struct {
    const char  *name;
    unsigned     major;
    unsigned     minor;
} node_t;

typedef struct {
    const char  *path;
    const char  *target;
} link_t;

/* In this order; a job's mounts cover box, tmp, proc, dev/shm and, with a
   terminal, dev/pts. */
static const dir_t dirs[] = {
    { "usr", 0755 },
    { "etc", 0755 },
    { "dev", 0755 },
    { "dev/pts", 0755 },
    { "dev/shm", 0755 },
    { "proc", 0555 },
    { "box", 0755 },
    { "tmp", 0755 },
};

/* name, major, minor: the ones contract and C library name */
static const node_t nodes[] = {
    { "null", 1, 3 },
    { "zero", 1, 5 },
    { "full", 1, 7 },
    { "random", 1, 8 },
    { "urandom", 1, 9 },
    { "tty", 5, 0 },
};

static const link_t links[] = {
    { "dev/ptmx", "pts/ptmx" },
    { "dev/fd", "/proc/self/fd" },
    { "dev/stdin", "/proc/self/fd/0" },
    { "dev/stdout", "/proc/self/fd/1" },
    { "dev/stderr", "/proc/self/fd/2" },
};

/* Links into /usr where the host has merged them, else bound as they are. */
static const char *const merged[] = {
    "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin",
};

/* What a job's own mounts cover, or what must stay as it is. */
static const char *const reserved[] = {
    "/box", "/tmp", "/dev", "/proc", "/etc/passwd", "/etc/group",
};

static const char *extra_dirs[CODR_ARRAY_LEN(merged) + 1];


bool
codr_mnt_valid_place(const char *at)
{
    size_t i, len;

    if (at[0] != '/' || at[1] == '\0' || strstr(at, "/../") != NULL
        || strstr(at, "//") != NULL || strlen(at) >= 4096)
    {
        return false;
    }

    len = strlen(at);
    if (len >= 3 && strcmp(at + len - 3, "/..") == 0) {
        return false;
    }

    for (i = 0; i < CODR_ARRAY_LEN(reserved); i++) {
        len = strlen(reserved[i]);
        if (strncmp(at, reserved[i], len) == 0
            && (at[len] == '/' || at[len] == '\0'))
        {
            return false;
        }
    }

    return true;
}


int
codr_mnt_unshare(void)
{
    if (unshare(CLONE_NEWNS) == -1) {
        return -errno;
    }

    /* nothing that happens here may reach the host, nor the other way */
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ? -errno
                                                                   : 0;
}


int
codr_mnt_open(const char *path)
{
    int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
                                       | AT_RECURSIVE);

    return fd == -1 ? -errno : fd;
}


const char *
codr_mnt_extra_dir(size_t i)
{
    return i < CODR_ARRAY_LEN(extra_dirs) ? extra_dirs[i] : NULL;
}


/* Attaches a detached tree; attributes are only ever added to it. */
static int
attach(int tree, int root, const char *at, uint64_t attributes)
{
    struct mount_attr attr = { .attr_set = attributes };

    if (attributes != 0
        && mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                         sizeof(attr)) == -1)
    {
        return -errno;
    }

    if (move_mount(tree, "", root, at, MOVE_MOUNT_F_EMPTY_PATH) == -1) {
        return -errno;
    }

    return 0;
}


static int
make_root(int *ret_root)
{
    codr_cleanup_close int root = -1;

    if (mount("codr", STAGE, "tmpfs", MS_NOSUID, ROOT_OPTIONS) == -1) {
        return -errno;
    }

    root = open(STAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root == -1) {
        return -errno;
    }

    *ret_root = codr_steal_fd(&root);
    return 0;
}


static int
make_dirs(int root)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(dirs); i++) {
        if (mkdirat(root, dirs[i].path, dirs[i].mode) == -1) {
            return -errno;
        }
    }

    return 0;
}


static int
make_links(int root)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(links); i++) {
        if (symlinkat(links[i].target, root, links[i].path) == -1) {
            return -errno;
        }
    }

    return 0;
}


/* A node of our own, or, where none may be made (user namespace, container),
   the host's, provided it is what its name says. */
static int
make_node(int root, const node_t *node)
{
    char                   host[32], path[32];
    struct stat            st;
    codr_cleanup_close int tree = -1, fd = -1;

    (void) snprintf(host, sizeof(host), "/dev/%s", node->name);
    (void) snprintf(path, sizeof(path), "dev/%s", node->name);

    /* only the initial user namespace's tmpfs opens device nodes */
    if (mknodat(root, path, S_IFCHR | 0666,
                makedev(node->major, node->minor)) == 0)
    {
        fd = openat(root, path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 || errno == ENXIO) {
            return 0;
        }
        (void) unlinkat(root, path, 0);
    }

    fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1) {
        return -errno;
    }

    tree = open_tree(AT_FDCWD, host, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree == -1 || fstat(tree, &st) == -1) {
        return -errno;
    }
    if (!S_ISCHR(st.st_mode)
        || st.st_rdev != makedev(node->major, node->minor))
    {
        return -ENODEV;
    }

    return attach(tree, root, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}


static int
make_nodes(int root)
{
    int    rc;
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(nodes); i++) {
        rc = make_node(root, &nodes[i]);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


static int
bind_system(int root)
{
    int                    rc, n = 0;
    char                   target[256];
    size_t                 i;
    ssize_t                len;
    codr_cleanup_close int usr = codr_mnt_open("/usr");

    if (usr < 0) {
        return usr;
    }
    rc = attach(usr, root, "usr", READ_ONLY);

    for (i = 0; rc == 0 && i < CODR_ARRAY_LEN(merged); i++) {
        codr_cleanup_close int tree = -1;

        len = readlink(merged[i], target, sizeof(target) - 1);
        if (len > 0) {
            target[len] = '\0';
            rc = symlinkat(target, root, merged[i] + 1) == -1 ? -errno : 0;
            continue;
        }
        tree = codr_mnt_open(merged[i]);
        if (tree == -ENOENT) {
            continue;
        }
        if (tree < 0 || mkdirat(root, merged[i] + 1, 0755) == -1) {
            return tree < 0 ? tree : -errno;
        }
        extra_dirs[n++] = merged[i];
        rc = attach(tree, root, merged[i] + 1, READ_ONLY);
    }

    return rc;
}


/*
 * Stays mounted below the jobs' own: an unprivileged mount of proc is only
 * allowed where a whole one is in sight already, and the spawner reads its
 * namespaces here.
 */
static int
mount_proc(int root)
{
    codr_cleanup_close int fs = -1, tree = -1;

    fs = fsopen("proc", FSOPEN_CLOEXEC);
    if (fs >= 0
        && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    {
        tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
    }
    if (tree == -1) {
        tree = codr_mnt_open("/proc");
        if (tree < 0) {
            return tree;
        }
    }

    return attach(tree, root, "proc",
                  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}


/* The place of a bind: its directories are made, links are followed inside
   the new root only. */
static int
make_place(int root, const char *at, bool is_dir)
{
    int    fd = dup(root), next;
    char   name[256];
    size_t len;

    for ( ;; ) {
        at += strspn(at, "/");
        len = strcspn(at, "/");
        if (fd == -1 || len == 0 || len >= sizeof(name)) {
            break;
        }
        memcpy(name, at, len);
        name[len] = '\0';
        at += len;

        if (*at == '\0' && !is_dir) {
            next = openat(fd, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
        } else {
            struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                                    .resolve = RESOLVE_BENEATH };

            (void) mkdirat(fd, name, 0755);     /* or it is there */
            next = (int) syscall(SYS_openat2, fd, name, &how, sizeof(how));
        }
        codr_close(&fd);
        fd = next;
    }

    return fd == -1 ? -errno : fd;
}


static int
attach_bind(int root, const codr_mnt_bind_t *bind)
{
    struct stat            st;
    struct mount_attr      attr = { .attr_set = READ_ONLY };
    codr_cleanup_close int place = -1;

    if (fstat(bind->source, &st) == -1) {
        return -errno;
    }

    place = make_place(root, bind->at, S_ISDIR(st.st_mode));
    if (place < 0) {
        return place;
    }

    if (mount_setattr(bind->source, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                      sizeof(attr)) == -1
        || move_mount(bind->source, "", place, "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == -1)
    {
        return -errno;
    }

    return 0;
}


/* A bind that cannot be had takes nothing else down: a language will be
   missing its files and say so. */
static void
attach_binds(int root, codr_mnt_template_t *plan)
{
    size_t i;

    for (i = 0; i < plan->nbinds; i++) {
        if (attach_bind(root, &plan->binds[i]) != 0) {
            plan->binds[i].at = NULL;
        }
    }
}


static int
enter(int root)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY
                                           | MOUNT_ATTR_NOSUID };

    if (fchdir(root) == -1
        || syscall(SYS_pivot_root, ".", ".") == -1
        || umount2(".", MNT_DETACH) == -1      /* the host, now on top */
        || chdir("/") == -1
        || mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) == -1)
    {
        return -errno;
    }

    return 0;
}


int
codr_mnt_build(codr_mnt_template_t *plan, const char **ret_tried)
{
    int                    rc;
    codr_cleanup_close int root = -1;

    *ret_tried = "mount a new root";
    rc = make_root(&root);
    if (rc == 0) {
        *ret_tried = "make its directories";
        rc = make_dirs(root);
    }
    if (rc == 0) {
        rc = make_links(root);
    }
    if (rc == 0) {
        *ret_tried = "make its devices";
        rc = make_nodes(root);
    }
    if (rc == 0) {
        *ret_tried = "bind /usr";
        rc = bind_system(root);
    }
    if (rc == 0) {
        *ret_tried = "mount /proc";
        rc = mount_proc(root);
    }
    if (rc == 0) {
        *ret_tried = "fill /etc";
        rc = codr_etc_fill(root, plan->first_uid, plan->uids);
    }
    if (rc == 0) {
        attach_binds(root, plan);
        *ret_tried = "enter the new root";
        rc = enter(root);
    }

    return rc;
}
