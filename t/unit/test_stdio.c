/*
 * What programs write line by line, on pipes and on a terminal: nothing waits
 * for ever, and streams keep their order; nor when a stream cannot be watched.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <pty.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sandbox/codr_stdio.h"
#include "../../sandbox/codr_util.h"

#define LONG_US     (1000000ULL * CODR_NAP_US)

static codr_loop_t  loop;
static codr_stdio_t io;
static int          program[3];     /* its ends */
static char         got[256];       /* "1:abc 2:de " */
static size_t       wanted;         /* bytes of got, before the loop stops */
static bool         full;           /* nothing more can be watched */


/* Instead of the C library's. */
int
epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (full && op != EPOLL_CTL_DEL) {
        errno = ENOSPC;
        return -1;
    }

    return (int) syscall(SYS_epoll_ctl, epoll, op, fd, event);
}


static void
output(codr_stdio_t *from, uint8_t stream, uint8_t *data, size_t len)
{
    char *end = got + strlen(got);

    (void) from;
    (void) snprintf(end, (size_t) (got + sizeof(got) - end), "%d:%.*s ",
                    stream, (int) len, (const char *) data);
    if (strlen(got) >= wanted) {
        codr_loop_stop(&loop);
    }
}


static void
ended(codr_stdio_t *from)
{
    (void) from;
    (void) snprintf(got + strlen(got), sizeof(got) - strlen(got), "end");
    codr_loop_stop(&loop);
}


static void
truncated(codr_stdio_t *from)
{
    (void) from;
}


static const codr_stdio_handlers_t handlers = { output, ended, truncated };


static void
begin(void)
{
    got[0] = '\0';
    codr_stdio_init(&io, &loop, &handlers, NULL);
}


static void
say(int stream, const char *text)
{
    if (write(program[stream], text, strlen(text)) != (ssize_t) strlen(text)) {
        tap_ok(false, "the program writes");
    }
}


/* Whatever comes until there is so much; a lone piece, or soon after others. */
static void
run(size_t more, bool soon)
{
    io.nap.read_us = soon ? codr_now_us() + LONG_US : 1;
    io.batch.passed_us = 1;
    wanted = strlen(got) + more;
    loop.stopped = false;
    if (codr_loop_run(&loop) != 0) {
        tap_ok(false, "the loop runs");
    }
}


static void
fall_asleep(void)
{
    unsigned i;

    for (i = 0; i < CODR_NAP_FEW; i++) {
        say(1, "-");
        run(1, true);
    }
    got[0] = '\0';
}


static bool
is_asleep(void)
{
    return codr_nap_asleep(&io.nap) == &io.out;
}


static void
close_program(void)
{
    codr_close(&program[0]);
    codr_close(&program[1]);
    codr_close(&program[2]);
}


static void
pipes(void)
{
    begin();
    tap_number(codr_stdio_open_pipes(&io, false, program), 0, "pipes");
    codr_stdio_begin(&io);
    fall_asleep();
    tap_ok(is_asleep(), "a program that writes line by line is left alone");
    say(1, "name? ");
    run(1, false);
    tap_text(got, "1:name?  ", "a prompt comes nevertheless");

    fall_asleep();
    say(1, "out");
    say(2, "err");
    run(10, false);
    tap_text(got, "1:out 2:err ", "streams keep their order");
    tap_ok(!is_asleep(), "nobody waits then");

    fall_asleep();
    tap_number(codr_stdio_input(&io, "x", 1), 0, "input");
    tap_ok(!is_asleep(), "what it leads to does not wait");

    fall_asleep();
    tap_number(codr_stdio_pause(&io, true), 0, "a pause");
    say(1, "last");
    tap_number(codr_stdio_pause(&io, false), 0, "its end");
    run(1, false);
    tap_text(got, "1:last ", "what came meanwhile comes");

    fall_asleep();
    say(1, "bye");
    close_program();
    run(sizeof(got), false);
    tap_text(got, "1:bye end", "all comes, and then the end");
    tap_ok(codr_stdio_has_ended(&io), "which is known");
    codr_stdio_close(&io);
}


static void
terminal(void)
{
    int master;

    begin();
    program[0] = program[2] = -1;
    if (openpty(&master, &program[1], NULL, NULL, NULL) == -1) {
        tap_skip("a terminal", "there is none");
        return;
    }
    tap_number(codr_stdio_open_terminal(&io, master), 0, "a terminal");
    codr_stdio_begin(&io);
    fall_asleep();
    tap_ok(is_asleep(), "it is left alone, too");
    say(1, "$ ");
    run(1, false);
    tap_text(got, "1:$  ", "its prompt comes");

    fall_asleep();
    tap_number(codr_stdio_input(&io, "x", 1), 0, "a key");
    tap_ok(!is_asleep(), "its echo does not wait");
    run(1, false);
    tap_text(got, "1:x ", "and comes");

    fall_asleep();
    close_program();
    run(sizeof(got), false);
    tap_text(got, "end", "its end");
    codr_stdio_close(&io);
}


static void
begin_pipes(void)
{
    begin();
    if (codr_stdio_open_pipes(&io, false, program) != 0) {
        tap_ok(false, "pipes");
    }
    codr_stdio_begin(&io);
}


static void
end_pipes(void)
{
    full = false;
    close_program();
    codr_stdio_close(&io);
}


static void
unwatched(void)
{
    char much[1 << 17] = { 0 };

    begin_pipes();
    fall_asleep();
    full = true;
    codr_stdio_urge(&io);
    say(1, "late");
    full = false;
    run(1, false);
    tap_text(got, "1:late ", "who cannot be woken looks by itself");
    say(2, "x");
    run(1, false);
    tap_number(io.error, 0, "which is no error");
    end_pipes();

    begin_pipes();
    fall_asleep();
    full = true;
    run(sizeof(got), false);
    tap_text(got, "end", "what cannot be watched any more has an end");
    tap_number(io.error, ENOSPC, "which is another one");
    end_pipes();

    begin_pipes();
    tap_number(codr_stdio_pause(&io, true), 0, "a pause");
    full = true;
    tap_number(codr_stdio_pause(&io, false), -ENOSPC, "that cannot end");
    tap_ok(codr_stdio_has_ended(&io), "nobody waits for that");
    tap_text(got, "", "nor is told");
    tap_number(io.error, ENOSPC, "but by who looks");
    end_pipes();

    begin_pipes();
    full = true;
    tap_number(codr_stdio_input(&io, much, sizeof(much)), 0, "much input");
    tap_number(io.error, ENOSPC, "whose rest can never be written");
    tap_number(codr_stdio_input(&io, "x", 1), -EPIPE, "nor can others");
    end_pipes();
}


int
main(void)
{
    if (codr_loop_init(&loop) < 0) {
        return 1;
    }

    (void) alarm(60);
    pipes();
    terminal();
    unwatched();

    codr_loop_free(&loop);
    return tap_done();
}
