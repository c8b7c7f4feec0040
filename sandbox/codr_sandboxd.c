/*
 * codr-sandboxd: the executable of all roles, and the operator's tool.
 *
 * Options are for people; a role's name as the first argument is for nginx
 * (keeper), for the keeper (supervisor) and the supervisor (broker,
 * spawner).
 */

#define _GNU_SOURCE

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_broker.h"
#include "codr_check.h"
#include "codr_keeper.h"
#include "codr_key.h"
#include "codr_lint_command.h"
#include "codr_settings.h"
#include "codr_spawner.h"
#include "codr_supervisor.h"
#include "codr_util.h"

#define EXIT_USAGE      2

typedef enum {
    ACTION_NONE = 0,
    ACTION_CHECK,
    ACTION_LINT,
    ACTION_NEW_KEY,
    ACTION_VERSION,
    ACTION_HELP,
    ACTION_SERVE
} action_t;

typedef struct {
    action_t         action;
    bool             json;
    const char      *argument;  /* of the action */
    const char      *language;
    const char      *level;
    const char      *policies;
    codr_settings_t  settings;
} command_t;

typedef struct {
    const char  *name;
    int        (*run)(int argc, char **argv);
} role_t;


static const char usage[] =
    "usage: codr-sandboxd --check [--json]\n"
    "       codr-sandboxd --lint FILE --language NAME [--level L]\n"
    "                     [--config FILE] [--policies DIR] [--json]\n"
    "       codr-sandboxd --new-key ID\n"
    "       codr-sandboxd --config FILE [--listen PATH] [--uids BASE[:COUNT]]"
    "\n                     [--user NAME] [--cgroup PATH]\n"
    "       codr-sandboxd --version | --help\n"
    "\n"
    "  --check          what this host lets the sandbox enforce\n"
    "  --lint FILE      check a source file against a policy\n"
    "  --new-key ID     make a key for codr_api_keys\n"
    "  --config FILE    serve \"codr_helper unix:PATH\" of nginx; the socket"
    " is PATH\n"
    "                   of --listen, or the one the service manager passes\n"
    "  --json           machine-readable output\n";

enum {
    OPTION_CHECK = 256, OPTION_LINT, OPTION_NEW_KEY, OPTION_VERSION,
    OPTION_HELP, OPTION_CONFIG, OPTION_JSON, OPTION_LANGUAGE, OPTION_LEVEL,
    OPTION_LISTEN, OPTION_UIDS, OPTION_USER, OPTION_CGROUP, OPTION_POLICIES,
};

static const struct option options[] = {
    { "check",    no_argument,       NULL, OPTION_CHECK },
    { "lint",     required_argument, NULL, OPTION_LINT },
    { "new-key",  required_argument, NULL, OPTION_NEW_KEY },
    { "version",  no_argument,       NULL, OPTION_VERSION },
    { "help",     no_argument,       NULL, OPTION_HELP },
    { "config",   required_argument, NULL, OPTION_CONFIG },
    { "json",     no_argument,       NULL, OPTION_JSON },
    { "language", required_argument, NULL, OPTION_LANGUAGE },
    { "level",    required_argument, NULL, OPTION_LEVEL },
    { "policies", required_argument, NULL, OPTION_POLICIES },
    { "listen",   required_argument, NULL, OPTION_LISTEN },
    { "uids",     required_argument, NULL, OPTION_UIDS },
    { "user",     required_argument, NULL, OPTION_USER },
    { "cgroup",   required_argument, NULL, OPTION_CGROUP },
    { NULL, 0, NULL, 0 },
};


static const char *mistake;     /* the last one in the arguments */


static int
misused(const char *message)
{
    mistake = message;
    (void) fprintf(stderr, "codr-sandboxd: %s\n"
                   "try \"codr-sandboxd --help\"\n", message);
    return EXIT_USAGE;
}


static int
choose(command_t *command, action_t action, const char *argument)
{
    if (command->action != ACTION_NONE) {
        return misused("one of --check, --lint, --new-key at a time");
    }

    command->action = action;
    command->argument = argument;
    return 0;
}


static int
take_option(command_t *command, int option)
{
    switch (option) {

    case OPTION_CHECK:
        return choose(command, ACTION_CHECK, NULL);

    case OPTION_LINT:
        return choose(command, ACTION_LINT, optarg);

    case OPTION_NEW_KEY:
        return choose(command, ACTION_NEW_KEY, optarg);

    case OPTION_VERSION:
        return choose(command, ACTION_VERSION, NULL);

    case OPTION_HELP:
        return choose(command, ACTION_HELP, NULL);

    case OPTION_CONFIG:
        command->settings.config = optarg;
        return 0;

    case OPTION_JSON:
        command->json = true;
        return 0;

    case OPTION_LANGUAGE:
        command->language = optarg;
        return 0;

    case OPTION_LEVEL:
        command->level = optarg;
        return 0;

    case OPTION_POLICIES:
        command->policies = optarg;
        return 0;

    case OPTION_LISTEN:
        command->settings.listen = optarg;
        return 0;

    case OPTION_USER:
        command->settings.user = optarg;
        return 0;

    case OPTION_CGROUP:
        command->settings.cgroup = optarg;
        return 0;

    case OPTION_UIDS:
        if (codr_settings_uids(&command->settings, optarg) < 0) {
            return misused("--uids wants BASE or BASE:COUNT, from 1000 and"
                           " without 65534");
        }
        return 0;

    default:
        return misused("unknown option, or one without its value");
    }
}


static int
read_command(command_t *command, int argc, char **argv, int first)
{
    int option, result;

    opterr = 0;
    optind = first;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        result = take_option(command, option);
        if (result != 0) {
            return result;
        }
    }

    if (command->settings.config) {
        if (command->action == ACTION_NONE) {
            command->action = ACTION_SERVE;
        } else if (command->action != ACTION_LINT) {
            return misused("--config goes with no option, or with --lint");
        }
    }

    return optind < argc ? misused("too many arguments") : 0;
}


/* Whoever reads JSON reads it also when the arguments are wrong. */
static void
tell_misused(int argc, char **argv)
{
    int                 i;
    bool                linting = false;
    codr_lint_command_t command = { .json = false };

    for (i = 1; i < argc; i++) {
        linting = linting || strcmp(argv[i], "--lint") == 0;
        command.json = command.json || strcmp(argv[i], "--json") == 0;
    }

    if (linting && command.json) {
        (void) codr_lint_untold(&command, mistake);
    }
}


static int
run_supervisor(int argc, char **argv)
{
    int       result;
    command_t command = { .action = ACTION_NONE };

    result = read_command(&command, argc, argv, 2);
    if (result != 0) {
        return result;
    }
    if (command.action != ACTION_NONE && command.action != ACTION_SERVE) {
        return misused("a supervisor takes --uids, --user, --cgroup");
    }

    return codr_supervisor_run(&command.settings);
}


static int
lint(const command_t *command)
{
    const codr_lint_command_t files = {
        .file = command->argument, .language = command->language,
        .level = command->level, .policies = command->policies,
        .config = command->settings.config, .json = command->json,
    };

    return codr_lint_command(&files);
}


static int
run_command(const command_t *command)
{
    switch (command->action) {

    case ACTION_CHECK:
        return codr_check(command->json);

    case ACTION_LINT:
        return lint(command);

    case ACTION_NEW_KEY:
        return codr_key_print(command->argument);

    case ACTION_VERSION:
        (void) puts("codr-sandboxd " CODR_VERSION);
        return EXIT_SUCCESS;

    case ACTION_HELP:
        (void) fputs(usage, stdout);
        return EXIT_SUCCESS;

    case ACTION_SERVE:
        return codr_supervisor_run(&command->settings);

    case ACTION_NONE:
        break;
    }

    (void) fputs(usage, stderr);
    return EXIT_USAGE;
}


int
main(int argc, char **argv)
{
    int       result;
    size_t    i;
    command_t command = { .action = ACTION_NONE };

    static const role_t roles[] = {
        { "keeper", codr_keeper_main },
        { "supervisor", run_supervisor },
        { "broker", codr_broker_main },
        { "spawner", codr_spawner_main },
    };

    for (i = 0; argc > 1 && i < CODR_ARRAY_LEN(roles); i++) {
        if (strcmp(argv[1], roles[i].name) == 0) {
            return roles[i].run(argc, argv);
        }
    }

    result = read_command(&command, argc, argv, 1);
    if (result != 0) {
        tell_misused(argc, argv);
        return result;
    }

    return run_command(&command);
}
