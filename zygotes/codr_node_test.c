/*
 * Runs in children of the zygote, before it has a user namespace, in a user
 * and a pid namespace of their own with a box as jobs have one.  A clone, or a
 * process that was parked, is judged by what programs print and how they end,
 * next to the same programs in an interpreter that was executed.
 */

#define _GNU_SOURCE

#include "codr_node_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_box.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_node_hot.h"
#include "codr_node_park.h"
#include "codr_ns.h"
#include "codr_terminal.h"
#include "codr_util.h"

#define OUTPUT_MAX      (128 * 1024)
#define SHOWN           60              /* characters of a difference */
#define PROGRAM_MS      60000
#define DISK            (16 * 1024 * 1024)
#define INODES          100
#define LEAVE           3               /* where a clone hears of that */
#define REFUSED         127

typedef struct {
    const char  *name;
    const char  *script;
    const char  *package;       /* package.json, or NULL */
    const char  *input;
    const char  *prompt;        /* what it says before, or NULL */
    const char  *says;          /* that it came to its end, or NULL */
    bool         terminal;
    bool         differs;       /* clones must, from each other */
    bool         refused;       /* there is never leave */
} case_t;

typedef struct {
    int     status;             /* as waitpid() has it; -1: none */
    size_t  len;
    char    text[OUTPUT_MAX];
} result_t;

typedef struct {
    const codr_interpreter_t  *interpreter;     /* NULL: it is parked */
    char *const               *argv;
    char *const               *envp;
    const char                *script;      /* its path */
    bool                       learns;      /* what its clones touch */
} ways_t;

static result_t results[2];

/* codr_node_test.js, and a NUL. */
__asm__(".section .rodata\n"
        "codr_node_test_text: .incbin \"codr_node_test.js\"\n"
        ".byte 0\n"
        ".previous\n");

extern const char facts[] __asm__("codr_node_test_text");

static const case_t cases[] = {
    {
        .name = "what it sees", .script = facts, .input = "one\ntwo\n",
        .says = "all of it",
    },
    {
        .name = "a terminal",
        .script = "console.log(process.stdout.isTTY, process.stdin.isTTY,"
                  " process.stdout.columns, process.stdout.hasColors());\n"
                  "console.log({ a: [1, 'b', null] });\n"
                  "const r = require('readline').createInterface({"
                  " input: process.stdin, output: process.stdout });\n"
                  "r.question('name? ', (a) => { console.log('hi', a);"
                  " r.close(); process.stdin.setRawMode(true); });\n",
        .input = "Ann\n", .prompt = "name? ", .terminal = true,
    },
    {
        .name = "an error nobody catches",
        .script = "console.log('a');\nsetTimeout(function late() {"
                  " null.f(); }, 1);\n",
    },
    {
        .name = "an error of the syntax",
        .script = "let a = 1;\nlet a = 2;\n",
    },
    {
        .name = "a promise that fails",
        .script = "process.on('exit', (c) => console.log('exit', c));\n"
                  "Promise.reject(new TypeError('no'));\n",
    },
    {
        .name = "modules",
        .script = "import fs, { readFileSync } from 'fs';\n"
                  "console.log(import.meta.url, typeof require,"
                  " readFileSync('/box/package.json', 'utf8'));\n"
                  "console.log((await import('os')).EOL === '\\n');\n"
                  "await new Promise(() => {});\n",
        .package = "{ \"type\": \"module\" }\n",
    },
    {
        .name = "exit codes",
        .script = "process.on('beforeExit', () => console.log('before'));\n"
                  "process.on('exit', (c) => { console.log(c);"
                  " process.exitCode = 7; });\n",
    },
    {
        .name = "process.exit()",
        .script = "console.log('x'.repeat(30000));\n"
                  "setInterval(() => process.exit(3), 1);\n",
    },
    {
        .name = "signals",
        .script = "process.kill(process.pid, 'SIGTERM');\n"
                  "setInterval(() => {}, 1000);\n",
    },
    {
        .name = "random numbers",
        .script = "const c = require('crypto');\n"
                  "console.log(Math.random(), c.randomBytes(8), c.randomUUID(),"
                  " Math.random());\n",
        .differs = true,
    },
    {
        .name = "Math.random()",
        .script = "console.log(Math.random());\n", .differs = true,
    },
    {
        .name = "a program that may not run",
        .script = "console.log('a');\n", .refused = true,
    },
    {
        .name = "modules that may not run",
        .script = "console.log('a');\n",
        .package = "{ \"type\": \"module\" }\n", .refused = true,
    },
};


static bool
write_file(const char *path, const char *text)
{
    codr_cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC
                                     | O_CLOEXEC, 0644);

    return fd >= 0 && codr_io_write_all(fd, text, strlen(text)) == 0;
}


static bool
put_files(const ways_t *ways, const case_t *one)
{
    (void) unlink("/box/package.json");

    return write_file(ways->script, one->script)
           && (one->package == NULL
               || write_file("/box/package.json", one->package));
}


/* In the program's process; with a master the streams are its terminal's. */
static void __attribute__((noreturn))
become(const ways_t *ways, bool clone, int in, int out, int master, int leave)
{
    sigset_t none;

    (void) setsid();
    if (master >= 0) {
        in = out = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
        if (in == -1 || ioctl(in, TIOCSCTTY, 0) == -1
            || codr_terminal_set(in, 80, 24, true) != 0)
        {
            _exit(126);
        }
    }
    if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1
        || dup2(out, STDERR_FILENO) == -1 || dup2(leave, LEAVE) == -1
        || close_range(LEAVE + (clone ? 1 : 0), ~0U, 0) == -1)
    {
        _exit(126);
    }

    if (clone && ways->learns) {
        codr_node_hot_learn();
    }
    if (clone) {
        ways->interpreter->wake(true);
        if (ways->interpreter->passes) {
            codr_waiting_hold(ways->interpreter, LEAVE);
        }
    }
    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    if (clone) {
        ways->interpreter->run();
    }

    (void) execve(ways->argv[0], ways->argv, ways->envp);
    _exit(127);
}


static bool
says(const result_t *result, const char *words)
{
    return words == NULL
           || memmem(result->text, result->len, words, strlen(words));
}


/* All it says until there is nobody left to say something.  On a terminal what
   is typed comes back, and has its place only behind a prompt. */
static bool
read_all(const case_t *one, int fd, result_t *ret)
{
    bool          typed = one->prompt == NULL;
    ssize_t       n;
    struct pollfd event = { .fd = fd, .events = POLLIN };

    while (ret->len < sizeof(ret->text)) {
        if (poll(&event, 1, PROGRAM_MS) != 1) {
            return false;
        }
        n = read(fd, ret->text + ret->len, sizeof(ret->text) - ret->len);
        if (n <= 0) {
            return n == 0 || errno == EIO;      /* EIO: a terminal's end */
        }
        ret->len += (size_t) n;
        if (!typed && says(ret, one->prompt)) {
            typed = true;
            (void) !write(fd, one->input, strlen(one->input));
        }
    }

    return false;
}


/* A clone, which gets leave, or none; or (new) one that is executed. */
static pid_t
start_own(const ways_t *ways, bool new, const case_t *one, int in, int out,
    int master)
{
    int   leave[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, leave) == -1) {
        return -1;
    }

    pid = _Fork();
    if (pid == 0) {
        become(ways, !new, in, out, master, leave[1]);
    }

    if (!one->refused) {
        (void) codr_waiting_allow(leave[0]);
    }
    codr_close(&leave[0]);
    codr_close(&leave[1]);

    return pid;
}


/* The process that is tested, or (new) one that is executed. */
static pid_t
start(const ways_t *ways, bool new, const case_t *one, const int *in,
    const int *out, int master)
{
    codr_node_streams_t    streams = { in[0], out[1], -1 };
    codr_cleanup_close int slave = -1;

    if (new || ways->interpreter) {
        return start_own(ways, new, one, in[0], out[1], master);
    }

    if (master >= 0) {
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave == -1 || codr_terminal_set(slave, 80, 24, true) != 0) {
            return -1;
        }
        streams.slave = slave;
    }

    return codr_node_park_start(ways->argv, ways->envp, &streams,
                                !one->refused);
}


static bool
run_streams(const ways_t *ways, bool new, const case_t *one, result_t *ret)
{
    int                    in[2], out[2];
    bool                   read;
    pid_t                  pid;
    codr_cleanup_close int master = one->terminal ? codr_terminal_open() : -1;

    if ((one->terminal && master < 0) || pipe2(in, O_CLOEXEC) == -1
        || pipe2(out, O_CLOEXEC) == -1)
    {
        return false;
    }

    if (one->input && one->prompt == NULL) {
        (void) !write(in[1], one->input, strlen(one->input));
    }
    pid = start(ways, new, one, in, out, master);
    codr_close(&in[0]);
    codr_close(&in[1]);
    codr_close(&out[1]);

    read = pid > 0 && read_all(one, one->terminal ? master : out[0], ret);
    codr_close(&out[0]);
    if (!read && pid > 0) {
        (void) kill(pid, SIGKILL);
    }

    return pid > 0 && waitpid(pid, &ret->status, 0) == pid && read;
}


static const char *
what_for(const ways_t *ways)
{
    if (ways->interpreter == NULL) {
        return "no node is parked: those that are";
    }

    return ways->interpreter->passes
           ? "clones of node do nothing ahead: those that do"
           : "no node zygote: its clones";
}


static void
tell(const ways_t *ways, const case_t *one, const result_t *expected,
    const result_t *got)
{
    size_t i = 0, start;

    while (i < expected->len && i < got->len
           && expected->text[i] == got->text[i])
    {
        i++;
    }
    start = i > SHOWN / 2 ? i - SHOWN / 2 : 0;

    codr_log(CODR_LEVEL_WARNING, 0, "%s differ in %s:"
             " status %x \"%.*s\", not %x \"%.*s\"", what_for(ways),
             one->name, got->status,
             (int) (got->len - start < SHOWN ? got->len - start : SHOWN),
             got->text + start, expected->status,
             (int) (expected->len - start < SHOWN ? expected->len - start
                                                  : SHOWN),
             expected->text + start);
}


static bool
are_equal(const result_t *a, const result_t *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}


/* Nobody hears of it. */
static bool
is_held(const ways_t *ways, const case_t *one, result_t *result)
{
    if (ways->interpreter && !ways->interpreter->passes) {
        return true;            /* it does nothing ahead */
    }

    return put_files(ways, one) && run_streams(ways, false, one, result)
           && result->len == 0 && WIFEXITED(result->status)
           && WEXITSTATUS(result->status) == REFUSED;
}


static bool
try(const ways_t *ways, const case_t *one)
{
    bool      fine;
    result_t *first = &results[0], *second = &results[1];

    first->len = second->len = 0;
    first->status = second->status = -1;

    if (one->refused) {
        fine = is_held(ways, one, second);
    } else {
        fine = put_files(ways, one)
               && run_streams(ways, !one->differs, one, first)
               && run_streams(ways, false, one, second)
               && first->status == second->status && says(first, one->says)
               && are_equal(first, second) != one->differs;
    }
    if (!fine) {
        tell(ways, one, first, second);
    }

    return fine;
}


/* What most programs do, whatever else they do. */
static const case_t usual[] = {
    { .script = "console.log('a');\n", .says = "a\n" },
    { .script = "console.log('a');\n", .says = "a\r\n", .terminal = true },
};


static void
learn(ways_t *ways)
{
    size_t    i;
    bool      fine = true;
    result_t *said = &results[0];

    ways->learns = true;
    for (i = 0; fine && i < CODR_ARRAY_LEN(usual); i++) {
        said->len = 0;
        fine = put_files(ways, &usual[i])
               && run_streams(ways, false, &usual[i], said)
               && said->status == 0 && says(said, usual[i].says);
    }
    ways->learns = false;

    if (!fine) {
        codr_node_hot_forget();
    }
}


/* Pid 1 of the test's own namespaces. */
static void __attribute__((noreturn))
test(ways_t *ways, uid_t uid)
{
    char       script[4096];
    size_t     i;
    uint32_t   step = CODR_STEP_NONE;
    codr_box_t box = {
        .uid = uid, .gid = uid, .disk = DISK, .inodes = INODES,
        .terminal = true,
    };
    int        rc = codr_box_mount(&box, &step);

    if (rc != 0 || chdir("/box") == -1) {
        codr_log(CODR_LEVEL_WARNING, rc != 0 ? -rc : errno,
                 "no node zygote: a sandbox for its test: %s",
                 codr_step_name(step));
        _exit(EXIT_FAILURE);
    }

    for (i = 0; ways->argv[i]; i++) {
        (void) snprintf(script, sizeof(script), "/box/%s", ways->argv[i]);
    }
    ways->script = script;

    for (i = 0; i < CODR_ARRAY_LEN(cases); i++) {
        if (!try(ways, &cases[i])) {
            _exit(EXIT_FAILURE);
        }
    }
    if (ways->interpreter) {
        learn(ways);
    }
    _exit(EXIT_SUCCESS);
}


static bool
wait_for(pid_t pid)
{
    int status = -1;

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && WEXITSTATUS(status) == EXIT_SUCCESS;
}


bool
codr_node_test(const codr_interpreter_t *interpreter, char *const *argv,
    char *const *envp)
{
    int    rc;
    uid_t  uid = getuid();
    pid_t  pid;
    ways_t ways = { interpreter, argv, envp, NULL, false };

    pid = _Fork();
    if (pid != 0) {
        return wait_for(pid);
    }

    rc = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC)
         == -1 ? -errno : codr_ns_map(uid, uid, uid, uid);
    if (rc != 0) {
        codr_log(CODR_LEVEL_WARNING, -rc,
                 "no node zygote: namespaces for its test");
        _exit(EXIT_FAILURE);
    }

    pid = _Fork();
    if (pid == 0) {
        test(&ways, uid);
    }
    _exit(wait_for(pid) ? EXIT_SUCCESS : EXIT_FAILURE);
}
