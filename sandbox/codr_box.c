/*
 * The mounts of one job.  Runs in init while it still has privileges, and
 * before that in the spawner, as far as it goes there.  One tmpfs holds
 * everything a job can write, so one size and one number of inodes bound it;
 * what is written is charged to the job's memory.  The mounts end with their
 * namespace, and nothing is ever unmounted.
 */

#define _GNU_SOURCE

#include "codr_box.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "codr_ipc.h"
#include "codr_util.h"

#define STAGE       "/tmp"
#define TERMINALS   8           /* a job's own; the host's all jobs share */
#define OPTIONS_SIZE 128
#define OWN_INODES  (1 + CODR_ARRAY_LEN(parts))

typedef struct {
    const char  *name;
    const char  *at;
    mode_t       mode;
} part_t;

/* name on the tmpfs, place, mode; the stage comes last, to be covered */
static const part_t parts[] = {
    { STAGE "/box", "/box", 0755 },
    { STAGE "/shm", "/dev/shm", 01777 },
    { STAGE "/tmp", STAGE, 01777 },
};


static void
print_options(const codr_box_t *box, char text[OPTIONS_SIZE])
{
    (void) snprintf(text, OPTIONS_SIZE,
                    "size=%" PRIu64 ",nr_inodes=%" PRIu64 ",mode=0755",
                    box->disk, box->inodes + OWN_INODES);
}


int
codr_box_make(const codr_box_t *box)
{
    char   options[OPTIONS_SIZE];
    size_t i;

    print_options(box, options);
    if (mount("box", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, options) == -1) {
        return -errno;
    }

    for (i = 0; i < CODR_ARRAY_LEN(parts); i++) {
        if (mkdir(parts[i].name, parts[i].mode) == -1
            || chown(parts[i].name, box->uid, box->gid) == -1
            || mount(parts[i].name, parts[i].at, NULL, MS_BIND, NULL) == -1)
        {
            return -errno;
        }
    }

    return 0;
}


/* By one of its places, as its own is covered. */
int
codr_box_resize(const codr_box_t *box)
{
    char options[OPTIONS_SIZE];

    print_options(box, options);

    return mount(NULL, parts[0].at, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV,
                 options) == -1 ? -errno : 0;
}


/* Not of a pid namespace, and not only figures: who locks what, with which
   keys, how the host was booted. */
static const char *const hidden[] = {
    "/proc/locks", "/proc/key-users", "/proc/cmdline",
};

static int
mount_proc(void)
{
    size_t i;

    /* 2, not "invisible": the same, and older kernels know it */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "hidepid=2") == -1)
    {
        return -errno;
    }

    for (i = 0; i < CODR_ARRAY_LEN(hidden); i++) {
        if (mount("/dev/null", hidden[i], NULL, MS_BIND, NULL) == -1
            && errno != ENOENT)
        {
            return -errno;
        }
    }

    return 0;
}


static int
mount_pts(const codr_box_t *box)
{
    char options[OPTIONS_SIZE];

    (void) snprintf(options, sizeof(options),
                    "newinstance,ptmxmode=0666,mode=0600,uid=%u,gid=%u,max=%d",
                    box->uid, box->gid, TERMINALS);

    return mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 options) == -1 ? -errno : 0;
}


int
codr_box_complete(const codr_box_t *box, uint32_t *ret_step)
{
    int rc;

    *ret_step = CODR_STEP_MOUNT_PROC;
    rc = mount_proc();

    if (rc == 0 && box->terminal) {
        *ret_step = CODR_STEP_MOUNT_PTS;
        rc = mount_pts(box);
    }

    return rc;
}


int
codr_box_mount(const codr_box_t *box, uint32_t *ret_step)
{
    int rc = codr_box_make(box);

    if (rc != 0) {
        *ret_step = CODR_STEP_MOUNT_BOX;
        return rc;
    }

    return codr_box_complete(box, ret_step);
}


bool
codr_box_is_full(void)
{
    struct statfs fs;

    return statfs("/box", &fs) == 0 && (fs.f_bavail == 0 || fs.f_ffree == 0);
}
