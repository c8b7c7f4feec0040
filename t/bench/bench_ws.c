/*
 * The client half of RFC 6455 that a benchmark needs: handshake, masked text
 * frames out, unmasked frames in, pings answered by nobody (runs are short).
 */

#define _GNU_SOURCE

#include "bench_ws.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


static void
fill(bench_ws_t *ws)
{
    ssize_t n;

    if (ws->start > 0) {
        memmove(ws->buffer, ws->buffer + ws->start, ws->end - ws->start);
        ws->end -= ws->start;
        ws->start = 0;
    }
    if (ws->end + 1 == ws->size) {
        ws->size *= 2;
        ws->buffer = realloc(ws->buffer, ws->size);
        if (ws->buffer == NULL) {
            err(1, "realloc");
        }
    }

    n = read(ws->fd, ws->buffer + ws->end, ws->size - ws->end - 1);
    if (n <= 0) {
        errx(1, "the server closed the connection");
    }
    ws->end += (size_t) n;
}


void
bench_ws_open(bench_ws_t *ws, int port, const char *uri)
{
    bench_ws_open_as(ws, port, uri, NULL);
}


void
bench_ws_open_as(bench_ws_t *ws, int port, const char *uri,
    const char *protocol)
{
    int                one = 1;
    char              *end;
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) port),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };

    ws->size = 256 * 1024;
    ws->start = ws->end = 0;
    ws->place = NULL;
    ws->buffer = malloc(ws->size);
    ws->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ws->buffer == NULL || ws->fd == -1
        || connect(ws->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))
           == -1)
    {
        err(1, "connect to port %d", port);
    }

    (void) dprintf(ws->fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "%s%s\r\n\r\n", uri,
                   protocol ? "Sec-WebSocket-Protocol: " : "X: ",
                   protocol ? protocol : "");

    do {
        fill(ws);
        ws->buffer[ws->end] = '\0';
        end = strstr(ws->buffer, "\r\n\r\n");
    } while (end == NULL);

    if (strncmp(ws->buffer, "HTTP/1.1 101", 12) != 0) {
        errx(1, "handshake refused: %.40s", ws->buffer);
    }
    ws->start = (size_t) (end - ws->buffer) + 4;
}


void
bench_ws_send(bench_ws_t *ws, const char *text)
{
    size_t  len = strlen(text), head = 2;
    uint8_t frame[65536 + 16];

    if (len > 65535) {
        errx(1, "message too long");
    }

    frame[0] = 0x81;
    if (len < 126) {
        frame[1] = (uint8_t) (0x80 | len);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t) (len >> 8);
        frame[3] = (uint8_t) len;
        head = 4;
    }
    memset(frame + head, 0, 4);         /* masking key 0: the text as it is */
    memcpy(frame + head + 4, text, len);

    if (write(ws->fd, frame, head + 4 + len) != (ssize_t) (head + 4 + len)) {
        err(1, "write");
    }
}


/* The size of the header at start, once it and the payload are there. */
static size_t
whole_frame(bench_ws_t *ws, size_t *ret_len)
{
    size_t         have = ws->end - ws->start, head = 2, len, i;
    const uint8_t *p = (const uint8_t *) ws->buffer + ws->start;

    if (have < 2) {
        return 0;
    }

    len = p[1] & 0x7f;
    if (len >= 126) {
        head = len == 126 ? 4 : 10;
        if (have < head) {
            return 0;
        }
        for (len = 0, i = 2; i < head; i++) {
            len = len << 8 | p[i];
        }
    }

    *ret_len = len;
    return have < head + len ? 0 : head;
}


char *
bench_ws_receive(bench_ws_t *ws, size_t *ret_len)
{
    char   *text;
    size_t  head, len = 0;

    if (ws->place) {
        *ws->place = ws->saved;
        ws->place = NULL;
    }

    for ( ;; ) {
        head = whole_frame(ws, &len);
        if (head > 0 && (ws->buffer[ws->start] & 0x0f) == 1) {
            break;
        }
        if (head > 0) {                 /* a control frame */
            ws->start += head + len;
            continue;
        }
        fill(ws);
    }

    text = ws->buffer + ws->start + head;
    ws->start += head + len;
    ws->place = text + len;
    ws->saved = *ws->place;
    *ws->place = '\0';
    *ret_len = len;
    return text;
}


/* Only what begins a message is looked at: floods must cost nothing here. */
char *
bench_ws_until(bench_ws_t *ws, const char *type)
{
    char   *text;
    size_t  len, wanted = strlen(type);

    static const char head[] = "{\"type\":\"";

    for ( ;; ) {
        text = bench_ws_receive(ws, &len);
        if (strncmp(text, head, sizeof(head) - 1) != 0) {
            errx(1, "not a message: %.300s", text);
        }
        if (strncmp(text + sizeof(head) - 1, type, wanted) == 0
            && text[sizeof(head) - 1 + wanted] == '"')
        {
            return text;
        }
        if (strncmp(text + sizeof(head) - 1, "error\"", 6) == 0) {
            errx(1, "%.300s", text);
        }
    }
}


void
bench_ws_close(bench_ws_t *ws)
{
    (void) close(ws->fd);
    free(ws->buffer);
}
