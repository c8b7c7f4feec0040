/*
 * Peers: each gets what its manual offers against hostile programs, of the
 * kinds codr has: namespaces, no network, a view of /usr and the program.
 */

#define _GNU_SOURCE

#include "bench_peers.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX    40
#define JUDGE_PORT  5737
#define JUDGE_TRIES 500

typedef struct {
    const char         *name;
    const char         *path;       /* where Debian has it, or */
    const char         *variable;   /* of the environment, which names it */
    const char *const  *options;    /* %s is the working directory */
} peer_t;

#define OPTIONS(...)    ((const char *const[]){ __VA_ARGS__, NULL })

static const peer_t peers[BENCH_PEERS_MAX] = {
    { .name = "bubblewrap", .path = "/usr/bin/bwrap",
      .options = OPTIONS("--unshare-all", "--die-with-parent", "--clearenv",
                         "--setenv", "PATH", "/usr/bin:/bin",
                         "--ro-bind", "/usr", "/usr",
                         "--symlink", "usr/lib", "/lib",
                         "--symlink", "usr/lib64", "/lib64",
                         "--proc", "/proc", "--dev", "/dev",
                         "--tmpfs", "/tmp",
                         "--ro-bind", "%s", "/box", "--chdir", "/box") },
    { .name = "firejail", .path = "/usr/bin/firejail",
      .options = OPTIONS("--quiet", "--noprofile", "--net=none",
                         "--caps.drop=all", "--nonewprivs", "--seccomp",
                         "--private=%s") },
    { .name = "isolate", .variable = "CODR_BENCH_ISOLATE",
      .options = OPTIONS("--silent", "--processes=64", "--dir=/src=%s",
                         "--chdir=/src", "--run", "--") },
    { .name = "nsjail", .variable = "CODR_BENCH_NSJAIL",
      .options = OPTIONS("-Mo", "-Q", "--rlimit_as", "max", "-R", "/usr",
                         "-s", "usr/lib:/lib", "-s", "usr/lib64:/lib64",
                         "-T", "/tmp", "-R", "%s:/box", "-D", "/box",
                         "-E", "PATH=/usr/bin:/bin", "--") },
};

static pid_t judge = -1;


static const char *
path_of(const peer_t *peer)
{
    const char *path = peer->variable ? getenv(peer->variable) : peer->path;

    return path && access(path, X_OK) == 0 ? path : NULL;
}


static const char *
with_directory(const char *option)
{
    char       *result, *cwd;
    const char *mark = strstr(option, "%s");

    if (mark == NULL) {
        return option;
    }

    cwd = getcwd(NULL, 0);
    if (cwd == NULL
        || asprintf(&result, "%.*s%s%s", (int) (mark - option), option, cwd,
                    mark + 2) == -1)
    {
        err(1, "\"%s\"", option);
    }
    free(cwd);
    return result;
}


/* isolate's, once for all programs. */
static void
make_box(const char *path)
{
    char        command[512];
    static bool made;

    (void) snprintf(command, sizeof(command), "'%s' --init >/dev/null", path);
    if (!made && system(command) != 0) {
        errx(1, "isolate --init did not succeed");
    }
    made = true;
}


size_t
bench_peers(bench_peer_t ret[BENCH_PEERS_MAX], const char *interpreter,
    const char *file)
{
    size_t             i, n, count = 0;
    const char        *path, **argv;
    const char *const *option;

    for (i = 0; i < BENCH_PEERS_MAX; i++) {
        path = path_of(&peers[i]);
        argv = path ? calloc(ARGS_MAX, sizeof(*argv)) : NULL;
        if (argv == NULL) {
            continue;
        }

        n = 0;
        argv[n++] = path;
        for (option = peers[i].options; *option; option++) {
            argv[n++] = with_directory(*option);
        }
        argv[n++] = interpreter;
        argv[n] = file;
        ret[count++] = (bench_peer_t) { peers[i].name, argv };

        if (strcmp(peers[i].name, "isolate") == 0) {
            make_box(path);
        }
    }

    return count;
}


void
bench_peers_end(void)
{
    char        command[512];
    const char *path = getenv("CODR_BENCH_ISOLATE");

    if (path && access(path, X_OK) == 0) {
        (void) snprintf(command, sizeof(command), "'%s' --cleanup", path);
        (void) !system(command);
    }
}


static int
judge_connect(void)
{
    int                sock;
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(JUDGE_PORT),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };

    sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock != -1
        && connect(sock, (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        (void) close(sock);
        sock = -1;
    }

    return sock;
}


int
bench_judge_begin(void)
{
    int             tries, sock;
    char            address[32];
    const char     *path = getenv("CODR_BENCH_GO_JUDGE");
    struct timespec pause = { 0, 10000000 };

    if (path == NULL || access(path, X_OK) != 0) {
        return -1;
    }

    (void) snprintf(address, sizeof(address), "127.0.0.1:%d", JUDGE_PORT);
    judge = fork();
    if (judge == 0) {
        (void) execl(path, path, "-http-addr", address, "-silent", NULL);
        _exit(127);
    }

    for (tries = 0; tries < JUDGE_TRIES; tries++) {
        sock = judge_connect();
        if (sock != -1) {
            (void) close(sock);
            return 0;
        }
        (void) nanosleep(&pause, NULL);
    }
    errx(1, "go-judge does not listen");
}


void
bench_judge_run(const char *interpreter, const char *file, const char *text)
{
    int     sock = judge_connect(), len;
    char    body[1024], answer[8192];
    size_t  have = 0;
    ssize_t n;

    len = snprintf(body, sizeof(body),
        "{\"cmd\":[{\"args\":[\"%s\",\"%s\"],\"env\":[\"PATH=/usr/bin:/bin\"],"
        "\"files\":[{\"content\":\"\"},{\"name\":\"stdout\",\"max\":10240},"
        "{\"name\":\"stderr\",\"max\":10240}],\"cpuLimit\":10000000000,"
        "\"memoryLimit\":536870912,\"procLimit\":64,"
        "\"copyIn\":{\"%s\":{\"content\":\"%s\"}}}]}",
        interpreter, file, file, text);
    if (sock == -1
        || dprintf(sock, "POST /run HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\nConnection: close\r\n"
                   "Content-Length: %d\r\n\r\n%s", len, body) < 0)
    {
        err(1, "ask go-judge");
    }

    while (have < sizeof(answer) - 1
           && (n = read(sock, answer + have, sizeof(answer) - 1 - have)) > 0)
    {
        have += (size_t) n;
    }
    answer[have] = '\0';
    (void) close(sock);
    if (strstr(answer, "\"Accepted\"") == NULL) {
        errx(1, "go-judge: %.300s", answer);
    }
}


void
bench_judge_end(void)
{
    if (judge != -1) {
        (void) kill(judge, SIGTERM);
        (void) waitpid(judge, NULL, 0);
        judge = -1;
    }
}
