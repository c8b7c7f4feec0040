/*
 * Checks files from the shell: lines as compilers print them, or a JSON object
 * a file.  Runs as whoever calls it, on files of theirs.
 */

#define _GNU_SOURCE

#include "codr_lint.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_check.h"
#include "codr_diagnostic.h"
#include "codr_json.h"
#include "codr_util.h"

#define FILE_SIZE   (64 * 1024 * 1024)
#define ROOM        (64 * 1024)
#define NAME_SIZE   64

enum {
    PASSES = 0, REFUSED = 1, UNTOLD = 2
};

static const char *const verdicts[] = { "passes", "refused", "unavailable" };

typedef struct {
    const codr_lint_t             *lint;
    codr_policy_set_t             *set;
    const codr_policy_language_t  *language;
} linter_t;

typedef struct {
    char    *data;
    size_t   length;
} content_t;


/* Whatever can be read to its end: also a pipe. */
static int
read_all(content_t *ret, int fd)
{
    char   *grown;
    size_t  room = 0;
    ssize_t n;

    for ( ;; ) {
        if (ret->length == room) {
            room = 2 * room + ROOM;
            grown = room > FILE_SIZE ? NULL : realloc(ret->data, room);
            if (grown == NULL) {
                return room > FILE_SIZE ? -EFBIG : -ENOMEM;
            }
            ret->data = grown;
        }
        n = read(fd, ret->data + ret->length, room - ret->length);
        if (n <= 0) {
            return n == 0 ? 0 : -errno;
        }
        ret->length += (size_t) n;
    }
}


static int
read_content(content_t *ret, const char *path)
{
    int result, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd == -1) {
        return -errno;
    }

    result = read_all(ret, fd);
    codr_close(&fd);
    return result;
}


static void
print_json(const codr_rule_t *rule, const codr_range_t *range)
{
    char         text[CODR_DIAGNOSTIC_MESSAGE];
    codr_position_t place = codr_diagnostic_position(range);

    (void) fputs("{\"rule\":", stdout);
    codr_json_put(stdout, rule->id);
    (void) fputs(",\"message\":", stdout);
    codr_diagnostic_message(text, rule->message, range);
    codr_json_put(stdout, text);
    (void) printf(",\"severity\":\"%s\",\"line\":%u,\"column\":%u,"
                  "\"end_line\":%u,\"end_column\":%u,\"snippet\":",
                  codr_rule_severity(rule), place.line, place.column,
                  place.end_line, place.end_column);
    codr_diagnostic_snippet(text, range);
    codr_json_put(stdout, text);
    (void) putchar('}');
}


static void
print_line(const char *path, const codr_rule_t *rule,
    const codr_range_t *range)
{
    char         message[CODR_DIAGNOSTIC_MESSAGE];
    char         snippet[CODR_DIAGNOSTIC_SNIPPET];
    codr_position_t place = codr_diagnostic_position(range);

    codr_diagnostic_message(message, rule->message, range);
    codr_diagnostic_snippet(snippet, range);
    (void) printf("%s:%u:%u: %s: %s [%s]\n    %s\n", path, place.line,
                  place.column, codr_rule_severity(rule), message, rule->id,
                  snippet);
}


void
codr_lint_untold(const char *path, const char *why, bool json)
{
    if (json) {
        (void) fputs("{\"file\":", stdout);
        codr_json_put(stdout, path);
        (void) fputs(",\"verdict\":\"unavailable\",\"reason\":", stdout);
        codr_json_put(stdout, why);
        (void) puts(",\"diagnostics\":[]}");
        return;
    }

    (void) fflush(stdout);
    (void) fprintf(stderr, "%s: %s\n", path, why);
}


static int
judge(const linter_t *linter, const codr_finding_t *finding, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (linter->set->rule[finding[i].rule].severity
            == CODR_SEVERITY_ERROR)
        {
            return REFUSED;
        }
    }

    return PASSES;
}


static int
print_findings(const linter_t *linter, const char *path,
    const content_t *content, const codr_finding_t *finding, uint32_t count)
{
    int                verdict = judge(linter, finding, count);
    bool               json = linter->lint->json;
    uint32_t           i;
    codr_range_t       range = { content->data, content->length, 0, 0 };
    const codr_rule_t *rule;

    if (json) {
        (void) fputs("{\"file\":", stdout);
        codr_json_put(stdout, path);
        (void) printf(",\"verdict\":\"%s\",\"diagnostics\":[",
                      verdicts[verdict]);
    }

    for (i = 0; i < count; i++) {
        rule = &linter->set->rule[finding[i].rule];
        range.start = finding[i].start;
        range.end = finding[i].end;
        if (json) {
            (void) fputs(i ? "," : "", stdout);
            print_json(rule, &range);
        } else {
            print_line(path, rule, &range);
        }
    }

    if (json) {
        (void) puts("]}");
    }
    return verdict;
}


/* As the broker says it. */
static int
refuse_size(const linter_t *linter, const char *path,
    const content_t *content)
{
    const codr_range_t range = { content->data, content->length, 0, 0 };
    const codr_rule_t  rule = {
        "policy.too_complex", "The program is too large to be checked: it has"
        " more parts than are allowed.", CODR_SEVERITY_ERROR,
    };

    if (!linter->lint->json) {
        print_line(path, &rule, &range);
        return REFUSED;
    }

    (void) fputs("{\"file\":", stdout);
    codr_json_put(stdout, path);
    (void) fputs(",\"verdict\":\"refused\",\"diagnostics\":[", stdout);
    print_json(&rule, &range);
    (void) puts("]}");
    return REFUSED;
}


static int
lint_content(const linter_t *linter, const char *path,
    const content_t *content)
{
    uint32_t            count = 0;
    codr_budget_t       budget;
    codr_finding_t      finding[CODR_CHECK_FINDINGS];
    codr_check_result_t result;

    codr_budget_begin(&budget, content->length, linter->lint->nodes);
    result = codr_check_source(linter->set, linter->language,
                               linter->lint->level, content->data,
                               (uint32_t) content->length, &budget, finding,
                               &count);

    switch (result) {

    case CODR_CHECK_DONE:
        return print_findings(linter, path, content, finding, count);

    case CODR_CHECK_TOO_COMPLEX:
        return refuse_size(linter, path, content);

    case CODR_CHECK_UNAVAILABLE:
        break;
    }

    codr_lint_untold(path, "the check took more time or memory than it may",
                     linter->lint->json);
    return UNTOLD;
}


static int
lint_file(const linter_t *linter, const char *path)
{
    int       result, verdict = UNTOLD;
    content_t content = { NULL, 0 };

    result = read_content(&content, path);
    if (result == 0) {
        verdict = lint_content(linter, path, &content);
    } else {
        codr_lint_untold(path, strerror(-result), linter->lint->json);
    }

    free(content.data);
    return verdict;
}


static const struct {
    const char  *alias;
    const char  *name;
} aliases[] = {
#define ALIAS(alias, name)  { alias, name },
#include "codr_aliases.h"
#undef ALIAS
};


/* A name of a folder, or another one that the shipped languages have. */
static void
take_name(char ret[NAME_SIZE], const char *language)
{
    size_t i;

    for (i = 0; language[i] != '\0' && i + 1 < NAME_SIZE; i++) {
        ret[i] = (char) tolower((uint8_t) language[i]);
    }
    ret[i] = '\0';

    for (i = 0; i < CODR_ARRAY_LEN(aliases); i++) {
        if (strcmp(aliases[i].alias, ret) == 0) {
            (void) snprintf(ret, NAME_SIZE, "%s", aliases[i].name);
            return;
        }
    }
}


/* What is wrong is said of each file. */
static int
open_policy(linter_t *linter, codr_policy_set_t *set, const char *name,
    char **path, int paths)
{
    int                i, result;
    const codr_lint_t *lint = linter->lint;
    codr_policy_plan_t plan = { name, lint->grammar, lint->file };
    codr_query_error_t error;

    result = codr_policy_add(set, &plan, &error);
    if (result == 0) {
        linter->language = codr_policy_find(set, name);
        return 0;
    }

    if (result == -ENOENT) {
        (void) snprintf(error.text, sizeof(error.text),
                        "no policy for language \"%s\" in \"%s\"",
                        lint->language, lint->policies);
    }

    for (i = 0; lint->json && i < paths; i++) {
        codr_lint_untold(path[i], error.text, true);
    }
    if (!lint->json) {
        (void) fprintf(stderr, "%s\n", error.text);
    }

    return result;
}


int
codr_lint_files(const codr_lint_t *lint, char **path, int paths)
{
    int               i, verdict, worst = PASSES;
    char              name[NAME_SIZE];
    codr_policy_set_t set = { .dir = lint->policies, .plain = lint->plain };
    linter_t          linter = { .lint = lint, .set = &set };

    take_name(name, lint->language);
    if (open_policy(&linter, &set, name, path, paths) < 0) {
        codr_policy_free(&set);
        return UNTOLD;
    }

    for (i = 0; i < paths; i++) {
        verdict = lint_file(&linter, path[i]);
        worst = verdict > worst ? verdict : worst;
    }

    codr_policy_free(&set);
    return worst;
}
