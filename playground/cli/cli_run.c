/*
 * One program from its beginning to its end: what is typed or piped in goes to
 * it, what it writes comes out here, signals are passed on.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_run.h"
#include "cli_socket.h"
#include "cli_source.h"
#include "cli_text.h"
#include "cli_tty.h"
#include "cli_verdict.h"

#define INPUT_SIZE  16384
#define QUEUE_MAX   (256 * 1024)    /* bytes under way before we read on */
#define ESCAPE      '\x1d'          /* Ctrl-]: stop, when nothing else helps */

typedef struct {
    const cli_options_t *options;
    cli_socket_t        *socket;
    bool                 tty;
    bool                 started;
    bool                 input_open;
    bool                 stopping;
    int                  status;        /* -1 until it is known */
    char                 kept[4];       /* of --json: the start of a */
    size_t               kept_len;      /* character */
} run_t;

static int signals[2] = { -1, -1 };     /* a pipe: handler to loop */


static void
on_signal(int number)
{
    unsigned char byte = (unsigned char) number;
    int           saved = errno;

    /* a full pipe already tells */
    if (write(signals[1], &byte, 1) < 0) {
        errno = saved;
    }
}


static void
catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
                                   SIGWINCH };
    struct sigaction action = { .sa_handler = on_signal,
                                .sa_flags = SA_RESTART };

    if (pipe(signals) != 0) {
        cli_die("pipe: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void) sigaction(numbers[i], &action, NULL);    /* numbers are valid */
    }
    (void) signal(SIGPIPE, SIG_IGN);                    /* as this one is */
}


static void
write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = { .fd = fd, .events = POLLOUT };

            (void) poll(&wait, 1, -1);      /* the next write tells */
            continue;
        }
        if (n < 0) {
            cli_tty_restore();
            exit(errno == EPIPE ? CLI_EXIT_SIGNAL + SIGPIPE
                 : CLI_EXIT_FAILED);
        }
        text += n;
        len -= (size_t) n;
    }
}


static void
say_json(const json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_REAL_PRECISION(9));

    if (text) {
        write_all(STDOUT_FILENO, text, strlen(text));
        write_all(STDOUT_FILENO, "\n", 1);
    }
    free(text);
}


static void
on_output(void *data, int stream, const char *bytes, size_t len)
{
    const run_t *run = data;

    if (run->status < 0) {
        write_all(stream == CLI_STDERR ? STDERR_FILENO : STDOUT_FILENO,
                  bytes, len);
    }
}


/* The program can take input now. */
static void
started(run_t *run)
{
    run->started = true;
    run->input_open = true;
    if (run->tty && isatty(STDIN_FILENO)) {
        cli_tty_raw();
    }
}


static void
send_type(run_t *run, const char *type)
{
    cli_socket_send(run->socket, json_pack("{s:s}", "type", type));
}


/* With --json every message is JSON, whose strings are UTF-8. */
static void
send_text(run_t *run, const char *text, size_t len)
{
    char    clean[3 * (INPUT_SIZE + 4)];
    size_t  size = cli_text_clean(text, len, clean);
    json_t *data = json_stringn(clean, size);

    cli_socket_send(run->socket,
                    json_pack("{s:s, s:o}", "type", "input", "data", data));
}


static void
send_input(run_t *run, const char *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    if (run->options->json) {
        send_text(run, bytes, len);
    } else {
        cli_socket_send_input(run->socket, bytes, len);
    }
}


static void
stop(run_t *run)
{
    run->stopping = true;
    send_type(run, "stop");
}


static void
end_of_input(run_t *run)
{
    run->input_open = false;
    send_input(run, run->kept, run->kept_len);
    send_type(run, "eof");
}


/* Said once: what is more than the server takes ends the input. */
static void
noticed(run_t *run, const json_t *message)
{
    bool too_much = strcmp(cli_verdict_text(message, "code"),
                           "input_too_large") == 0;

    if (!run->options->json && (run->input_open || !too_much)) {
        cli_say("%s", cli_verdict_text(message, "message"));
    }
    if (too_much && run->input_open) {
        run->input_open = false;
        send_type(run, "eof");
    }
}


static void
on_message(void *data, json_t *message)
{
    run_t      *run = data;
    const char *type = json_string_value(json_object_get(message, "type"));

    if (!type || run->status >= 0) {
        return;
    }
    if (run->options->json) {
        say_json(message);
    }

    if (strcmp(type, "started") == 0) {
        started(run);
    } else if (strcmp(type, "complete") == 0
               || strcmp(type, "error") == 0) {
        cli_tty_restore();
        run->status = cli_verdict(message, run->options);
    } else if (strcmp(type, "notice") == 0) {
        noticed(run, message);
    } else if (strcmp(type, "stage") == 0 && !run->options->json) {
        cli_verdict_compiler(message);
    }
}


static void
read_input(run_t *run)
{
    char    text[INPUT_SIZE + 4];
    size_t  len, whole;
    ssize_t n;

    memcpy(text, run->kept, run->kept_len);
    n = read(STDIN_FILENO, text + run->kept_len, INPUT_SIZE);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (n <= 0) {
        end_of_input(run);
        return;
    }
    if (run->tty && memchr(text + run->kept_len, ESCAPE, (size_t) n)) {
        stop(run);
        return;
    }

    len = run->kept_len + (size_t) n;
    whole = run->options->json ? cli_text_whole(text, len) : len;
    run->kept_len = len - whole;
    memcpy(run->kept, text + whole, run->kept_len);
    send_input(run, text, whole);
}


static void
resize(run_t *run)
{
    int cols, rows;

    if (run->tty && cli_tty_size(&cols, &rows)) {
        cli_socket_send(run->socket,
                        json_pack("{s:s, s:i, s:i}", "type", "resize",
                                  "cols", cols, "rows", rows));
    }
}


/* Ctrl-C is the program's; whoever insists gets rid of it. */
static void
on_interrupt(run_t *run, int number)
{
    static int times;

    if (!run->started || ++times > 1 || number == SIGTERM
        || number == SIGHUP) {
        if (run->stopping || !run->started) {
            cli_tty_restore();
            exit(CLI_EXIT_SIGNAL + number);
        }
        stop(run);
        return;
    }
    cli_socket_send(run->socket,
                    json_pack("{s:s, s:s}", "type", "signal", "signal",
                              number == SIGQUIT ? "SIGQUIT" : "SIGINT"));
}


static void
read_signal(run_t *run)
{
    unsigned char number;

    if (read(signals[0], &number, 1) != 1) {
        return;
    }
    if (number == SIGWINCH) {
        resize(run);
    } else {
        on_interrupt(run, number);
    }
}


static void
lost(const run_t *run)
{
    unsigned code = cli_socket_code(run->socket);

    if (code == 1008) {
        cli_die("the server wants a key: CODR_KEY or --key FILE");
    }
    if (code == 1012 || code == 1001) {
        cli_die("the server restarts: try again");
    }
    cli_die(run->started ? "the connection was lost, the program ended with it"
            : "the connection was lost");
}


static void
loop(run_t *run, int fd)
{
    while (run->status < 0) {
        bool          reads = run->started && run->input_open
                              && cli_socket_queued(run->socket) < QUEUE_MAX;
        struct pollfd wait[] = {
            { .fd = fd, .events = cli_socket_events(run->socket) },
            { .fd = signals[0], .events = POLLIN },
            { .fd = reads ? STDIN_FILENO : -1, .events = POLLIN }
        };

        if (poll(wait, 3, -1) < 0 && errno != EINTR) {
            cli_die("poll: %s", strerror(errno));
        }
        if (wait[1].revents) {
            read_signal(run);
        }
        if (wait[2].revents) {
            read_input(run);
        }
        if (!cli_socket_step(run->socket) && run->status < 0) {
            lost(run);
        }
    }
}


static json_t *
terminal_wanted(run_t *run)
{
    const cli_options_t *options = run->options;
    int                  cols, rows;

    run->tty = options->tty == CLI_TTY_ON
               || (options->tty == CLI_TTY_AUTO && !options->json
                   && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
    if (!run->tty) {
        return NULL;
    }
    return cli_tty_size(&cols, &rows)
           ? json_pack("{s:i, s:i}", "cols", cols, "rows", rows)
           : json_true();
}


int
cli_run(const cli_options_t *options)
{
    static const cli_handlers_t handlers = { on_message, on_output };
    static cli_early_t          early;

    run_t         run = { .options = options, .status = -1 };
    char         *key = cli_key_read(options);
    json_t       *message;
    cli_stream_t *stream;
    cli_url_t     url;

    message = cli_source_execute(options, terminal_wanted(&run));
    cli_url_parse(&url, options->server);
    stream = cli_stream_open(&url);
    cli_upgrade(stream, &url, key,
                options->json ? "codr.v1" : "codr.v1.bin", &early);
    free(key);

    catch_signals();
    run.socket = cli_socket_open(stream, &early, &handlers, &run);
    cli_socket_send(run.socket, message);
    loop(&run, cli_stream_fd(stream));
    return run.status;
}
