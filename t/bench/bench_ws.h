/*
 * A blocking WebSocket client for benchmarks: cheap enough not to be what is
 * measured.  Dies with a message on any surprise.
 */

#ifndef BENCH_WS_H
#define BENCH_WS_H

#include <stddef.h>

typedef struct {
    int     fd;
    char   *buffer;             /* unread bytes of the server */
    size_t  size;
    size_t  start;
    size_t  end;
    char   *place;              /* where the last message was terminated */
    char    saved;              /* what stood there */
} bench_ws_t;

void bench_ws_open(bench_ws_t *ws, int port, const char *uri);

/* The same with a subprotocol; NULL: without one. */
void bench_ws_open_as(bench_ws_t *ws, int port, const char *uri,
    const char *protocol);

void bench_ws_send(bench_ws_t *ws, const char *text);

/* The next text message, NUL-terminated, valid until the next call; binary
   ones are skipped. */
char *bench_ws_receive(bench_ws_t *ws, size_t *ret_len);

/* The next one of this type; dies of an "error". */
char *bench_ws_until(bench_ws_t *ws, const char *type);

void bench_ws_close(bench_ws_t *ws);

#endif /* BENCH_WS_H */
