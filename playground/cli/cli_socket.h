/*
 * The WebSocket: messages of JSON to and from the server and, with the
 * subprotocol codr.v1.bin, a program's bytes as they are.
 */

#ifndef CLI_SOCKET_H
#define CLI_SOCKET_H

#include <jansson.h>
#include <stdbool.h>

#include "cli_stream.h"
#include "cli_upgrade.h"

/* Of a binary message, its first byte (docs/protocol.md). */
enum { CLI_STDIN = 0, CLI_STDOUT = 1, CLI_STDERR = 2 };

/* Called for each message; the value and the bytes are the caller's. */
typedef struct {
    void (*message)(void *data, json_t *message);
    void (*bytes)(void *data, int stream, const char *bytes, size_t len);
} cli_handlers_t;

typedef struct cli_socket cli_socket_t;

cli_socket_t *cli_socket_open(cli_stream_t *stream, const cli_early_t *early,
                              const cli_handlers_t *handlers, void *data);

/* Takes the message over; it goes out when the socket takes it. */
void cli_socket_send(cli_socket_t *socket, json_t *message);

/* Sends standard input; needs codr.v1.bin, as the answer to it does. */
void cli_socket_send_input(cli_socket_t *socket, const char *bytes,
                           size_t len);

/* What poll(2) is to wait for. */
short cli_socket_events(const cli_socket_t *socket);

/* Bytes that wait to be sent. */
size_t cli_socket_queued(const cli_socket_t *socket);

/* Reads and writes what can be; false when the connection is over. */
bool cli_socket_step(cli_socket_t *socket);

/* The code the server closed with, 0 when it did not say. */
unsigned cli_socket_code(const cli_socket_t *socket);

#endif
