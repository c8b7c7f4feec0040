/*
 * What a spawner says, handed to the sandboxes it is about.  Runs in the
 * broker.  A spawner that does not keep to the format is given up: it sees
 * the end of its socket and ends everything it has started.
 */

#define _GNU_SOURCE

#include "codr_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_leaving.h"
#include "codr_log.h"
#include "codr_sandbox.h"
#include "codr_util.h"

#define REPLY_FDS   3


static void handle(codr_event_t *event, uint32_t events);


codr_link_t *
codr_link_open(codr_loop_t *loop, codr_slots_t *slots, int sock,
    void (*changed)(codr_link_t *link), void *data)
{
    codr_link_t *link = calloc(1, sizeof(*link));

    if (link == NULL || fcntl(sock, F_SETFL, O_RDWR | O_NONBLOCK) == -1) {
        free(link);
        codr_close(&sock);
        return NULL;
    }

    link->loop = loop;
    link->slots = slots;
    link->usage = CODR_METER_NONE;
    link->changed = changed;
    link->data = data;
    link->event = (codr_event_t) { .fd = sock, .handler = handle,
                                   .data = link };

    if (codr_event_watch(loop, &link->event, EPOLLIN) < 0) {
        codr_close(&link->event.fd);
        free(link);
        return NULL;
    }

    return link;
}


void
codr_link_lose(codr_link_t *link)
{
    size_t slot;

    if (link->state == CODR_LINK_LOST) {
        return;
    }

    link->state = CODR_LINK_LOST;
    codr_event_close(link->loop, &link->event);
    codr_close(&link->usage.fd);
    codr_leaving_end(link);

    for (slot = 0; slot < link->size; slot++) {
        if (link->sandbox[slot]) {
            codr_sandbox_lost(link->sandbox[slot]);
        }
    }

    link->changed(link);
}


void
codr_link_retire(codr_link_t *link)
{
    link->retired = true;

    if (link->alive == 0) {
        codr_link_lose(link);
    }
}


static void
destroy(codr_doomed_t *doomed)
{
    codr_link_t *link = (codr_link_t *) doomed;

    free(link->sandbox);
    free(link->leaving);
    free(link);
}


void
codr_link_free(codr_link_t *link)
{
    codr_loop_doom(link->loop, &link->doomed, destroy);
}


int
codr_link_attach(codr_link_t *link, codr_sandbox_t *sandbox, uint32_t slot)
{
    if (slot >= link->size || link->sandbox[slot]) {
        return -EBUSY;          /* an older spawner's slots were more */
    }

    link->sandbox[slot] = sandbox;
    link->alive++;
    return 0;
}


void
codr_link_detach(codr_link_t *link, uint32_t slot)
{
    link->sandbox[slot] = NULL;
    link->alive--;

    if (link->retired && link->alive == 0) {
        codr_link_lose(link);
    }
}


void
codr_link_move(codr_link_t *link, codr_sandbox_t *sandbox, uint32_t slot)
{
    link->sandbox[slot] = sandbox;
}


int
codr_link_kill(codr_link_t *link, uint64_t id)
{
    codr_spawn_request_t request = {
        .version = CODR_IPC_VERSION,
        .op = CODR_KILL,
        .id = id,
    };

    return codr_io_send_one(link->event.fd, &request, sizeof(request), NULL,
                            0);
}


void
codr_link_retry(codr_link_t *link)
{
    (void) codr_event_watch(link->loop, &link->event, EPOLLIN | EPOLLOUT);
}


static void
flush(codr_link_t *link)
{
    size_t slot;

    (void) codr_event_watch(link->loop, &link->event, EPOLLIN);

    for (slot = 0; slot < link->size; slot++) {
        if (link->sandbox[slot]) {
            codr_sandbox_flush(link->sandbox[slot]);
        }
    }
}


static int
take_ready(codr_link_t *link, const codr_spawn_reply_t *reply, int *fds,
    size_t nfds)
{
    size_t i;

    if (link->state != CODR_LINK_STARTING || reply->slots < 2
        || codr_slots_resize(link->slots, reply->slots) < 0)
    {
        return -EPROTO;
    }

    link->sandbox = calloc(reply->slots, sizeof(codr_sandbox_t *));
    link->leaving = calloc(reply->slots, sizeof(uint64_t));
    if (link->sandbox == NULL || link->leaving == NULL) {
        return -ENOMEM;
    }

    link->size = reply->slots;
    link->state = CODR_LINK_READY;
    memcpy(link->layer, reply->layer, sizeof(link->layer));
    if (nfds > 0) {
        link->usage.fd = codr_steal_fd(&fds[0]);
    }

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        if (link->layer[i] == CODR_LAYER_MISSING) {
            link->state = CODR_LINK_LACKING;
        }
    }

    link->changed(link);
    return 0;
}


static int
take_reply(codr_link_t *link, const codr_spawn_reply_t *reply, int *fds,
    size_t nfds)
{
    if (reply->version != CODR_IPC_VERSION) {
        return -EPROTO;
    }
    if (reply->kind == CODR_SPAWNER_READY) {
        return take_ready(link, reply, fds, nfds);
    }

    if (reply->kind == CODR_SPAWNER_ZYGOTE) {
        if (reply->slot == CODR_INTERPRETER_NONE
            || reply->slot >= CODR_INTERPRETER_COUNT)
        {
            return -EPROTO;
        }
        link->zygote[reply->slot] = reply->flags;
        link->changed(link);
        return 0;
    }

    if (reply->slot >= link->size) {
        return -EPROTO;
    }
    if (link->sandbox[reply->slot] == NULL) {
        return codr_leaving_reply(link, reply);
    }

    return codr_sandbox_reply(link->sandbox[reply->slot], reply, fds, nfds);
}


static void
handle(codr_event_t *event, uint32_t events)
{
    int                fds[REPLY_FDS], result;
    size_t             nfds = 0;
    ssize_t            n;
    codr_link_t       *link = event->data;
    codr_spawn_reply_t reply;

    if (events & EPOLLOUT) {
        flush(link);
        return;
    }

    n = codr_io_recv(event->fd, &reply, sizeof(reply), fds, REPLY_FDS, &nfds,
                     NULL);
    if (n == -EAGAIN) {
        return;
    }
    if (n <= 0) {
        codr_link_lose(link);
        return;
    }

    result = n == (ssize_t) sizeof(reply)
             ? take_reply(link, &reply, fds, nfds) : -EPROTO;

    while (nfds > 0) {
        codr_close(&fds[--nfds]);   /* those that were taken are -1 */
    }

    if (result < 0) {
        codr_log(CODR_LEVEL_PANIC, -result, "read the spawner's answer");
        codr_link_lose(link);
    }
}
