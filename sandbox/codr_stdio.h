/*
 * The standard streams of a program: three pipes, or one terminal.
 *
 * Output is read as long as its taker is not blocked; a taker that is leaves
 * the bytes in the kernel, which blocks the program.  Input is never refused
 * for want of room: it waits here, bounded by the job's limit.
 */

#ifndef CODR_STDIO_H
#define CODR_STDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_batch.h"
#include "codr_event.h"
#include "codr_nap.h"

typedef struct codr_stdio_s codr_stdio_t;

typedef struct {
    /* Bytes of stream 1 or 2, as they came, with CODR_BATCH_HEADROOM writable
       ones before them. */
    void  (*output)(codr_stdio_t *io, uint8_t stream, uint8_t *data,
                    size_t len);
    /* No stream is open for output any more, at its end or for an error. */
    void  (*ended)(codr_stdio_t *io);
    /* A line was longer than a terminal keeps. */
    void  (*truncated)(codr_stdio_t *io);
} codr_stdio_handlers_t;

struct codr_stdio_s {
    codr_loop_t                  *loop;
    const codr_stdio_handlers_t  *handlers;
    void                         *data;
    codr_event_t                  in;
    codr_event_t                  out;      /* a terminal has this one only */
    codr_event_t                  err;
    codr_batch_t                  batch;    /* what came from both */
    codr_nap_t                    nap;      /* between two reads of one */
    bool                          terminal;
    bool                          begun;    /* the program may read */
    bool                          paused;
    bool                          eof;      /* wanted after the input */
    bool                          closed;   /* nobody reads input */
    int                           error;    /* of a stream that cannot be
                                               watched, and is closed; 0 */
    size_t                        line;     /* bytes of an unfinished one */
    uint8_t                      *input;
    size_t                        input_len;
    size_t                        input_pos;
    uint16_t                      cols;
    uint16_t                      rows;
};


void codr_stdio_init(codr_stdio_t *io, codr_loop_t *loop,
    const codr_stdio_handlers_t *handlers, void *data);

/*
 * Makes pipes; ret_ends gets the program's stdin, stdout, stderr, to be sent
 * and closed by the caller.  Merged: both outputs are one pipe, and there is
 * no input.  0, or negative errno.
 */
int codr_stdio_open_pipes(codr_stdio_t *io, bool merged, int ret_ends[3]);

/* Takes the master side of a terminal over.  0, or negative errno. */
int codr_stdio_open_terminal(codr_stdio_t *io, int master);

/* The program runs from now on. */
void codr_stdio_begin(codr_stdio_t *io);

/* 0, -EPIPE when input is closed, or -ENOMEM. */
int codr_stdio_input(codr_stdio_t *io, const void *data, size_t len);

/* End of input after what was given so far: closes a pipe, types ^D on a
   terminal.  0, or -ENOMEM. */
int codr_stdio_eof(codr_stdio_t *io);

void codr_stdio_resize(codr_stdio_t *io, uint16_t cols, uint16_t rows);

/* Somebody has done something and looks what comes of it: output that comes
   next does not wait for more.  Input and resize imply it. */
void codr_stdio_urge(codr_stdio_t *io);

/* Output is left in the kernel while paused.  0, or negative errno: nobody
   would hear of it any more, so it is closed, which ended() does not tell. */
int codr_stdio_pause(codr_stdio_t *io, bool paused);

/* Whether all output has been read to its end. */
bool codr_stdio_has_ended(const codr_stdio_t *io);

/* Closes everything; accepts an initialised one that was never opened. */
void codr_stdio_close(codr_stdio_t *io);

#endif /* CODR_STDIO_H */
