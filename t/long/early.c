/*
 * What a program could do that has taken over the interpreter while this reads
 * it: at the very place, in C, and whether it may run or not.  Loaded into a
 * zygote for a test, once; does what the first line of /box/main.py says.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PLACE       "cpython.run_file"
#define ORDER       "# early: "
#define FDS         200
#define WORK_NS     800000000

typedef int (*hook_t)(const char *event, void *arguments, void *data);

/* As long as a reply of init's, and as an outcome of who waits. */
typedef union {
    uint32_t  word[10];
    uint32_t  outcome[3];
} lie_t;


static void
say(void)
{
    int terminal = open("/dev/tty", O_WRONLY | O_CLOEXEC);

    (void) !write(STDOUT_FILENO, "early\n", 6);
    (void) !write(STDERR_FILENO, "early\n", 6);
    if (terminal != -1) {
        (void) !write(terminal, "early\n", 6);
        (void) close(terminal);
    }
}


/* Each kind of reply, and both lengths, to whoever is at the other end. */
static void
forge(void)
{
    int      fd;
    uint32_t kind;
    lie_t    lie;

    for (fd = 3; fd < FDS; fd++) {
        for (kind = 0; kind < 8; kind++) {
            memset(&lie, 0, sizeof(lie));
            lie.word[0] = kind & 1;
            lie.word[1] = kind;
            (void) send(fd, &lie, sizeof(lie.word), MSG_DONTWAIT);
            (void) send(fd, &lie, sizeof(lie.outcome), MSG_DONTWAIT);
        }
    }
}


static void
fill(void)
{
    char *piece;

    while ((piece = malloc(1 << 20)) != NULL) {
        memset(piece, 1, 1 << 20);
    }
}


static void
leave_others(void)
{
    if (fork() == 0) {
        for ( ;; ) {
            say();
            (void) usleep(1000);
        }
    }
}


/* Nobody can tell it to run, nor hears that it has. */
static void
mute(void)
{
    say();
    (void) close_range(3, ~0U, 0);
    for ( ;; ) {
        (void) pause();
    }
}


/* More than a quota allows, and then an end. */
static void
work(void)
{
    struct timespec used;

    do {
        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while (used.tv_sec == 0 && used.tv_nsec < WORK_NS);
    _exit(0);
}


static void
act(const char *order)
{
    sigset_t all;

    (void) sigfillset(&all);
    (void) sigprocmask(SIG_SETMASK, &all, NULL);

    if (strcmp(order, "say") == 0) {
        say();
    } else if (strcmp(order, "end") == 0) {
        _exit(0);
    } else if (strcmp(order, "mute") == 0) {
        mute();
    } else if (strcmp(order, "work") == 0) {
        work();
    } else if (strcmp(order, "die") == 0) {
        (void) kill(getpid(), SIGKILL);
    } else if (strcmp(order, "fill") == 0) {
        fill();
    } else if (strcmp(order, "forge") == 0) {
        forge();
    } else if (strcmp(order, "others") == 0) {
        leave_others();
    } else if (strcmp(order, "close") == 0) {
        (void) close_range(0, ~0U, 0);
    } else if (strcmp(order, "spin") == 0) {
        for ( ;; ) {
            continue;
        }
    }
}


static int
hear(const char *event, void *arguments, void *data)
{
    char  line[64] = "";
    FILE *file;

    (void) arguments;
    (void) data;

    if (strcmp(event, PLACE) != 0) {
        return 0;
    }

    file = fopen("/box/main.py", "r");
    if (file && fgets(line, sizeof(line), file)
        && strncmp(line, ORDER, strlen(ORDER)) == 0)
    {
        (void) fclose(file);
        (void) close(open("/tmp/early", O_WRONLY | O_CREAT, 0644));
        line[strcspn(line, "\n")] = '\0';
        act(line + strlen(ORDER));
    }

    return 0;
}


void
begin(void)
{
    int (*add)(hook_t hook, void *data);

    *(void **) &add = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (add) {
        (void) add(hear, NULL);
    }
}
