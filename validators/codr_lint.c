/*
 * Checks files from the shell: lines as compilers print them, or a JSON object
 * a file.  Runs as whoever calls it, on files of theirs.
 */

#define _GNU_SOURCE

#include "codr_lint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_check.h"
#include "codr_diagnostic.h"
#include "codr_util.h"

#define FILE_SIZE   (64 * 1024 * 1024)

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


static int
read_content(content_t *ret, const char *path)
{
    int         result = 0;
    int         fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t     n;
    struct stat st;

    if (fd == -1) {
        return -errno;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size > FILE_SIZE)
    {
        codr_close(&fd);
        return -EINVAL;
    }

    ret->data = malloc((size_t) st.st_size + 1);
    if (ret->data == NULL) {
        codr_close(&fd);
        return -ENOMEM;
    }

    while (ret->length < (size_t) st.st_size) {
        n = read(fd, ret->data + ret->length,
                 (size_t) st.st_size - ret->length);
        if (n <= 0) {
            result = n == 0 ? 0 : -errno;
            break;
        }
        ret->length += (size_t) n;
    }

    codr_close(&fd);
    return result;
}


static void
put_json(const char *text)
{
    (void) putchar('"');

    for ( /* void */ ; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            (void) putchar('\\');
            (void) putchar(*text);
        } else if ((uint8_t) *text < 0x20) {
            (void) printf("\\u%04x", *text);
        } else {
            (void) putchar(*text);
        }
    }

    (void) putchar('"');
}


static void
print_json(const codr_rule_t *rule, const codr_range_t *range)
{
    char         text[CODR_DIAGNOSTIC_MESSAGE];
    codr_position_t place = codr_diagnostic_position(range);

    (void) fputs("{\"rule\":", stdout);
    put_json(rule->id);
    (void) fputs(",\"message\":", stdout);
    codr_diagnostic_message(text, rule->message, range);
    put_json(text);
    (void) printf(",\"severity\":\"%s\",\"line\":%u,\"column\":%u,"
                  "\"end_line\":%u,\"end_column\":%u,\"snippet\":",
                  codr_rule_severity(rule), place.line, place.column,
                  place.end_line, place.end_column);
    codr_diagnostic_snippet(text, range);
    put_json(text);
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


static void
print_untold(const linter_t *linter, const char *path, const char *why)
{
    if (linter->lint->json) {
        (void) fputs("{\"file\":", stdout);
        put_json(path);
        (void) fputs(",\"verdict\":\"unavailable\",\"reason\":", stdout);
        put_json(why);
        (void) fputs(",\"diagnostics\":[]}\n", stdout);
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
        put_json(path);
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


static int
lint_content(const linter_t *linter, const char *path,
    const content_t *content)
{
    uint32_t            count = 0;
    codr_budget_t       budget;
    codr_finding_t      finding[CODR_CHECK_FINDINGS];
    codr_check_result_t result;

    codr_budget_begin(&budget, codr_budget_us(content->length),
                      linter->lint->nodes);
    result = codr_check_source(linter->set, linter->language,
                               linter->lint->level, content->data,
                               (uint32_t) content->length, &budget, finding,
                               &count);

    switch (result) {

    case CODR_CHECK_DONE:
        return print_findings(linter, path, content, finding, count);

    case CODR_CHECK_TOO_COMPLEX:
        print_untold(linter, path, "more syntax nodes than allowed");
        return REFUSED;

    case CODR_CHECK_UNAVAILABLE:
        break;
    }

    print_untold(linter, path, "the check took more time or memory than it"
                 " may");
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
        print_untold(linter, path, strerror(-result));
    }

    free(content.data);
    return verdict;
}


int
codr_lint_files(const codr_lint_t *lint, char **path, int paths)
{
    int                i, result, verdict, worst = PASSES;
    linter_t           linter = { .lint = lint };
    codr_policy_set_t  set = { .dir = lint->policies, .plain = lint->plain };
    codr_policy_plan_t plan = { lint->language, NULL, lint->file };
    codr_query_error_t error;

    linter.set = &set;
    result = codr_policy_add(&set, &plan, &error);
    if (result < 0) {
        if (result == -ENOENT) {
            (void) snprintf(error.text, sizeof(error.text),
                            "no policy for language \"%s\" in \"%s\"",
                            lint->language, lint->policies);
        }
        (void) fprintf(stderr, "%s\n", error.text);
        codr_policy_free(&set);
        return UNTOLD;
    }
    linter.language = codr_policy_find(&set, lint->language);

    for (i = 0; i < paths; i++) {
        verdict = lint_file(&linter, path[i]);
        worst = verdict > worst ? verdict : worst;
    }

    codr_policy_free(&set);
    return worst;
}
