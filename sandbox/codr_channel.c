/*
 * Channels: one a worker.  Jobs come in, status and log lines go out.  Runs
 * in the broker.  A worker may have been taken over: what it sends is checked
 * like a client's, and the worst it can do is to ask for jobs within the caps
 * of its configuration.
 */

#define _GNU_SOURCE

#include "codr_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "codr_client.h"
#include "codr_figures.h"
#include "codr_io.h"
#include "codr_log.h"
#include "codr_offer.h"
#include "codr_util.h"

#define CHANNELS_MAX    4096
#define MESSAGE_MAX     1024        /* bytes of anything a worker says */
#define STATUS_MAX      (CODR_FRAME_HEADER + CODR_FRAME_MAX)

struct codr_channel_s {
    codr_doomed_t     doomed;
    codr_channel_t   *prev;
    codr_channel_t   *next;
    codr_broker_t    *broker;
    codr_config_t    *config;       /* NULL until HELLO */
    codr_event_t      event;
    bool              untold;       /* STATUS did not fit */
    bool              known;        /* it was told once */
};


static void handle(codr_event_t *event, uint32_t events);


static void
destroy(codr_doomed_t *doomed)
{
    codr_channel_t *channel = (codr_channel_t *) doomed;

    codr_config_unref(channel->config);
    free(channel);
}


static void
close_channel(codr_channel_t *channel)
{
    codr_broker_t *broker = channel->broker;

    if (channel->event.fd == -1) {
        return;
    }
    codr_event_close(&broker->loop, &channel->event);

    if (channel->prev) {
        channel->prev->next = channel->next;
    } else {
        broker->channels = channel->next;
    }
    if (channel->next) {
        channel->next->prev = channel->prev;
    }

    codr_loop_doom(&broker->loop, &channel->doomed, destroy);
}


static void
tell_status(codr_channel_t *channel)
{
    int            result;
    size_t         len;
    codr_broker_t *broker = channel->broker;
    static uint8_t frame[STATUS_MAX];   /* one process, one thread */

    if (channel->config == NULL) {
        return;
    }

    len = codr_status_encode(broker, channel->config, frame, sizeof(frame));
    if (len == 0) {
        codr_log(CODR_LEVEL_PANIC, E2BIG, "encode status");
        return;
    }

    /* who hears that it is up also hears how many places there are */
    codr_figures_tell(broker, channel->event.fd);

    result = codr_io_send_now(channel->event.fd, frame, len);
    channel->untold = result == -EAGAIN;
    if (result == 0 && !channel->known) {
        channel->known = true;
        codr_offer_again(broker);
    }
    (void) codr_event_watch(&broker->loop, &channel->event,
                            channel->untold ? EPOLLIN | EPOLLOUT : EPOLLIN);
}


void
codr_channel_tell_status(codr_broker_t *broker)
{
    codr_channel_t *channel;

    for (channel = broker->channels; channel; channel = channel->next) {
        tell_status(channel);
    }
}


void
codr_channel_renew_configs(codr_broker_t *broker)
{
    codr_channel_t *channel;

    for (channel = broker->channels; channel; channel = channel->next) {
        if (channel->config) {
            codr_config_unref(channel->config);
            channel->config = codr_config_ref(broker->config[0]);
        }
    }
}


bool
codr_channel_tell_all(codr_broker_t *broker, const void *frame, size_t len)
{
    bool            all = true;
    codr_channel_t *channel;

    for (channel = broker->channels; channel; channel = channel->next) {
        if (channel->config
            && codr_io_send_now(channel->event.fd, frame, len) == -EAGAIN)
        {
            all = false;
        }
    }

    return all;
}


bool
codr_channel_tell_one(codr_broker_t *broker, const void *frame, size_t len)
{
    codr_channel_t *channel;

    for (channel = broker->channels; channel; channel = channel->next) {
        if (channel->config
            && codr_io_send_now(channel->event.fd, frame, len) == 0)
        {
            return true;
        }
    }

    return false;
}


static size_t
count(const codr_broker_t *broker)
{
    size_t                n = 0;
    const codr_channel_t *channel;

    for (channel = broker->channels; channel; channel = channel->next) {
        n++;
    }

    return n;
}


void
codr_channel_open(codr_broker_t *broker, int sock, codr_config_t *config)
{
    codr_channel_t *channel = NULL;

    if (count(broker) < CHANNELS_MAX) {
        channel = calloc(1, sizeof(*channel));
    }
    if (channel == NULL || fcntl(sock, F_SETFL, O_RDWR | O_NONBLOCK) == -1) {
        codr_log(CODR_LEVEL_ERROR, 0, "no room for another channel");
        free(channel);
        codr_close(&sock);
        return;
    }

    channel->broker = broker;
    channel->config = config ? codr_config_ref(config) : NULL;
    channel->event = (codr_event_t) { .fd = sock, .handler = handle,
                                      .data = channel };

    channel->next = broker->channels;
    if (channel->next) {
        channel->next->prev = channel;
    }
    broker->channels = channel;

    if (codr_event_watch(&broker->loop, &channel->event, EPOLLIN) < 0) {
        close_channel(channel);
        return;
    }

    /* lines of the log may have waited for somebody to write them */
    (void) codr_event_watch(&broker->loop, &broker->log, EPOLLIN);
    tell_status(channel);
}


static int
take_hello(codr_channel_t *channel, const uint8_t *payload, size_t len)
{
    uint64_t      version = 0;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    if (channel->config || codr_fields_next(&fields, &field) != 1
        || field.tag != CODR_FIELD_VERSION
        || codr_field_number(&field, 0, UINT64_MAX, &version) != 0)
    {
        return -EPROTO;
    }
    if (version != CODR_PROTO_VERSION) {
        codr_log(CODR_LEVEL_FATAL, 0, "nginx's module and this helper are not"
                 " of the same version");
        return -EPROTO;
    }

    /* nginx's generation is not ours: its locations only narrow */
    if (channel->broker->config[0] == NULL) {
        return -EAGAIN;
    }
    channel->config = codr_config_ref(channel->broker->config[0]);
    tell_status(channel);
    return 0;
}


static int
take_message(codr_channel_t *channel, const uint8_t *message, size_t len,
    int *fd)
{
    codr_frame_t frame;

    if (len < CODR_FRAME_HEADER || codr_frame_decode(&frame, message) != 0
        || frame.length != len - CODR_FRAME_HEADER)
    {
        return -EPROTO;
    }

    if (frame.type == CODR_FRAME_HELLO && channel->broker->listener.fd != -1) {
        return take_hello(channel, message + CODR_FRAME_HEADER, frame.length);
    }

    if (frame.type == CODR_FRAME_CLAIM && channel->config) {
        return codr_offer_claimed(channel->broker,
                                  message + CODR_FRAME_HEADER, frame.length);
    }

    if (frame.type != CODR_FRAME_JOB || frame.length != 0
        || channel->config == NULL || *fd == -1
        || !codr_io_is_unix(*fd, SOCK_STREAM))
    {
        return -EPROTO;
    }

    codr_client_accept(channel->broker, channel->config, codr_steal_fd(fd));
    return 0;
}


static void
handle(codr_event_t *event, uint32_t events)
{
    int             fd = -1, result;
    ssize_t         n;
    uint8_t         message[MESSAGE_MAX];
    codr_channel_t *channel = event->data;

    if (events & EPOLLOUT) {
        tell_status(channel);
        return;
    }

    n = codr_io_recv_now(event->fd, message, sizeof(message), &fd, 1, NULL,
                         NULL);
    if (n == -EAGAIN) {
        return;
    }
    if (n == -EMSGSIZE) {
        /* no descriptor was free for it: that job ends, not the channel */
        codr_log(CODR_LEVEL_ERROR, EMFILE, "take a job from a worker");
        return;
    }

    result = n > 0 ? take_message(channel, message, (size_t) n, &fd) : (int) n;
    codr_io_discard(&fd);

    if (n <= 0 || result < 0) {
        if (result == -EPROTO) {
            codr_log(CODR_LEVEL_PANIC, EPROTO, "read channel of a worker");
        }
        close_channel(channel);
    }
}
