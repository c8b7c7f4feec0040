/*
 * What a program can try with its own file: to write to it in every way there
 * is, and to leave something on it for the next one to see.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A source that names this directory is not kept in the cache at all. */
#define SELF    "/pr" "oc/self/exe"


static void
attack(const char *path, int flags)
{
    int   fd = open(path, flags);
    char *map;

    if (fd == -1) {
        return;
    }

    (void) fchmod(fd, 0777);
    if (write(fd, "x", 1) == 1 || pwrite(fd, "x", 1, 0) == 1) {
        puts("written");
    }
    map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) {
        map[0] = 'x';
        puts("written: mapped");
    }
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)
        == 0)
    {
        puts("written: a hole");
    }
    if (ftruncate(fd, 0) == 0) {
        puts("written: truncated");
    }
    (void) fchmod(fd, 0);
    (void) close(fd);
}


int
main(int argc, char **argv)
{
    const char  *path = argc > 2 ? argv[2] : SELF;
    struct stat  st;

    if (argc > 1 && strcmp(argv[1], "lock") == 0) {
        if (flock(open(path, O_RDONLY), LOCK_EX | LOCK_NB) == 0) {
            puts("locked");
        }
        (void) fflush(stdout);
        return getchar() == EOF ? 0 : 1;
    }

    if (argc > 2) {
        (void) close(open(path, O_WRONLY | O_CREAT, 0600));
    }
    if (stat(path, &st) == 0) {
        printf("inode %lu\n", (unsigned long) st.st_ino);
    }

    attack(path, O_RDWR);
    attack(path, O_WRONLY);
    attack(path, O_RDONLY);
    return 0;
}
