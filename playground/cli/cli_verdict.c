/* How a program ended, as an exit status and in words. */

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cli_verdict.h"

#define KILLED  9


const char *
cli_verdict_text(const json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));

    return text ? text : "";
}


void
cli_verdict_compiler(const json_t *message)
{
    const json_t *compile = json_object_get(message, "compile");
    const char   *said = cli_verdict_text(compile, "output");
    size_t        len = strlen(said);

    fputs(said, stderr);
    if (len > 0 && said[len - 1] != '\n') {
        fputc('\n', stderr);
    }
}


/* Compiler style, so that editors find the places. */
static void
say_diagnostics(const json_t *message, const char *main_file)
{
    const json_t *list = json_object_get(message, "diagnostics"), *one;
    size_t        i;

    json_array_foreach(list, i, one) {
        const char *file = cli_verdict_text(one, "file");

        fprintf(stderr, "%s:%lld:%lld: %s: %s [%s]\n",
                *file ? file : main_file,
                (long long) json_integer_value(json_object_get(one, "line")),
                (long long) json_integer_value(json_object_get(one,
                                                               "column")),
                cli_verdict_text(one, "severity"),
                cli_verdict_text(one, "message"),
                cli_verdict_text(one, "rule"));
    }
}


static int
of_error(const json_t *message, const cli_options_t *options)
{
    bool        quiet = options->json;
    const char *code = cli_verdict_text(message, "code");
    bool        compiler = strcmp(code, "compile_error") == 0
                           || strcmp(code, "compile_limit") == 0;
    bool        refused = strcmp(code, "rejected") == 0;
    double      again = json_number_value(json_object_get(message,
                                                          "retry_after"));

    if (!quiet && compiler) {
        cli_verdict_compiler(message);
    }
    if (!quiet && refused) {
        say_diagnostics(message, options->files[0]);
    }
    if (!quiet && strcmp(code, "compile_error") != 0) {
        cli_say("%s: %s", code, cli_verdict_text(message, "message"));
        if (again > 0) {
            cli_say("try again in %.0f s", again);
        }
        if (strcmp(code, "unauthorized") == 0) {
            cli_say("give a key: CODR_KEY or --key FILE");
        }
    }
    return compiler || refused ? CLI_EXIT_NOT_RUN : CLI_EXIT_FAILED;
}


static const char *
ending(const char *status)
{
    static const char *const words[][2] = {
        { "cpu_limit", "stopped: used all of its CPU time" },
        { "wall_limit", "stopped: took longer than it may" },
        { "memory_limit", "stopped: used more memory than it may" },
        { "output_limit", "stopped: wrote more than it may" },
        { "disk_limit", "ended while its disk was full" },
        { "stopped", "stopped" },
        { "internal", "ended by a fault of the server" }
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(status, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return NULL;
}


int
cli_verdict(const json_t *message, const cli_options_t *options)
{
    bool          quiet = options->json;
    const json_t *code = json_object_get(message, "exit_code");
    const char   *status = cli_verdict_text(message, "status");
    const char   *words = ending(status);
    json_int_t    value = json_integer_value(code);

    if (json_object_get(message, "code")) {
        return of_error(message, options);
    }

    if (!quiet && words) {
        cli_say("%s", words);
    } else if (!quiet && strcmp(status, "signaled") == 0) {
        cli_say("ended by %s", cli_verdict_text(message, "signal"));
    }

    if (strcmp(status, "internal") == 0) {
        return CLI_EXIT_FAILED;
    }
    if (!json_is_integer(code)) {
        return CLI_EXIT_SIGNAL + KILLED;
    }
    return value >= 0 ? (int) (value & 0xff)
           : CLI_EXIT_SIGNAL + (int) (-value & 0x7f);
}
