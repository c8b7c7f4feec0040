/*
 * A steady load on a codr location: IDLE sockets that only answer pings, and
 * RATE jobs a second, of all the ways a job may come and go: a terminal,
 * pipes, a POST, a client that leaves in the middle.  Started by t/soak/run
 * and t/sandbox/soak.t.
 *
 *     codr_soak PORT URI IDLE RATE SECONDS
 *
 * Prints "open" when the sockets stand, and in the end one line of figures:
 * jobs that ended well, otherwise, were left, did not get a place; sockets
 * that were lost; the middle and the 99th of 100 times of those that ended
 * well, in ms.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LANES           64      /* jobs at once, at most */
#define TEXT_MAX        8192    /* bytes of a job's socket that wait */
#define IDLE_MAX        128     /* of an idle one: a ping or two */
#define EVENTS          256
#define TIMES_MAX       1000000

typedef enum {
    KIND_IDLE = 0,
    KIND_TERMINAL,              /* these two on one socket, job after job */
    KIND_PIPES,
    KIND_LEAVE,                 /* closes its socket when the job has begun */
    KIND_POST
} kind_t;

typedef struct {
    int       fd;               /* -1: none */
    kind_t    kind;
    bool      busy;
    uint64_t  begun;
    size_t    length;
    size_t    size;
    char     *text;
} conn_t;

typedef struct {
    uint64_t  well;
    uint64_t  otherwise;
    uint64_t  left;
    uint64_t  missed;
    uint64_t  lost;
} counts_t;

static int       port;
static const char *uri;
static int       epoll;
static conn_t    lanes[LANES];
static counts_t  counts;
static uint32_t *times;
static size_t    ntimes;

static const char request[] =
    "{\"type\":\"execute\",\"language\":\"sh\",%s\"code\":\"%s\"}";


static uint64_t
now_us(void)
{
    struct timespec t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}


static int
dial(void)
{
    int                one = 1, fd;
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) port),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };

    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        err(1, "connect to port %d", port);
    }
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    return fd;
}


static void
watch(conn_t *conn)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event) == -1) {
        err(1, "epoll_ctl");
    }
}


/* A frame, masked with 0. */
static void
send_frame(const conn_t *conn, uint8_t op, const char *data, size_t len)
{
    size_t  head = 2;
    uint8_t frame[1024 + 16];

    frame[0] = (uint8_t) (0x80 | op);
    if (len < 126) {
        frame[1] = (uint8_t) (0x80 | len);
    } else if (len <= 1024) {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t) (len >> 8);
        frame[3] = (uint8_t) len;
        head = 4;
    } else {
        errx(1, "message too long");
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, data, len);

    /* a failure shows when reading */
    (void) send(conn->fd, frame, head + 4 + len, MSG_NOSIGNAL);
}


static void
handshake(conn_t *conn)
{
    char    answer[1024];
    size_t  have = 0;
    ssize_t n;

    conn->fd = dial();
    (void) dprintf(conn->fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", uri);

    do {
        n = read(conn->fd, answer + have, 1);   /* and nothing of a frame */
        if (n != 1 || ++have == sizeof(answer)) {
            errx(1, "no answer to a handshake");
        }
    } while (have < 4 || memcmp(answer + have - 4, "\r\n\r\n", 4) != 0);

    if (strncmp(answer, "HTTP/1.1 101", 12) != 0) {
        errx(1, "handshake refused: %.12s", answer);
    }

    conn->length = 0;
    watch(conn);
}


static void
hang_up(conn_t *conn)
{
    (void) close(conn->fd);
    conn->fd = -1;
    conn->busy = false;
    conn->length = 0;
}


static void
ended(conn_t *conn, bool well)
{
    if (!well) {
        counts.otherwise++;
    } else {
        counts.well++;
        if (ntimes < TIMES_MAX) {
            times[ntimes++] = (uint32_t) (now_us() - conn->begun);
        }
    }
    conn->busy = false;
}


static void
take_message(conn_t *conn, const char *text)
{
    if (conn->kind == KIND_LEAVE && strstr(text, "\"type\":\"started\"")) {
        counts.left++;
        hang_up(conn);
    } else if (strstr(text, "\"type\":\"complete\"")) {
        ended(conn, strstr(text, "\"status\":\"ok\"") != NULL);
    } else if (strstr(text, "\"type\":\"error\"")) {
        (void) fprintf(stderr, "%.300s\n", text);
        ended(conn, false);
    }
}


/* The bytes of the first frame, taken; 0: it is not whole yet. */
static size_t
take_frame(conn_t *conn)
{
    size_t         head = 2, len, whole;
    char           saved;
    const uint8_t *p = (const uint8_t *) conn->text;

    if (conn->length < 2) {
        return 0;
    }
    len = p[1] & 0x7f;
    if (len == 127) {
        errx(1, "a message longer than any of these jobs can make");
    }
    if (len == 126) {
        head = 4;
        len = conn->length < 4 ? 0 : (size_t) (p[2] << 8 | p[3]);
    }
    whole = head + len;
    if (conn->length < whole) {
        return 0;
    }

    if ((p[0] & 0x0f) == 9) {
        send_frame(conn, 10, conn->text + head, len);
    } else if ((p[0] & 0x0f) == 1) {
        saved = conn->text[whole];
        conn->text[whole] = '\0';
        take_message(conn, conn->text + head);
        conn->text[whole] = saved;
    }

    return whole;
}


static void
take_answer(conn_t *conn)
{
    conn->text[conn->length] = '\0';
    ended(conn, strncmp(conn->text, "HTTP/1.1 200", 12) == 0
                && strstr(conn->text, "\"status\":\"ok\"") != NULL);
    hang_up(conn);
}


static void
readable(conn_t *conn)
{
    size_t  taken;
    ssize_t n;

    n = recv(conn->fd, conn->text + conn->length,
             conn->size - conn->length - 1, MSG_DONTWAIT);
    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        if (conn->kind == KIND_POST) {
            take_answer(conn);
            return;
        }
        counts.lost++;
        counts.otherwise += conn->busy;
        hang_up(conn);
        return;
    }

    conn->length += (size_t) n;
    while (conn->kind != KIND_POST && conn->fd != -1
           && (taken = take_frame(conn)) > 0)
    {
        if (conn->fd != -1) {
            conn->length -= taken;
            memmove(conn->text, conn->text + taken, conn->length);
        }
    }

    if (conn->length + 1 >= conn->size) {
        errx(1, "more than any of these jobs can say");
    }
}


static void
post(conn_t *conn)
{
    char body[512];
    int  len = snprintf(body, sizeof(body), request, "", "echo post");

    conn->fd = dial();
    conn->length = 0;
    (void) dprintf(conn->fd, "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Connection: close\r\nContent-Type: application/json\r\n"
                   "Content-Length: %d\r\n\r\n%s", uri, len, body);
    watch(conn);
}


static void
begin(uint64_t number)
{
    int     i, len;
    char    body[512];
    conn_t *conn;
    bool    leave = number % 20 == 7, posted = number % 10 == 3;

    for (i = 0; i < LANES && lanes[i].busy; i++) { /* void */ }
    if (i == LANES) {
        counts.missed++;
        return;
    }

    conn = &lanes[i];
    conn->busy = true;
    conn->begun = now_us();

    if (posted) {
        if (conn->fd != -1) {
            (void) close(conn->fd);
        }
        conn->kind = KIND_POST;
        post(conn);
        return;
    }

    if (conn->fd == -1) {
        handshake(conn);
        conn->busy = true;
    }
    conn->kind = leave ? KIND_LEAVE : number % 2 ? KIND_TERMINAL : KIND_PIPES;
    len = leave ? snprintf(body, sizeof(body), request, "", "read x")
          : conn->kind == KIND_TERMINAL
          ? snprintf(body, sizeof(body), request, "", "echo terminal")
          : snprintf(body, sizeof(body), request, "\"stdin\":\"words\\n\",",
                     "read x; echo $x");
    send_frame(conn, 1, body, (size_t) len);
}


static void
handle(int timeout_ms)
{
    int                i, n;
    struct epoll_event events[EVENTS];

    n = epoll_wait(epoll, events, EVENTS, timeout_ms);
    for (i = 0; i < n; i++) {
        conn_t *conn = events[i].data.ptr;

        if (conn->fd != -1) {
            readable(conn);
        }
    }
}


/* Until the time is over; what does not end in another ten seconds is bad. */
static void
load(uint64_t rate, uint64_t seconds)
{
    int      i, busy = 1;
    uint64_t start = now_us(), number = 0, due;

    while (number < rate * seconds) {
        due = (now_us() - start) * rate / 1000000;
        while (number < due && number < rate * seconds) {
            begin(number++);
        }
        handle(2);
    }

    while (busy > 0 && now_us() - start < (seconds + 10) * 1000000) {
        handle(10);
        for (busy = 0, i = 0; i < LANES; i++) {
            busy += lanes[i].busy;
        }
    }
    counts.otherwise += (uint64_t) busy;
}


static conn_t *
open_idle(size_t n)
{
    size_t  i;
    conn_t *idle = calloc(n + 1, sizeof(conn_t));
    char   *text = malloc((n + 1) * IDLE_MAX);

    if (idle == NULL || text == NULL) {
        err(1, "memory");
    }

    for (i = 0; i < n; i++) {
        idle[i].text = text + i * IDLE_MAX;
        idle[i].size = IDLE_MAX;
        handshake(&idle[i]);
        if (i % 256 == 0) {
            handle(0);
        }
    }

    return idle;
}


static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return x < y ? -1 : x > y;
}


static double
percentile(unsigned percent)
{
    return ntimes ? times[(ntimes - 1) * percent / 100] / 1000.0 : 0;
}


int
main(int argc, char **argv)
{
    int i;

    if (argc != 6) {
        errx(2, "usage: codr_soak PORT URI IDLE RATE SECONDS");
    }

    port = atoi(argv[1]);
    uri = argv[2];
    epoll = epoll_create1(EPOLL_CLOEXEC);
    times = calloc(TIMES_MAX, sizeof(uint32_t));
    if (epoll == -1 || times == NULL) {
        err(1, "start");
    }
    for (i = 0; i < LANES; i++) {
        lanes[i] = (conn_t) { .fd = -1, .kind = KIND_PIPES,
                              .size = TEXT_MAX, .text = malloc(TEXT_MAX) };
        if (lanes[i].text == NULL) {
            err(1, "memory");
        }
    }

    (void) open_idle(strtoul(argv[3], NULL, 10));
    (void) puts("open");
    (void) fflush(stdout);

    load(strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));

    qsort(times, ntimes, sizeof(uint32_t), compare);
    (void) printf("well %lu otherwise %lu left %lu missed %lu lost %lu"
                  " p50 %.1f p99 %.1f\n", counts.well, counts.otherwise,
                  counts.left, counts.missed, counts.lost, percentile(50),
                  percentile(99));
    return 0;
}
