#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What the probes share: each check is one line of JSON on stdout, and an
 * attempt runs in a child, so that neither success nor death harms the next.
 */

#define PROBE_SECONDS   5       /* an attempt that blocks */

typedef long (*probe_attempt_t)(long argument);

typedef struct {
    long  value;
    int   error;
    bool  done;
} probe_outcome_t;


static inline void
probe_say(const char *check, const char *result)
{
    const char *p;

    printf("{\"check\":\"%s\",\"result\":\"", check);
    for (p = result; *p; p++) {
        if (*p == '"' || *p == '\\' || (unsigned char) *p < ' ') {
            printf("\\u%04x", (unsigned) (unsigned char) *p);
        } else {
            (void) putchar(*p);
        }
    }
    printf("\"}\n");
    (void) fflush(stdout);
}


static inline const char *
probe_error(int error)
{
    const char  *name = strerrorname_np(error);
    static char  number[16];

    if (name) {
        return name;
    }

    (void) snprintf(number, sizeof(number), "%d", error);
    return number;
}


/* "done", the name of the error, or of the signal that ended it. */
static inline const char *
probe_try(probe_attempt_t attempt, long argument)
{
    int              status;
    pid_t            pid;
    static char      name[32];
    probe_outcome_t *outcome = mmap(NULL, sizeof(*outcome),
                                    PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (outcome == MAP_FAILED) {
        return "no memory for a probe";
    }

    pid = fork();
    if (pid == 0) {
        (void) alarm(PROBE_SECONDS);
        errno = 0;
        outcome->value = attempt(argument);
        outcome->error = errno;
        outcome->done = true;
        _exit(0);
    }
    if (pid == -1 || waitpid(pid, &status, 0) != pid) {
        return "no process for a probe";
    }

    if (outcome->done) {
        (void) snprintf(name, sizeof(name), "%s",
                        outcome->value == -1 ? probe_error(outcome->error)
                                             : "done");
    } else {
        (void) snprintf(name, sizeof(name), "SIG%s",
                        WIFSIGNALED(status)
                        ? sigabbrev_np(WTERMSIG(status)) : "none");
    }
    (void) munmap(outcome, sizeof(*outcome));

    return name;
}


/* As many attempts as there are rows. */
typedef struct {
    const char       *name;
    probe_attempt_t   attempt;
    long              argument;
} probe_row_t;


static inline void
probe_rows(const probe_row_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        probe_say(rows[i].name, probe_try(rows[i].attempt,
                                          rows[i].argument));
    }
}


/* Each word names a group; of --control the probe may ask whether it runs
   outside. */
static bool probe_control;

static inline int
probe_main(int argc, char **argv, void (*run)(const char *group))
{
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--control") == 0) {
            probe_control = true;
        } else {
            run(argv[i]);
        }
    }

    probe_say("end", "done");
    return 0;
}

#endif /* PROBE_H */
