/*
 * Checks a file from the shell.  codr-validator does it: parsers are none of
 * this executable's business.  What this one knows is the configuration: the
 * languages of the file that --config names, or of the one that is installed;
 * without any of them codr-validator has the names that codr ships.
 */

#define _GNU_SOURCE

#include "codr_lint_command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codr_conf_file.h"
#include "codr_config.h"
#include "codr_json.h"
#include "codr_util.h"

#define ARGUMENTS   20

#ifndef CODR_LANGUAGES
#define CODR_LANGUAGES  "/etc/codr/languages.conf"
#endif

typedef struct {
    const char  *item[ARGUMENTS + 1];
    size_t       count;
} arguments_t;


static void
add(arguments_t *arguments, const char *option, const char *value)
{
    if (value) {
        arguments->item[arguments->count++] = option;
        arguments->item[arguments->count++] = value;
    }
}


int
codr_lint_untold(const codr_lint_command_t *command, const char *why)
{
    if (!command->json) {
        (void) fprintf(stderr, "codr-sandboxd: %s\n", why);
        return CODR_LINT_UNTOLD;
    }

    (void) fputs("{\"file\":", stdout);
    codr_json_put(stdout, command->file ? command->file : "");
    (void) fputs(",\"verdict\":\"unavailable\",\"reason\":", stdout);
    codr_json_put(stdout, why);
    (void) puts(",\"diagnostics\":[]}");
    return CODR_LINT_UNTOLD;
}


/* 0, or negative errno and why. */
static int
read_config(codr_config_t **ret, const char *path,
    char why[CODR_CONF_ERROR_MAX])
{
    int              result;
    codr_conf_file_t file;

    result = codr_conf_file_read(&file, path, why);
    if (result == 0) {
        result = codr_config_decode(ret, file.image, file.length, 0);
        if (result < 0) {
            (void) snprintf(why, CODR_CONF_ERROR_MAX, "%s: %s", path,
                            strerror(-result));
        }
    }

    codr_conf_file_free(&file);
    return result;
}


/* The language that is meant, or NULL: the validator may know it. */
static int
find_language(codr_language_t **ret, const codr_lint_command_t *command,
    char why[CODR_CONF_ERROR_MAX])
{
    int            result;
    bool           asked = command->config != NULL;
    const char    *path = asked ? command->config : CODR_LANGUAGES;
    codr_config_t *config;

    *ret = NULL;
    if (!asked && access(path, R_OK) == -1) {
        return 0;
    }

    /* it lives as long as its strings are needed: until the exec */
    result = read_config(&config, path, why);
    if (result != 0) {
        return asked ? result : 0;
    }

    *ret = codr_config_language(config, command->language,
                                strlen(command->language));
    if (*ret == NULL && asked) {
        (void) snprintf(why, CODR_CONF_ERROR_MAX,
                        "\"%s\" has no language \"%s\"", path,
                        command->language);
        return -ENOENT;
    }

    return 0;
}


int
codr_lint_command(const codr_lint_command_t *command)
{
    char             path[PATH_MAX], why[CODR_CONF_ERROR_MAX];
    arguments_t      arguments = { { path, "--lint" }, 2 };
    codr_language_t *language;

    if (command->language == NULL) {
        return codr_lint_untold(command, "--lint wants --language NAME");
    }
    if (find_language(&language, command, why) < 0) {
        return codr_lint_untold(command, why);
    }
    if (codr_beside(path, sizeof(path), "codr-validator") < 0) {
        return codr_lint_untold(command, "no codr-validator beside it");
    }

    add(&arguments, "--language", language ? language->name
                                           : command->language);
    if (language) {
        add(&arguments, "--grammar", language->grammar);
        add(&arguments, "--policy", language->policy);
    }
    add(&arguments, "--level", command->level);
    add(&arguments, "--policies", command->policies);
    if (command->json) {
        arguments.item[arguments.count++] = "--json";
    }
    add(&arguments, "--", command->file);

    (void) execv(path, (char *const *) (uintptr_t) arguments.item);
    (void) snprintf(why, sizeof(why), "execute codr-validator: %s",
                    strerror(errno));
    return codr_lint_untold(command, why);
}
