/* The WebSocket: messages of JSON to and from the server. */

#ifndef CLI_SOCKET_H
#define CLI_SOCKET_H

#include <jansson.h>
#include <stdbool.h>

#include "cli_stream.h"
#include "cli_upgrade.h"

/* Called for each message; the value is the caller's. */
typedef void (*cli_message_pt)(void *data, json_t *message);

typedef struct cli_socket cli_socket_t;

cli_socket_t *cli_socket_open(cli_stream_t *stream, const cli_early_t *early,
                              cli_message_pt handler, void *data);

/* Takes the message over; it goes out when the socket takes it. */
void cli_socket_send(cli_socket_t *socket, json_t *message);

/* What poll(2) is to wait for. */
short cli_socket_events(const cli_socket_t *socket);

/* Bytes that wait to be sent. */
size_t cli_socket_queued(const cli_socket_t *socket);

/* Reads and writes what can be; false when the connection is over. */
bool cli_socket_step(cli_socket_t *socket);

/* The code the server closed with, 0 when it did not say. */
unsigned cli_socket_code(const cli_socket_t *socket);

#endif
