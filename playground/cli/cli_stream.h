/* A connection to the server: TCP, with TLS for https and wss. */

#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    bool  tls;
    char *host;
    char *port;
    char *path;
    char *authority;            /* host and port as the URL has them */
} cli_url_t;

typedef struct cli_stream cli_stream_t;

/* Dies for what is no http, https, ws or wss URL. */
void cli_url_parse(cli_url_t *url, const char *text);

/* Connects, and checks the server's certificate; dies when it cannot. */
cli_stream_t *cli_stream_open(const cli_url_t *url);

/* As read(2) and write(2); -1 with EAGAIN when it would wait. */
ssize_t cli_stream_read(cli_stream_t *stream, void *buf, size_t size);
ssize_t cli_stream_write(cli_stream_t *stream, const void *buf, size_t size);

int cli_stream_fd(const cli_stream_t *stream);

/* From now on it would rather fail with EAGAIN than wait. */
void cli_stream_unblock(cli_stream_t *stream);

#endif
