/* The WebSocket, by libwslay. */

#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "cli.h"
#include "cli_socket.h"

#define MESSAGE_MAX  (64 * 1024 * 1024)

struct cli_socket {
    wslay_event_context_ptr  wslay;
    cli_stream_t            *stream;
    const cli_early_t       *early;
    size_t                   early_used;
    const cli_handlers_t    *handlers;
    void                    *data;
    bool                     over;
};


static ssize_t
receive(wslay_event_context_ptr wslay, uint8_t *buf, size_t len, int flags,
        void *data)
{
    cli_socket_t *socket = data;
    size_t        left = socket->early->len - socket->early_used;
    ssize_t       got;

    (void) flags;                               /* nothing to peek or to cork */
    if (left > 0) {
        len = len < left ? len : left;
        memcpy(buf, socket->early->bytes + socket->early_used, len);
        socket->early_used += len;
        return (ssize_t) len;
    }

    got = cli_stream_read(socket->stream, buf, len);
    if (got > 0) {
        return got;
    }
    if (got < 0 && errno == EAGAIN) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
    } else {
        socket->over = true;
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
    }
    return -1;
}


static ssize_t
transmit(wslay_event_context_ptr wslay, const uint8_t *buf, size_t len,
         int flags, void *data)
{
    cli_socket_t *socket = data;
    ssize_t       sent = cli_stream_write(socket->stream, buf, len);

    (void) flags;                               /* nothing to peek or to cork */
    if (sent > 0) {
        return sent;
    }
    if (sent < 0 && errno == EAGAIN) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
    } else {
        socket->over = true;
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
    }
    return -1;
}


static int
mask(wslay_event_context_ptr wslay, uint8_t *buf, size_t len, void *data)
{
    (void) wslay;
    (void) data;
    return RAND_bytes(buf, (int) len) == 1 ? 0 : -1;
}


static void
received(wslay_event_context_ptr wslay,
         const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
    cli_socket_t *socket = data;
    const char   *bytes = (const char *) arg->msg;
    json_t       *message;

    (void) wslay;
    if (arg->opcode == WSLAY_BINARY_FRAME && arg->msg_length > 0) {
        socket->handlers->bytes(socket->data, arg->msg[0], bytes + 1,
                                arg->msg_length - 1);
    }
    if (arg->opcode != WSLAY_TEXT_FRAME) {
        return;
    }

    message = json_loadb(bytes, arg->msg_length, JSON_ALLOW_NUL, NULL);
    if (json_is_object(message)) {
        socket->handlers->message(socket->data, message);
    }
    json_decref(message);
}


cli_socket_t *
cli_socket_open(cli_stream_t *stream, const cli_early_t *early,
                const cli_handlers_t *handlers, void *data)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = receive, .send_callback = transmit,
        .genmask_callback = mask, .on_msg_recv_callback = received
    };
    cli_socket_t *socket = calloc(1, sizeof(*socket));

    if (!socket || wslay_event_context_client_init(&socket->wslay, &callbacks,
                                                   socket) != 0) {
        cli_die("out of memory");
    }
    wslay_event_config_set_max_recv_msg_length(socket->wslay, MESSAGE_MAX);
    socket->stream = stream;
    socket->early = early;
    socket->handlers = handlers;
    socket->data = data;
    cli_stream_unblock(stream);
    return socket;
}


/* What the connection's end makes pointless is no error here. */
static void
queue(cli_socket_t *socket, uint8_t opcode, const char *bytes, size_t len)
{
    struct wslay_event_msg frame = { .opcode = opcode,
                                     .msg = (const uint8_t *) bytes,
                                     .msg_length = len };

    if (wslay_event_queue_msg(socket->wslay, &frame)
        == WSLAY_ERR_NOMEM) {
        cli_die("out of memory");
    }
}


void
cli_socket_send(cli_socket_t *socket, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);

    if (!text) {
        cli_die("out of memory");
    }
    queue(socket, WSLAY_TEXT_FRAME, text, strlen(text));
    free(text);
    json_decref(message);
}


void
cli_socket_send_input(cli_socket_t *socket, const char *bytes, size_t len)
{
    char *frame = malloc(1 + len);

    if (!frame) {
        cli_die("out of memory");
    }
    frame[0] = CLI_STDIN;
    memcpy(frame + 1, bytes, len);
    queue(socket, WSLAY_BINARY_FRAME, frame, 1 + len);
    free(frame);
}


short
cli_socket_events(const cli_socket_t *socket)
{
    return (short) (POLLIN
                    | (wslay_event_want_write(socket->wslay) ? POLLOUT : 0));
}


size_t
cli_socket_queued(const cli_socket_t *socket)
{
    return wslay_event_get_queued_msg_length(socket->wslay);
}


bool
cli_socket_step(cli_socket_t *socket)
{
    if (wslay_event_send(socket->wslay) != 0
        || wslay_event_recv(socket->wslay) != 0
        || wslay_event_send(socket->wslay) != 0) {
        socket->over = true;
    }
    return !socket->over && !wslay_event_get_close_received(socket->wslay);
}


unsigned
cli_socket_code(const cli_socket_t *socket)
{
    unsigned code = wslay_event_get_status_code_received(socket->wslay);

    return code == WSLAY_CODE_ABNORMAL_CLOSURE ? 0 : code;
}
