/*
 * Loads the compiled filters.  Runs in the spawner, in init, and in a zygote,
 * which has the last of them in a descriptor: nothing here needs the library
 * that made them.
 */

#define _GNU_SOURCE

#include "codr_seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>


int
codr_seccomp_map(int fd, struct sock_fprog *ret)
{
    void        *map;
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return -errno;
    }

    /* private: a program that has inherited it changes a copy of its own */
    map = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }

    ret->filter = map;
    ret->len = (unsigned short) ((size_t) st.st_size
                                 / sizeof(struct sock_filter));
    return 0;
}


static int
load(const struct sock_fprog *program)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == -1
           ? -errno : 0;
}


int
codr_seccomp_load_spawner(const codr_seccomp_t *seccomp)
{
    int rc = load(&seccomp->numbers);

    return rc == 0 ? load(&seccomp->arguments) : rc;
}


int
codr_seccomp_load_init(const codr_seccomp_t *seccomp)
{
    return load(&seccomp->late);
}
