/*
 * What clients are told of a job: everything in its order, each as fast as it
 * reads.  Who is not behind gets output as it comes; who is reads it from the
 * tape, where it waits for all of them together.
 */

#define _GNU_SOURCE

#include "codr_client.h"

#include <string.h>

#include "codr_answer.h"
#include "codr_batch.h"
#include "codr_job.h"

#define FRAMES      8       /* for one client, before others get their turn */
#define PIECES      4096    /* at once */
#define SMALLEST    (CODR_BATCH_HEADROOM + 1024)    /* space for one more */


static bool
is_behind(const codr_client_t *client)
{
    const codr_result_t *result = client->result;

    return !client->started || client->stages != result->stages
           || (!client->quiet && client->place.offset < result->tape.end);
}


bool
codr_pump_blocks(const codr_client_t *client)
{
    return !codr_wire_is_drained(&client->wire) || is_behind(client);
}


/* One frame of what comes next, if it fits into the space and its stream has
   room: its size; 0: nothing was said, though *ret_read may have been read. */
static size_t
put_piece(codr_client_t *client, uint8_t *frame, size_t space, uint64_t *room,
    size_t *ret_read)
{
    size_t         len, max = space - CODR_BATCH_HEADROOM;
    uint8_t        stream;
    codr_place_t   before = client->place;
    const uint8_t *data;

    len = codr_tape_read(&client->result->tape, &client->place, max, &stream,
                         &data);
    *ret_read = len;
    if (len == 0) {
        return 0;
    }

    if (room && len > room[stream - 1]) {
        len = (size_t) room[stream - 1];
        if (len > 0) {
            client->place = before;
            len = codr_tape_read(&client->result->tape, &client->place, len,
                                 &stream, &data);
        }
    }
    if (len == 0) {
        return 0;
    }
    if (room) {
        room[stream - 1] -= len;
    }

    codr_frame_header(frame, CODR_FRAME_OUTPUT,
                      (uint32_t) (CODR_OUTPUT_HEADER + len));
    codr_output_header(frame + CODR_FRAME_HEADER, stream,
                       client->place.offset - len);
    memcpy(frame + CODR_BATCH_HEADROOM, data, len);
    return CODR_BATCH_HEADROOM + len;
}


bool
codr_pump_pieces(codr_client_t *client, uint64_t *room)
{
    size_t         used = 0, len = 1, pieces;
    static uint8_t frames[CODR_BATCH_HEADROOM + CODR_BATCH_MAX];

    for (pieces = 0; len > 0 && pieces < PIECES
         && sizeof(frames) - used >= SMALLEST; pieces++)
    {
        used += put_piece(client, frames + used, sizeof(frames) - used, room,
                          &len);
    }

    if (used > 0) {
        (void) codr_wire_send(&client->wire, frames, used);
    }

    return len > 0;
}


static void
say_started(codr_client_t *client)
{
    codr_tape_t *tape = &client->result->tape;
    bool         lost = client->place.offset < tape->begin;

    if (lost) {
        client->place = codr_tape_place(tape->begin);
    }

    codr_answer_started(client);
    client->started = true;

    if (lost) {
        codr_answer_lost(client);
    }
}


static void
say_stage(codr_client_t *client)
{
    codr_result_t *result = client->result;

    client->stages = result->stages;
    if (result->stage) {
        (void) codr_wire_send(&client->wire, result->stage,
                              result->stage_len);
    }
}


static void
say_output(codr_client_t *client)
{
    codr_tape_t *tape = &client->result->tape;

    if (client->place.offset < tape->begin) {
        client->place = codr_tape_place(tape->begin);
        codr_answer_lost(client);
    }

    (void) codr_pump_pieces(client, NULL);
}


static void
say_end(codr_client_t *client)
{
    codr_result_t *result = client->result;

    if (result->final) {
        (void) codr_wire_send(&client->wire, result->final,
                              result->final_len);
    }
    codr_client_finish(client);
}


/* The next thing it has not been told; false: there is none now. */
static bool
say_next(codr_client_t *client)
{
    codr_result_t *result = client->result;

    if (!client->started && result->announced) {
        say_started(client);
        return true;
    }

    if (client->started && client->stages != result->stages) {
        say_stage(client);
        return true;
    }

    if (client->started && is_behind(client)) {
        say_output(client);
        return true;
    }

    if (result->completed_ms != 0) {
        say_end(client);
    }

    return false;
}


void
codr_pump(codr_client_t *client)
{
    unsigned     said;
    codr_wire_t *wire = &client->wire;

    if (client->ended) {
        return;
    }

    if (client->role == CODR_CLIENT_FETCH) {
        codr_fetch_pump(client);
        return;
    }

    for (said = 0; codr_wire_is_drained(wire) && said < FRAMES; said++) {
        if (!say_next(client)) {
            break;
        }
    }

    if (said == FRAMES && codr_wire_is_drained(wire)) {
        codr_wire_ask(wire);
    }

    if (client->job && client->job->control == client) {
        codr_stage_flow(client->job);
    }
}


void
codr_pump_all(codr_result_t *result)
{
    codr_client_t *client, *next;

    for (client = result->clients; client; client = next) {
        next = client->right;
        codr_pump(client);
    }
}


void
codr_pump_waiting(codr_result_t *result, const void *frame, size_t len)
{
    codr_client_t *client;

    for (client = result->clients; client; client = client->right) {
        if (client->role != CODR_CLIENT_FETCH && !client->started
            && !client->ended && codr_wire_is_drained(&client->wire))
        {
            if (client->role == CODR_CLIENT_OBSERVER) {
                codr_answer_accepted(client);
            }
            (void) codr_wire_send(&client->wire, frame, len);
        }
    }
}


void
codr_pump_output(codr_result_t *result, const void *frame, size_t len,
    uint64_t offset)
{
    codr_client_t *client;

    for (client = result->clients; client; client = client->right) {
        if (client->ended || client->quiet || !client->started
            || client->role == CODR_CLIENT_FETCH
            || client->stages != result->stages
            || client->place.offset != offset)
        {
            continue;
        }

        /* who controls the job has stopped it by not reading: what comes
           nevertheless was on its way */
        if (client->role == CODR_CLIENT_CONTROL
            || codr_wire_is_drained(&client->wire))
        {
            if (codr_wire_send(&client->wire, frame, len) == 0) {
                client->place = codr_tape_place(result->tape.end);
            }
        }
    }
}
