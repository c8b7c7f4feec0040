/* What the parts of `codr` share: its options, its exit statuses, its words. */

#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>

/* A program's own status is passed on; these are for what is not one. */
enum {
    CLI_EXIT_NOT_RUN = 1,       /* it does not compile, or is refused */
    CLI_EXIT_USAGE   = 2,
    CLI_EXIT_FAILED  = 125,     /* codr itself: no server, no key, ... */
    CLI_EXIT_SIGNAL  = 128      /* plus the number of the signal */
};

#define CLI_FILES_MAX  64

typedef enum { CLI_TTY_AUTO, CLI_TTY_ON, CLI_TTY_OFF } cli_tty_mode_t;

typedef struct {
    const char     *server;             /* URL of a codr_exec location */
    const char     *language;           /* NULL: by the main file's ending */
    const char     *key_file;           /* NULL: CODR_KEY, or no key */
    cli_tty_mode_t  tty;
    bool            json;
    const char     *files[CLI_FILES_MAX];   /* the main file first */
    size_t          file_count;
    char          **args;               /* of the program, NULL at the end */
} cli_options_t;

/* Exits by itself for --help, --version and wrong usage. */
void cli_options_parse(cli_options_t *options, int argc, char **argv);

/* Prints "codr: ..." on standard error. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and leaves with CLI_EXIT_FAILED; the terminal is put in order. */
_Noreturn void cli_die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The key to present, for the caller to free; NULL when there is none. */
char *cli_key_read(const cli_options_t *options);

#endif
