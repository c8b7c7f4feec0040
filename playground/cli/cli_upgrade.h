/* The handshake that makes a WebSocket of a connection. */

#ifndef CLI_UPGRADE_H
#define CLI_UPGRADE_H

#include <stddef.h>

#include "cli_stream.h"

#define CLI_HEAD_MAX  16384

/* Bytes of the WebSocket that came with the server's answer. */
typedef struct {
    char   bytes[CLI_HEAD_MAX];
    size_t len;
} cli_early_t;

/*
 * Makes a WebSocket with this subprotocol; key may be NULL.  Dies with the
 * server's reason when it refuses.
 */
void cli_upgrade(cli_stream_t *stream, const cli_url_t *url, const char *key,
                 const char *protocol, cli_early_t *early);

#endif
