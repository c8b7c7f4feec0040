/*
 * codr-validator: checks programs against policies.
 *
 * Options are for people and for the process that reads nginx's configuration;
 * the word "serve" as the first argument is for the supervisor.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_lint.h"
#include "codr_plans.h"
#include "codr_serve.h"
#include "codr_util.h"

#define EXIT_USAGE  2
#define NODES       50000

typedef enum {
    ACTION_NONE = 0,
    ACTION_LINT,
    ACTION_CHECK_POLICIES,
    ACTION_VERSION,
    ACTION_HELP
} action_t;

typedef struct {
    action_t      action;
    codr_lint_t   lint;
    codr_serve_t  serve;
    bool          named;         /* --policies was given */
} command_t;

static const char usage[] =
    "usage: codr-validator --lint --language NAME [--level L] [--json]\n"
    "                      [--policies DIR] [--policy FILE]"
    " [--grammar NAME]\n"
    "                      [--nodes N] [--plain] FILE ...\n"
    "       codr-validator --check-policies [--policies DIR]\n"
    "                      [--plan LANGUAGE[=GRAMMAR[:FILE]] ...]\n"
    "       codr-validator --version | --help\n"
    "\n"
    "  --lint            check source files; 0 passes, 1 refused, 2 could not"
    " tell\n"
    "  --plain           match with tree-sitter alone: slower, the same"
    " answers\n"
    "  --check-policies  read every policy and say what is wrong\n";

enum {
    OPTION_LINT = 256, OPTION_CHECK, OPTION_VERSION, OPTION_HELP,
    OPTION_LANGUAGE, OPTION_LEVEL, OPTION_JSON, OPTION_POLICIES,
    OPTION_POLICY, OPTION_GRAMMAR, OPTION_NODES, OPTION_PLAIN, OPTION_PLAN,
    OPTION_UID, OPTION_GID
};

static const struct option options[] = {
    { "lint",           no_argument,       NULL, OPTION_LINT },
    { "check-policies", no_argument,       NULL, OPTION_CHECK },
    { "version",        no_argument,       NULL, OPTION_VERSION },
    { "help",           no_argument,       NULL, OPTION_HELP },
    { "language",       required_argument, NULL, OPTION_LANGUAGE },
    { "level",          required_argument, NULL, OPTION_LEVEL },
    { "json",           no_argument,       NULL, OPTION_JSON },
    { "policies",       required_argument, NULL, OPTION_POLICIES },
    { "policy",         required_argument, NULL, OPTION_POLICY },
    { "grammar",        required_argument, NULL, OPTION_GRAMMAR },
    { "nodes",          required_argument, NULL, OPTION_NODES },
    { "plain",          no_argument,       NULL, OPTION_PLAIN },
    { "plan",           required_argument, NULL, OPTION_PLAN },
    { "uid",            required_argument, NULL, OPTION_UID },
    { "gid",            required_argument, NULL, OPTION_GID },
    { NULL, 0, NULL, 0 },
};


static const char *mistake;     /* the last one in the arguments */


static int
misused(const char *message)
{
    mistake = message;
    (void) fprintf(stderr, "codr-validator: %s\n"
                   "try \"codr-validator --help\"\n", message);
    return EXIT_USAGE;
}


/* Whoever reads JSON reads it also when the arguments are wrong. */
static int
tell_misused(int argc, char **argv, int result)
{
    int  i;
    bool linting = false, json = false;

    for (i = 1; i < argc; i++) {
        linting = linting || strcmp(argv[i], "--lint") == 0;
        json = json || strcmp(argv[i], "--json") == 0;
    }

    if (linting && json) {
        codr_lint_untold(argv[argc - 1], mistake, true);
    }

    return result;
}


static int
take_level(codr_lint_t *lint, const char *text)
{
    unsigned level;

    for (level = 0; level < CODR_POLICY_LEVELS; level++) {
        if (strcmp(codr_policy_level_name(level), text) == 0) {
            lint->level = (codr_policy_level_t) level;
            return 0;
        }
    }

    return misused("--level wants light, standard or strict");
}


static int
take_number(uint32_t *ret, const char *text)
{
    char         *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*end != '\0' || *text == '\0' || number >= UINT32_MAX) {
        return misused("an option wants a number");
    }

    *ret = (uint32_t) number;
    return 0;
}


static int
take_option(command_t *command, int option)
{
    switch (option) {

    case OPTION_LINT:
        command->action = ACTION_LINT;
        return 0;

    case OPTION_CHECK:
        command->action = ACTION_CHECK_POLICIES;
        return 0;

    case OPTION_VERSION:
        command->action = ACTION_VERSION;
        return 0;

    case OPTION_HELP:
        command->action = ACTION_HELP;
        return 0;

    case OPTION_LANGUAGE:
        command->lint.language = optarg;
        return 0;

    case OPTION_LEVEL:
        return take_level(&command->lint, optarg);

    case OPTION_JSON:
        command->lint.json = true;
        return 0;

    case OPTION_POLICIES:
        command->lint.policies = optarg;
        command->named = true;
        return 0;

    case OPTION_POLICY:
        command->lint.file = optarg;
        return 0;

    case OPTION_GRAMMAR:
        command->lint.grammar = optarg;
        return 0;

    case OPTION_NODES:
        return take_number(&command->lint.nodes, optarg);

    case OPTION_PLAIN:
        command->lint.plain = true;
        return 0;

    case OPTION_PLAN:
        return codr_plans_add(&command->serve.plans, optarg) < 0
               ? misused("--plan wants LANGUAGE[=GRAMMAR[:FILE]]") : 0;

    case OPTION_UID:
        return take_number(&command->serve.uid, optarg);

    case OPTION_GID:
        return take_number(&command->serve.gid, optarg);

    default:
        return misused("unknown option, or one without its value");
    }
}


static int
run_lint(const command_t *command, char **path, int paths)
{
    if (command->lint.language == NULL || paths == 0) {
        return misused("--lint wants a file and --language");
    }

    return codr_lint_files(&command->lint, path, paths);
}


static int
run_command(const command_t *command, char **argv, int argc)
{
    switch (command->action) {

    case ACTION_LINT:
        return run_lint(command, argv, argc);

    case ACTION_CHECK_POLICIES:
        return codr_plans_check(&command->serve.plans, command->lint.policies,
                                command->named);

    case ACTION_VERSION:
        (void) puts("codr-validator " CODR_VERSION);
        return EXIT_SUCCESS;

    case ACTION_HELP:
        (void) fputs(usage, stdout);
        return EXIT_SUCCESS;

    case ACTION_NONE:
        break;
    }

    (void) fputs(usage, stderr);
    return EXIT_USAGE;
}


int
main(int argc, char **argv)
{
    int       option, result = 0;
    char      policies[PATH_MAX];
    bool      serve = argc > 1 && strcmp(argv[1], "serve") == 0;
    command_t command = {
        .serve = { .uid = getuid(), .gid = getgid() },
        .lint = { .level = CODR_POLICY_STANDARD, .nodes = NODES },
    };

    opterr = 0;
    optind = serve ? 2 : 1;
    while (result == 0
           && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
    {
        result = take_option(&command, option);
    }
    if (result != 0) {
        return tell_misused(argc, argv, result);
    }

    if (command.lint.policies == NULL
        && codr_beside(policies, sizeof(policies), "policies") == 0)
    {
        command.lint.policies = policies;
    }
    if (command.lint.policies == NULL) {
        return misused("--policies is needed");
    }

    command.serve.policies = command.lint.policies;
    if (serve) {
        return codr_serve(&command.serve);
    }

    result = run_command(&command, argv + optind, argc - optind);
    return mistake ? tell_misused(argc, argv, result) : result;
}
