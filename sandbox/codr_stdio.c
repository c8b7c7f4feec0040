/*
 * Pipes and terminals of programs, as the broker sees them.  What comes out
 * of a program is passed on and never looked at; what goes in is looked at
 * only to notice lines that a terminal cuts.
 */

#define _GNU_SOURCE

#include "codr_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "codr_util.h"

#define LINE_MAX_BYTES  4095    /* what n_tty keeps of a canonical line */

/* Of a terminal's flood. */
#define READ_ON_US      250     /* that others wait for it */
#define READ_SIZE       2048    /* bytes at a time, of the 4 KB there are */

/* End a canonical line: newline, return, ^C, ^D, ^U, ^\ */
#define LINE_ENDS       "\n\r\x03\x04\x15\x1c"


static void
pass_output(codr_batch_t *batch, uint8_t stream, uint8_t *data, size_t len)
{
    codr_stdio_t *io = batch->data;

    io->handlers->output(io, stream, data, len);
}


void
codr_stdio_init(codr_stdio_t *io, codr_loop_t *loop,
    const codr_stdio_handlers_t *handlers, void *data)
{
    *io = (codr_stdio_t) {
        .loop = loop,
        .handlers = handlers,
        .data = data,
        .in = CODR_EVENT_NONE,
        .out = CODR_EVENT_NONE,
        .err = CODR_EVENT_NONE,
    };

    codr_batch_init(&io->batch, &loop->timers, pass_output, io);
    codr_nap_init(&io->nap, loop);
}


static void
close_input(codr_stdio_t *io)
{
    codr_event_close(io->loop, &io->in);
    free(io->input);
    io->input = NULL;
    io->input_len = io->input_pos = 0;
    io->closed = true;
}


static void
close_output(codr_stdio_t *io, codr_event_t *event)
{
    codr_nap_forget(&io->nap);
    codr_event_close(io->loop, event);

    if (codr_stdio_has_ended(io)) {
        io->handlers->ended(io);
    }
}


/* Who is not watched any more must not wait for ever. */
static void
lose_output(codr_stdio_t *io, int error)
{
    io->error = error;
    codr_nap_forget(&io->nap);
    codr_event_close(io->loop, &io->out);
    codr_event_close(io->loop, &io->err);
}


/* 0 when the program has no more for now, or at the end of the stream, which
   sets *ret_end. */
static size_t
read_once(int fd, uint8_t *data, size_t size, bool *ret_end)
{
    ssize_t n;

    do {
        n = read(fd, data, size);
    } while (n == -1 && errno == EINTR);

    if (n > 0) {
        return (size_t) n;
    }

    /* 0, or EIO of a terminal without slaves */
    *ret_end = n == 0 || errno != EAGAIN;
    return 0;
}


static size_t
fill(int fd, uint8_t *data, size_t size, bool *ret_end)
{
    size_t n, len = 0;

    do {
        n = read_once(fd, data + len, size - len, ret_end);
        len += n;
    } while (n > 0 && len < size);

    return len;
}


/*
 * A terminal has 4 KB, and a thread of the kernel fetches others when some of
 * them have been read.  It is told so after half of them, to be there when the
 * rest is read: a read of what is not there sleeps until it has been, which a
 * flood beside others makes long, or has looked for them in vain.
 */
static size_t
fill_in_turn(int fd, uint8_t *data, size_t size, bool *ret_end)
{
    size_t   n, max, len = 0;
    uint64_t until_us = codr_now_us() + READ_ON_US;

    do {
        max = size - len < READ_SIZE ? size - len : READ_SIZE;
        n = read_once(fd, data + len, max, ret_end);
        len += n;
    } while (n > 0 && len < size && codr_now_us() < until_us);

    return len;
}


/* A piece of a stream was read, and was all there was, or not. */
static void
watch_on(codr_stdio_t *io, codr_event_t *event, size_t len, bool all)
{
    bool flood = codr_batch_is_flood(&io->batch);
    int  result = codr_event_set_bulk(io->loop, event, flood);

    if (result == 0) {
        result = codr_nap_after(&io->nap, event, all ? len : SIZE_MAX);
    }
    if (result < 0) {
        lose_output(io, -result);
        io->handlers->ended(io);
    }
}


static void
take(codr_stdio_t *io, codr_event_t *event)
{
    bool     end = false;
    size_t   len, size;
    uint8_t *data;

    data = codr_batch_room(&io->batch, event == &io->err ? 2 : 1, &size);

    /* passing the other stream on may have changed that */
    if (io->paused || event->fd == -1) {
        return;
    }

    if (!io->terminal) {
        len = fill(event->fd, data, size, &end);
    } else if (codr_batch_is_flood(&io->batch)) {
        len = fill_in_turn(event->fd, data, size, &end);
    } else {
        len = read_once(event->fd, data, size, &end);
    }

    if (len > 0) {
        codr_batch_add(&io->batch, len);
    }

    if (end) {
        codr_batch_flush(&io->batch);
    }
    if (event->fd == -1) {
        return;
    }

    if (end) {
        close_output(io, event);
    } else {
        watch_on(io, event, len, len < size);
    }
}


static void
output_ready(codr_event_t *event, uint32_t events)
{
    codr_stdio_t *io = event->data;
    codr_event_t *asleep = codr_nap_asleep(&io->nap);

    (void) events;

    /* what the other stream has by now came before this */
    if (asleep && asleep != event) {
        take(io, asleep);
        codr_nap_end(&io->nap);
    }

    take(io, event);
}


static bool
is_canonical(int master)
{
    struct termios modes;

    /* on a master this reads the modes of its slave */
    return tcgetattr(master, &modes) == 0 && (modes.c_lflag & ICANON);
}


/* Counts what a canonical line has by now, and tells once a line. */
static void
watch_line(codr_stdio_t *io, const uint8_t *data, size_t len)
{
    size_t i;
    bool   over = false;

    for (i = 0; i < len; i++) {
        if (data[i] != '\0' && strchr(LINE_ENDS, data[i])) {
            io->line = 0;
        } else if (++io->line == LINE_MAX_BYTES + 1) {
            over = true;
        }
    }

    if (over && is_canonical(io->in.fd)) {
        io->handlers->truncated(io);
    }
}


static void
write_input(codr_stdio_t *io)
{
    int     result;
    ssize_t n;

    while (io->input_pos < io->input_len) {
        n = write(io->in.fd, io->input + io->input_pos,
                  io->input_len - io->input_pos);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1 && errno == EAGAIN) {
            result = codr_event_watch(io->loop, &io->in, EPOLLOUT);
            if (result < 0) {
                io->error = -result;
                close_input(io);
            }
            return;
        }
        if (n == -1) {
            close_input(io);    /* the program does not read any more */
            return;
        }
        if (io->terminal) {
            watch_line(io, io->input + io->input_pos, (size_t) n);
        }
        io->input_pos += (size_t) n;
    }

    (void) codr_event_watch(io->loop, &io->in, 0);
    free(io->input);
    io->input = NULL;
    io->input_len = io->input_pos = 0;

    if (io->eof && !io->terminal) {
        close_input(io);
    }
}


static void
input_ready(codr_event_t *event, uint32_t events)
{
    (void) events;
    write_input(event->data);
}


static void
attach(codr_stdio_t *io, codr_event_t *event, int fd, codr_event_pt handler)
{
    event->fd = fd;
    event->handler = handler;
    event->data = io;
}


/* The broker's end does not block; the program's end is another open file,
   whose flags are its own. */
static int
make_pipe(int *ret_read, int *ret_write, int ours)
{
    int ends[2], error;

    if (pipe2(ends, O_CLOEXEC) == -1) {
        return -errno;
    }

    if (fcntl(ends[ours], F_SETFL, O_NONBLOCK) == -1) {
        error = -errno;
        codr_close(&ends[0]);
        codr_close(&ends[1]);
        return error;
    }

    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}


int
codr_stdio_open_pipes(codr_stdio_t *io, bool merged, int ret_ends[3])
{
    int result;
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };

    if ((result = make_pipe(&in[0], &in[1], 1)) < 0
        || (result = make_pipe(&out[0], &out[1], 0)) < 0
        || (!merged && (result = make_pipe(&err[0], &err[1], 0)) < 0)
        || (merged && (err[1] = fcntl(out[1], F_DUPFD_CLOEXEC, 3)) == -1))
    {
        result = result < 0 ? result : -errno;
        codr_close(&in[0]);
        codr_close(&in[1]);
        codr_close(&out[0]);
        codr_close(&out[1]);
        return result;
    }

    attach(io, &io->in, in[1], input_ready);
    attach(io, &io->out, out[0], output_ready);
    attach(io, &io->err, err[0], output_ready);

    if (merged) {
        close_input(io);
    }

    ret_ends[0] = in[0];
    ret_ends[1] = out[1];
    ret_ends[2] = err[1];

    result = codr_stdio_pause(io, io->paused);
    if (result < 0) {
        codr_close(&ret_ends[0]);
        codr_close(&ret_ends[1]);
        codr_close(&ret_ends[2]);
    }

    return result;
}


static int
take_terminal(codr_stdio_t *io, int master)
{
    int flags, writer;

    flags = fcntl(master, F_GETFL);
    if (flags == -1 || fcntl(master, F_SETFL, flags | O_NONBLOCK) == -1) {
        return -errno;
    }

    /* a descriptor of its own, so that both directions are watched apart */
    writer = fcntl(master, F_DUPFD_CLOEXEC, 3);
    if (writer == -1) {
        return -errno;
    }

    attach(io, &io->in, writer, input_ready);
    return codr_stdio_pause(io, io->paused);
}


int
codr_stdio_open_terminal(codr_stdio_t *io, int master)
{
    int result;

    io->terminal = true;
    attach(io, &io->out, master, output_ready);

    result = take_terminal(io, master);
    if (result < 0) {
        codr_stdio_close(io);   /* nobody watches it: it would never end */
    }

    return result;
}


static void
set_window(codr_stdio_t *io)
{
    struct winsize size = { .ws_col = io->cols, .ws_row = io->rows };

    if (io->terminal && io->in.fd != -1 && io->cols != 0) {
        (void) ioctl(io->in.fd, TIOCSWINSZ, &size);   /* cosmetic */
    }
}


void
codr_stdio_begin(codr_stdio_t *io)
{
    io->begun = true;
    set_window(io);

    if (io->in.fd != -1) {
        write_input(io);
    }
}


int
codr_stdio_input(codr_stdio_t *io, const void *data, size_t len)
{
    uint8_t *input;

    if (io->closed || (io->eof && !io->terminal)) {
        return -EPIPE;
    }
    if (len == 0) {
        return 0;
    }

    if (io->input_pos > 0) {
        memmove(io->input, io->input + io->input_pos,
                io->input_len - io->input_pos);
        io->input_len -= io->input_pos;
        io->input_pos = 0;
    }

    codr_stdio_urge(io);

    input = realloc(io->input, io->input_len + len);
    if (input == NULL) {
        return -ENOMEM;
    }

    memcpy(input + io->input_len, data, len);
    io->input = input;
    io->input_len += len;
    io->eof = false;            /* typing goes on after a ^D */

    if (io->begun && io->in.fd != -1) {
        write_input(io);
    }
    return 0;
}


int
codr_stdio_eof(codr_stdio_t *io)
{
    int result;

    if (io->closed) {
        return 0;
    }

    if (io->terminal) {
        result = codr_stdio_input(io, "\x04", 1);
        io->eof = true;
        return result == -EPIPE ? 0 : result;
    }

    io->eof = true;
    if (io->begun && io->in.fd != -1) {
        write_input(io);
    }
    return 0;
}


void
codr_stdio_resize(codr_stdio_t *io, uint16_t cols, uint16_t rows)
{
    io->cols = cols;
    io->rows = rows;
    codr_stdio_urge(io);

    if (io->begun) {
        set_window(io);
    }
}


void
codr_stdio_urge(codr_stdio_t *io)
{
    codr_batch_urge(&io->batch);
    codr_nap_end(&io->nap);
}


int
codr_stdio_pause(codr_stdio_t *io, bool paused)
{
    int      result;
    uint32_t events = paused ? 0 : EPOLLIN;

    io->paused = paused;
    codr_nap_forget(&io->nap);
    codr_batch_pause(&io->batch, paused);
    result = codr_event_watch(io->loop, &io->out, events);
    if (result == 0) {
        result = codr_event_watch(io->loop, &io->err, events);
    }
    if (result < 0) {
        lose_output(io, -result);
    }

    return result;
}


bool
codr_stdio_has_ended(const codr_stdio_t *io)
{
    return io->out.fd == -1 && io->err.fd == -1;
}


void
codr_stdio_close(codr_stdio_t *io)
{
    codr_nap_forget(&io->nap);
    codr_event_close(io->loop, &io->out);
    codr_event_close(io->loop, &io->err);
    codr_batch_close(&io->batch);
    close_input(io);
}
