/*
 * The init role: pid 1 of one sandbox, a clone of the spawner that never
 * executes.  First it makes itself the job's (mounts, uid, filter), then it
 * talks to the broker: takes the description, writes the files, starts the
 * program, reaps, reports.  It runs under the job's uid next to hostile
 * processes, so it must stay undumpable, handle no signal, and believe nothing
 * that a job could have written.
 */

#define _GNU_SOURCE

#include "codr_init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codr_box.h"
#include "codr_describe.h"
#include "codr_enter.h"
#include "codr_files.h"
#include "codr_io.h"
#include "codr_program.h"
#include "codr_terminal.h"
#include "codr_util.h"

#define SOCKET          CODR_ENTER_SOCKET

/* What ps shows of a sandbox that waits, and of one whose program runs. */
#define NAME_READY      "codr-ready"
#define NAME_BUSY       "codr-init"

typedef enum {
    STATE_READY = 0,            /* waits for DESCRIBE */
    STATE_PREPARED,             /* waits for RUN */
    STATE_RUNNING
} state_t;

typedef struct {
    const codr_init_t  *given;
    state_t             state;
    int                 master;
    bool                master_sent;
    int                 slave;          /* until the program has it */
    int                 children;       /* signalfd */
    pid_t               program;
    int                 waiting;        /* to one forked ahead, or -1 */
    uint64_t            waited_us;      /* CPU time of that without a job */
    int                 gate;           /* of the program's process, or -1 */
    codr_program_t      ready;          /* what that will execute */
    bool                forked;         /* that one runs the program */
    codr_describe_t     description;
} init_t;

/* Static, as this process is cloned from one that should stay small: pages of
   it exist only here. */
static init_t  self;
static char    message[CODR_IPC_CHUNK + 1];


static void
reply(const codr_init_reply_t *answer, int fd)
{
    codr_init_reply_t out = *answer;

    out.version = CODR_IPC_VERSION;

    if (codr_io_send_one(SOCKET, &out, sizeof(out), &fd, fd >= 0) != 0) {
        _exit(1);               /* nobody listens any more */
    }
}


static void __attribute__((noreturn))
fail(uint32_t step, int error, uint64_t value)
{
    codr_init_reply_t answer = {
        .kind = CODR_INIT_FAILED,
        .step = step,
        .error = error,
        .value = value,
    };

    reply(&answer, -1);
    _exit(1);
}


/* The terminal's master side goes with the first of them. */
static void
tell(const codr_init_reply_t *answer)
{
    reply(answer, self.master_sent ? -1 : self.master);
    self.master_sent = true;
}


static void
show(const char *name)
{
    (void) prctl(PR_SET_NAME, name, 0, 0, 0);   /* only seen by people */
}


/* How far it is, unless what comes next is here already: a message more is a
   wakeup of the broker, which costs as much as a mount. */
static bool
tell_if_waiting(codr_init_answer_t kind)
{
    struct pollfd     next = { .fd = SOCKET, .events = POLLIN };
    codr_init_reply_t answer = { .kind = kind };

    if (poll(&next, 1, 0) != 0) {
        return false;
    }

    if (kind == CODR_INIT_READY) {
        show(NAME_READY);
    }
    tell(&answer);
    return true;
}


static uint64_t
cpu_us(clockid_t clock)
{
    struct timespec used = { 0 };

    (void) clock_gettime(clock, &used);

    return (uint64_t) used.tv_sec * 1000000 + (uint64_t) used.tv_nsec / 1000;
}


static uint64_t
program_cpu_us(void)
{
    clockid_t clock;

    return self.program && clock_getcpuclockid(self.program, &clock) == 0
           ? cpu_us(clock) : 0;
}


/* What it took so far, all of it before the program; with that of the process
   that was forked ahead, as long as that had no job. */
static uint64_t
own_cpu_us(void)
{
    return cpu_us(CLOCK_PROCESS_CPUTIME_ID)
           + (self.waiting >= 0 ? self.waited_us : program_cpu_us());
}


static void
check(int rc, uint32_t step)
{
    if (rc < 0) {
        fail(step, -rc, 0);
    }
}


/* What is known of every program: that of a job is yet to come. */
static codr_program_t
blank_program(const codr_init_t *given)
{
    return (codr_program_t) {
        .artefact = -1,
        .headers = -1,
        .terminal = -1,
        .limits = given->request,
        .limit_data = given->cgroup->version == CODR_CGROUP_NONE,
        .landlock = codr_layer_ok(given->layers, CODR_LAYER_LANDLOCK)
                    ? given->landlock : NULL,
        .rules = codr_enter_rules(given),
    };
}


/* The interpreter that this process is a clone of, but for being init. */
static void
fork_ahead(const codr_init_t *given)
{
    codr_program_t program = blank_program(given);
    struct pollfd  job = { .fd = SOCKET, .events = POLLIN };
    bool           spare = (given->request->flags & CODR_SPAWN_SPARE)
                           && poll(&job, 1, 0) == 0;

    self.program = codr_waiting_fork(given->zygote->interpreter, &program,
                                     spare, &self.waiting);
    check(self.program, CODR_STEP_FORK);
}


/* The interpreter, executed as ever: it waits where it would need its job. */
static void
park(const codr_init_t *given)
{
    int                   pair[2];
    uint32_t              step = CODR_STEP_NONE;
    codr_program_t        program = blank_program(given);
    codr_program_parked_t parked = { .library = CODR_ENTER_LIBRARY };

    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1
          ? -errno : 0, CODR_STEP_FORK);

    parked.sock = pair[1];
    program.argv = given->parked->argv;
    program.envp = given->parked->envp;
    program.parked = &parked;
    self.program = codr_program_start(&program, &step);
    check(self.program, step);

    (void) close(pair[1]);
    (void) close(CODR_ENTER_LIBRARY);
    self.waiting = pair[0];
}


static void
set_up(const codr_init_t *given)
{
    int      rc;
    uint32_t step = CODR_STEP_NONE;
    sigset_t children;

    rc = codr_enter_become_job(given, &step);
    check(rc, step);

    if (given->request->flags & CODR_SPAWN_TERMINAL) {
        self.master = codr_terminal_open();
        check(self.master, CODR_STEP_TERMINAL);
        self.slave = codr_terminal_control(self.master);
        check(self.slave, CODR_STEP_TERMINAL);
    }

    /* A handler would make init a target of kill(); a blocked signal is all
       it takes to be woken, and the spawner has blocked it. */
    (void) sigemptyset(&children);
    (void) sigaddset(&children, SIGCHLD);
    self.children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    check(self.children == -1 ? -errno : 0, CODR_STEP_FORK);

    if (codr_layer_ok(given->layers, CODR_LAYER_SECCOMP)) {
        check(codr_seccomp_load_init(given->seccomp), CODR_STEP_SECCOMP);
    }

    if (given->zygote) {
        fork_ahead(given);
    } else if (given->parked) {
        park(given);
    }
}


/* A probe asks for programs; the broker learns which one is not there. */
static void
check_needs(void)
{
    uint64_t i;

    for (i = 0; self.description.needs[i]; i++) {
        if (!codr_program_exists(self.description.needs[i],
                                 self.description.envp))
        {
            fail(CODR_STEP_PROGRAM, ENOENT, i);
        }
    }
}


/* For the program that is to run it. */
static void
place_artefact(void)
{
    if (self.description.flags & CODR_DESCRIBE_PLACE) {
        check(codr_files_place(self.description.artefact,
                               self.description.artefact_name),
              CODR_STEP_FILES);
        codr_close(&self.description.artefact);
    }
}


static void
set_terminal(void)
{
    const codr_describe_t *description = &self.description;

    if (description->terminal) {
        check(codr_terminal_set(self.slave, description->cols,
                                description->rows, description->echo),
              CODR_STEP_TERMINAL);
    }
}


static void
compose_program(codr_program_t *program)
{
    size_t                 i;
    const codr_describe_t *description = &self.description;

    *program = blank_program(self.given);
    program->argv = description->argv;
    program->envp = description->envp;
    program->artefact = description->artefact;
    program->headers = description->headers;
    program->terminal = description->terminal ? self.slave : -1;
    for (i = 0; i < 3; i++) {
        program->stdio[i] = description->stdio[i];
    }
}


/* What waits goes on with what its files are for, up to where its program
   would begin. */
static void
prepare_waiting(void)
{
    if (self.waiting >= 0) {
        set_terminal();
        check(codr_waiting_prepare(self.waiting), CODR_STEP_FORK);
    }
}


/* There is time before RUN: all but the exec is done in it. */
static void
prepare_program(void)
{
    uint32_t step = CODR_STEP_NONE;

    if (self.waiting >= 0 || self.description.argv[0] == NULL) {
        return;
    }

    set_terminal();
    compose_program(&self.ready);
    self.program = codr_program_prepare(&self.ready, &self.gate, &step);
    check(self.program, step);
}


/* Once the program runs, which nobody waits for then. */
static void
close_description(void)
{
    size_t i;

    codr_close(&self.description.image);
    for (i = 0; i < 3; i++) {
        codr_close(&self.description.stdio[i]);
    }
    codr_close(&self.description.artefact);
    codr_close(&self.description.headers);
}


/* The process that waits for its exec, the one that was forked ahead, or a new
   one. */
static pid_t
start_program(uint32_t *ret_step)
{
    int rc;

    if (self.gate >= 0) {
        rc = codr_program_release(self.program, &self.gate, ret_step);
        return rc < 0 ? rc : self.program;
    }

    set_terminal();
    if (self.waiting >= 0) {
        rc = codr_waiting_run(self.waiting, &self.forked, ret_step);
        self.forked = self.forked && self.given->zygote;
        codr_close(&self.waiting);
        return rc < 0 ? rc : self.program;
    }

    compose_program(&self.ready);
    return codr_program_start(&self.ready, ret_step);
}


static void
run(void)
{
    uint32_t               step = CODR_STEP_NONE;
    codr_init_reply_t      started = { .kind = CODR_INIT_STARTED };

    check(self.description.argv[0] ? 0 : -EINVAL, CODR_STEP_DESCRIPTION);
    started.value = own_cpu_us();
    started.at_us = codr_now_us();
    self.program = start_program(&step);
    check(self.program, step);

    show(NAME_BUSY);
    codr_close(&self.slave);
    close_description();
    self.state = STATE_RUNNING;
    started.flags = self.forked ? CODR_STARTED_FORKED : 0;
    tell(&started);
}


static int
write_files(void)
{
    return self.description.files
           ? codr_files_write_image(self.description.files,
                                    self.description.files_len)
           : codr_files_write(self.description.image);
}


static void
describe(size_t len, const int *fds, size_t nfds)
{
    if (self.waiting >= 0) {
        self.waited_us = program_cpu_us();
        check(codr_waiting_describe(self.waiting, message, len, fds, nfds,
                                    self.slave), CODR_STEP_DESCRIPTION);
    }

    check(codr_describe_decode(&self.description, message, len, fds, nfds),
          CODR_STEP_DESCRIPTION);
    check(self.description.terminal && self.master < 0 ? -EINVAL : 0,
          CODR_STEP_DESCRIPTION);

    check_needs();
    check(write_files(), CODR_STEP_FILES);
    place_artefact();

    self.state = STATE_PREPARED;
    if (self.description.flags & CODR_DESCRIBE_RUN) {
        run();
        return;
    }

    prepare_waiting();
    if (tell_if_waiting(CODR_INIT_PREPARED)) {
        prepare_program();
    }
}


/* To whoever the terminal says is in front, else to the program's group. */
static void
send_signal(uint32_t signo)
{
    pid_t group = 0;

    if (signo < 1 || signo >= NSIG) {
        fail(CODR_STEP_DESCRIPTION, EINVAL, 0);
    }

    if (self.state != STATE_RUNNING) {
        return;                 /* it crossed the end, or the start */
    }

    if (self.description.terminal) {
        group = codr_terminal_foreground(self.master);
    }

    (void) kill(group > 0 ? -group : -self.program, (int) signo);
}


static void
receive(void)
{
    int                 fds[CODR_DESCRIBE_FDS];
    size_t              nfds = 0;
    ssize_t             n;
    codr_init_request_t request;

    n = codr_io_recv(SOCKET, message, CODR_IPC_CHUNK, fds, CODR_DESCRIBE_FDS,
                     &nfds, NULL);
    if (n == 0) {
        _exit(1);               /* the broker has given the job up */
    }
    if (n < (ssize_t) sizeof(request)) {
        fail(CODR_STEP_DESCRIPTION, n < 0 ? (int) -n : EINVAL, 0);
    }
    memcpy(&request, message, sizeof(request));

    if (request.version != CODR_IPC_VERSION) {
        fail(CODR_STEP_DESCRIPTION, EPROTO, 0);
    }

    if (request.op == CODR_INIT_DESCRIBE && self.state == STATE_READY) {
        describe((size_t) n, fds, nfds);
    } else if (nfds > 0 || n != sizeof(request)) {
        fail(CODR_STEP_DESCRIPTION, EINVAL, 0);
    } else if (request.op == CODR_INIT_RUN && self.state == STATE_PREPARED) {
        run();
    } else if (request.op == CODR_INIT_SIGNAL) {
        send_signal(request.value);
    } else {
        fail(CODR_STEP_DESCRIPTION, EPROTO, 0);
    }
}


/* Everything but init.  Whoever lives here is its child or of its children, so
   without any there is nobody. */
static void
kill_others(void)
{
    pid_t pid;

    do {
        pid = waitpid(-1, NULL, WNOHANG | __WALL);
    } while (pid > 0);

    if (pid == -1 && errno == ECHILD) {
        return;                 /* as mostly: kill() looks at every process */
    }

    (void) kill(-1, SIGKILL);

    while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR) {
        continue;
    }
}


static bool
send_artefact(void)
{
    uint64_t               size = 0;
    codr_init_reply_t      head = { .kind = CODR_INIT_ARTEFACT };
    codr_cleanup_close int fd = -1;

    fd = codr_files_open_artefact(self.description.artefact_name,
                                  self.description.artefact_max, &size);
    if (fd < 0) {
        return false;
    }

    head.value = size;
    reply(&head, -1);

    if (codr_files_send(SOCKET, fd, size, message, CODR_IPC_CHUNK) != 0) {
        _exit(1);
    }

    return true;
}


/* Its own and that of all it has waited for: of everything. */
static uint64_t
whole_cpu_us(void)
{
    uint64_t      used = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    struct rusage children;

    if (getrusage(RUSAGE_CHILDREN, &children) == 0) {
        used += codr_rusage_cpu_us(&children);
    }

    return used;
}


/* The report is the last word on the job: what could still change a file, a
   figure or the output is gone before. */
static void __attribute__((noreturn))
finish(int wait_status)
{
    bool              keep = (self.description.flags & CODR_DESCRIBE_KEEP)
                             && WIFEXITED(wait_status)
                             && WEXITSTATUS(wait_status) == 0;
    codr_init_reply_t answer = {
        .kind = CODR_INIT_EXITED,
        .wait_status = wait_status,
        .at_us = codr_now_us(),
        .flags = codr_box_is_full() ? CODR_EXITED_DISK_FULL : 0,
    };

    kill_others();

    if (keep && !send_artefact()) {
        answer.flags |= CODR_EXITED_NO_ARTEFACT;
    }

    answer.value = whole_cpu_us();
    reply(&answer, -1);

    if (self.description.terminal) {
        codr_terminal_leave();
    }

    _exit(0);
}


/* Orphans come to pid 1; the program's end is the job's. */
static void
wait_for_children(void)
{
    int   status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid == self.program && self.state != STATE_RUNNING) {
            fail(CODR_STEP_FORK, ECHILD, 0);    /* it only had to wait */
        }
        if (pid == self.program) {
            finish(status);
        }
    }
}


/* Mostly it was the program, and nobody reads a signal any more. */
static void
reap(void)
{
    struct signalfd_siginfo info;

    wait_for_children();

    /* which signal says nothing: a job can send it to us too; and who ended
       before it was read shows no other */
    (void) !read(self.children, &info, sizeof(info));
    wait_for_children();
}


static void __attribute__((noreturn))
serve(void)
{
    struct pollfd events[] = {
        { .fd = SOCKET, .events = POLLIN },
        { .fd = self.children, .events = POLLIN },
    };

    for ( ;; ) {
        if (poll(events, CODR_ARRAY_LEN(events), -1) == -1) {
            _exit(1);
        }
        if (events[1].revents) {
            reap();
        }
        if (events[0].revents) {
            receive();
        }
    }
}


void
codr_init_main(const codr_init_t *given)
{
    int      rc;
    uint32_t step = CODR_STEP_NONE;

    self.given = given;
    self.master = -1;
    self.slave = -1;
    self.waiting = -1;
    self.gate = -1;

    rc = codr_enter_join(given, &step);
    check(rc, step);
    set_up(given);

    (void) tell_if_waiting(CODR_INIT_READY);
    serve();
}
