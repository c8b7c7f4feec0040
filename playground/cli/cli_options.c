/*
 * The command line, and the few words codr says itself.  A key is never an
 * argument, because arguments are shown to everybody by ps.
 */

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_tty.h"

#define SERVER   "http://127.0.0.1:8080/run"
#define KEY_MAX  4096


static const char usage[] =
    "usage: codr run [OPTION ...] FILE [ARGUMENT ...]\n"
    "\n"
    "Runs a program in the sandbox of a codr server, as if it ran here.\n"
    "\n"
    "  -l, --lang NAME    its language; else by the ending of FILE\n"
    "  -f, --file FILE    one more file beside it; may be repeated\n"
    "  -s, --server URL   the server's codr_exec location; else CODR_SERVER,\n"
    "                     else " SERVER "\n"
    "  -k, --key FILE     file that holds the key; else CODR_KEY\n"
    "  -t, --tty          give it a terminal    -T, --no-tty   pipes\n"
    "  -j, --json         print the server's messages, one a line\n"
    "  -h, --help         -V, --version\n"
    "\n"
    "Exits with the program's status, 128 + N for signal N; 1 when it does\n"
    "not compile or is refused, 125 when codr fails.  See codr(1).\n";


void
cli_say(const char *format, ...)
{
    va_list args;

    fputs("codr: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}


void
cli_die(const char *format, ...)
{
    va_list args;

    cli_tty_restore();
    fputs("codr: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(CLI_EXIT_FAILED);
}


static _Noreturn void
wrong(const char *what, const char *value)
{
    fprintf(stderr, "codr: %s%s%s\nTry \"codr --help\".\n", what,
            value ? " " : "", value ? value : "");
    exit(CLI_EXIT_USAGE);
}


static void
add_file(cli_options_t *options, const char *path)
{
    if (options->file_count == CLI_FILES_MAX) {
        wrong("too many files", NULL);
    }
    options->files[options->file_count++] = path;
}


static void
take_option(cli_options_t *options, int option)
{
    switch (option) {
    case 'l':
        options->language = optarg;
        break;
    case 'f':
        add_file(options, optarg);
        break;
    case 's':
        options->server = optarg;
        break;
    case 'k':
        options->key_file = optarg;
        break;
    case 't':
        options->tty = CLI_TTY_ON;
        break;
    case 'T':
        options->tty = CLI_TTY_OFF;
        break;
    case 'j':
        options->json = true;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    case 'V':
        puts("codr " CODR_VERSION);
        exit(0);
    default:
        fputs("Try \"codr --help\".\n", stderr);
        exit(CLI_EXIT_USAGE);
    }
}


void
cli_options_parse(cli_options_t *options, int argc, char **argv)
{
    static const struct option known[] = {
        { "lang", required_argument, NULL, 'l' },
        { "file", required_argument, NULL, 'f' },
        { "server", required_argument, NULL, 's' },
        { "key", required_argument, NULL, 'k' },
        { "tty", no_argument, NULL, 't' },
        { "no-tty", no_argument, NULL, 'T' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 }
    };
    int option;

    *options = (cli_options_t) { .file_count = 1 };
    if (argc > 1 && strcmp(argv[1], "run") == 0) {
        optind = 2;
    }

    /* "+": options end at FILE, what follows is the program's */
    while ((option = getopt_long(argc, argv, "+l:f:s:k:tTjhV", known, NULL))
           != -1) {
        take_option(options, option);
    }

    if (argc < 2) {
        wrong("nothing to do", NULL);
    }
    if (strcmp(argv[1], "run") != 0) {
        wrong("no such command:", argv[1]);
    }
    if (optind >= argc) {
        wrong("run: which file?", NULL);
    }

    options->files[0] = argv[optind];
    options->args = argv + optind + 1;
    if (!options->server) {
        const char *server = getenv("CODR_SERVER");

        options->server = server && *server ? server : SERVER;
    }
}


static char *
key_from_file(const char *path)
{
    char  text[KEY_MAX];
    FILE *file = fopen(path, "re");

    if (!file) {
        cli_die("the key file \"%s\": %s", path, strerror(errno));
    }

    text[0] = '\0';
    if (!fgets(text, sizeof(text), file) && ferror(file)) {
        cli_die("the key file \"%s\": %s", path, strerror(errno));
    }
    (void) fclose(file);                            /* it was only read */
    return strndup(text, strcspn(text, "\r\n \t"));
}


char *
cli_key_read(const cli_options_t *options)
{
    const char *given = getenv("CODR_KEY");
    char       *key = options->key_file ? key_from_file(options->key_file)
                      : given ? strdup(given) : NULL;

    if (key && (!*key || key[strcspn(key, "\r\n")])) {
        cli_die("the key is empty or no single line");
    }
    return key;
}
