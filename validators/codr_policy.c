/*
 * Builds policies out of query files.  Runs before any source is seen; it
 * reads files of the operator's directory and of nobody else's.
 */

#define _GNU_SOURCE

#include "codr_policy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codr_util.h"

typedef struct {
    codr_policy_set_t     *set;
    const codr_grammar_t  *grammar;
    codr_query_error_t    *error;
    unsigned               depth;
} builder_t;


static int
mistake(codr_query_error_t *error, const char *path, const char *what)
{
    (void) snprintf(error->text, sizeof(error->text), "%s:1:1: %s", path,
                    what);
    return -EINVAL;
}


static bool
exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}


static bool
is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}


/* Files */


/* Where a file that another one names is: beside it, or below the directory
   of policies; a word alone is a level in the same folder. */
static void
locate(const builder_t *builder, const codr_query_t *from, const char *name,
    char path[PATH_MAX])
{
    const char *slash = strrchr(from->path, '/');
    int         dir = slash ? (int) (slash - from->path + 1) : 0;
    const char *suffix = strchr(name, '.') || strchr(name, '/') ? "" : ".scm";

    if (name[0] == '/') {
        (void) snprintf(path, PATH_MAX, "%s", name);
        return;
    }

    (void) snprintf(path, PATH_MAX, "%.*s%s%s", dir, from->path, name,
                    suffix);
    if (!exists(path)) {
        (void) snprintf(path, PATH_MAX, "%s/%s%s", builder->set->dir, name,
                        suffix);
    }
}


static codr_query_t *
find_loaded(const builder_t *builder, const char *path)
{
    codr_query_t *query;

    for (query = builder->set->queries; query; query = query->next) {
        if (query->grammar == builder->grammar
            && strcmp(query->path, path) == 0)
        {
            return query;
        }
    }

    return NULL;
}


/* Each pattern is a rule of its own: two may share an id, not a message. */
static int
number_rules(codr_policy_set_t *set, codr_query_t *query)
{
    uint32_t        i;
    codr_rule_t    *rule;
    codr_pattern_t *pattern;

    if (query->bindings) {
        return 0;
    }
    if (query->patterns > CODR_POLICY_RULES - set->rules) {
        return -E2BIG;
    }

    rule = realloc(set->rule, (set->rules + query->patterns + 1)
                              * sizeof(*rule));
    if (rule == NULL) {
        return -ENOMEM;
    }
    set->rule = rule;

    for (i = 0; i < query->patterns; i++) {
        pattern = &query->pattern[i];
        pattern->rule = set->rules;
        rule[set->rules++] = (codr_rule_t) {
            pattern->id, pattern->message, pattern->severity,
        };
    }

    return 0;
}


static int load(builder_t *builder, const char *path, bool bindings,
    codr_query_t **ret);


/* Depth first: words of inherited lists are known when patterns are read. */
static int
load_inherited(builder_t *builder, codr_query_t *query, const char *name)
{
    int  result;
    char path[PATH_MAX];

    if (name == NULL) {
        return 0;
    }
    if (builder->depth + 1 >= CODR_POLICY_FILES) {
        return codr_query_mistake(query, 0, builder->error,
                                  "too many files inherit each other");
    }

    locate(builder, query, name, path);
    if (!exists(path)) {
        return codr_query_mistake(query, 0, builder->error,
                                  "no file \"%s\" to inherit", name);
    }

    builder->depth++;
    result = load(builder, path, false, &query->inherits);
    builder->depth--;
    return result;
}


static int
load(builder_t *builder, const char *path, bool bindings, codr_query_t **ret)
{
    int           result;
    const char   *inherits;
    codr_query_t *query = find_loaded(builder, path);

    if (query) {
        *ret = query;
        return 0;
    }

    result = codr_query_open(&query, path, bindings, &inherits,
                             builder->error);
    if (result < 0) {              /* -ENOENT would mean: runs unchecked */
        return builder->error->text[0] ? -EINVAL
               : mistake(builder->error, path, strerror(-result));
    }

    result = load_inherited(builder, query, inherits);
    if (result == 0) {
        query->plain = builder->set->plain;
        result = codr_query_compile(query, builder->grammar, builder->error);
    }
    if (result == 0) {
        result = number_rules(builder->set, query);
    }
    if (result < 0) {
        codr_query_free(query);
        return result;
    }

    query->next = builder->set->queries;
    builder->set->queries = query;
    *ret = query;
    return 0;
}


/* Policies */


static int
skip_rules(codr_policy_t *policy, size_t own)
{
    size_t              i;
    uint32_t            p;
    const codr_query_t *query = policy->query[own];
    const codr_query_t *inherited;

    if (query->except.count == 0) {
        return 0;
    }

    if (policy->skip == NULL) {
        policy->skip = calloc(CODR_POLICY_RULES, sizeof(bool));
        if (policy->skip == NULL) {
            return -ENOMEM;
        }
    }

    for (i = 0; i < own; i++) {
        inherited = policy->query[i];
        for (p = 0; p < inherited->patterns; p++) {
            if (codr_list_has(&query->except, inherited->pattern[p].id)) {
                policy->skip[inherited->pattern[p].rule] = true;
            }
        }
    }

    return 0;
}


static int
chain(codr_policy_t *policy, codr_query_t *query)
{
    size_t        i, n = 0;
    codr_query_t *q;

    for (q = query; q; q = q->inherits) {
        n++;
    }
    if (n > CODR_POLICY_FILES) {
        return -E2BIG;
    }

    policy->queries = n;
    for (i = n, q = query; q; q = q->inherits) {
        policy->query[--i] = q;
    }

    return 0;
}


static int
build(builder_t *builder, codr_policy_t *policy, const char *path)
{
    int           result;
    size_t        i;
    codr_query_t *query;

    result = load(builder, path, false, &query);
    if (result == 0) {
        result = chain(policy, query);
    }

    for (i = 0; result == 0 && i < policy->queries; i++) {
        result = skip_rules(policy, i);
    }

    return result;
}


static int
load_bindings(builder_t *builder, codr_query_t **ret)
{
    char path[PATH_MAX];

    (void) snprintf(path, sizeof(path), "%s/%s/bindings.scm",
                    builder->set->dir, builder->grammar->name);

    *ret = NULL;
    return exists(path) ? load(builder, path, true, ret) : 0;
}


/* A file is the policy at every level; a folder has one file a level. */
static void
level_path(const codr_policy_set_t *set, const codr_policy_plan_t *plan,
    unsigned level, char path[PATH_MAX])
{
    char        base[PATH_MAX - 32];
    const char *name = codr_policy_level_name(level);

    if (plan->file == NULL) {
        (void) snprintf(base, sizeof(base), "%s/%s", set->dir,
                        plan->grammar ? plan->grammar : plan->name);
    } else if (plan->file[0] == '/') {
        (void) snprintf(base, sizeof(base), "%s", plan->file);
    } else {
        (void) snprintf(base, sizeof(base), "%s/%s", set->dir, plan->file);
    }

    if (is_directory(base)) {
        (void) snprintf(path, PATH_MAX, "%s/%s.scm", base, name);
    } else {
        (void) snprintf(path, PATH_MAX, "%s", base);
    }
}


static int
build_levels(builder_t *builder, codr_policy_language_t *language,
    const codr_policy_plan_t *plan)
{
    int           result;
    char          path[PATH_MAX];
    unsigned      level;
    codr_query_t *bindings;

    result = load_bindings(builder, &bindings);

    for (level = 0; result == 0 && level < CODR_POLICY_LEVELS; level++) {
        language->level[level].bindings = bindings;
        level_path(builder->set, plan, level, path);
        result = build(builder, &language->level[level], path);
    }

    return result;
}


/* Whether the shipped folder of a language that names nothing is there: 0,
   -ENOENT.  That there are no folders at all is no answer: everything would
   run unchecked. */
static int
find_folder(const codr_policy_set_t *set, const char *name,
    const codr_grammar_t *grammar, codr_query_error_t *error)
{
    char path[PATH_MAX];

    if (grammar == NULL) {
        return -ENOENT;
    }
    if (!is_directory(set->dir)) {
        (void) mistake(error, set->dir, "no directory of policies");
        return -ENOTDIR;
    }

    (void) snprintf(path, sizeof(path), "%s/%s", set->dir, name);
    return is_directory(path) ? 0 : -ENOENT;
}


static codr_policy_language_t *
new_language(codr_policy_set_t *set, const char *name)
{
    codr_policy_language_t *grown;

    grown = realloc(set->language, (set->languages + 1) * sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }

    set->language = grown;
    grown += set->languages;
    *grown = (codr_policy_language_t) { .name = strdup(name) };
    if (grown->name == NULL) {
        return NULL;
    }

    set->languages++;
    return grown;
}


int
codr_policy_add(codr_policy_set_t *set, const codr_policy_plan_t *plan,
    codr_query_error_t *error)
{
    int                     result;
    const char             *name = plan->grammar ? plan->grammar : plan->name;
    builder_t               builder = { set, codr_grammar_find(name), error,
                                        0 };
    codr_policy_language_t *language;

    if (plan->file && strcmp(plan->file, "off") == 0) {
        return -ENOENT;
    }
    if (plan->grammar == NULL && plan->file == NULL) {
        result = find_folder(set, plan->name, builder.grammar, error);
        if (result < 0) {
            return result;
        }
    }
    if (builder.grammar == NULL) {
        return mistake(error, plan->file ? plan->file : name,
                       "no such grammar is built in: the language needs"
                       " \"grammar NAME;\"");
    }

    language = new_language(set, plan->name);
    if (language == NULL) {
        return -ENOMEM;
    }

    error->text[0] = '\0';
    result = build_levels(&builder, language, plan);
    if (result == 0) {
        language->grammar = builder.grammar;
    } else if (error->text[0] == '\0') {
        (void) snprintf(error->text, sizeof(error->text), "%s: %s",
                        plan->name, strerror(-result));
    }

    return result;
}


const codr_policy_language_t *
codr_policy_find(const codr_policy_set_t *set, const char *language)
{
    size_t i;

    for (i = 0; i < set->languages; i++) {
        if (strcmp(set->language[i].name, language) == 0
            && set->language[i].grammar)
        {
            return &set->language[i];
        }
    }

    return NULL;
}


const char *
codr_rule_severity(const codr_rule_t *rule)
{
    return rule->severity == CODR_SEVERITY_ERROR ? "error" : "warning";
}


void
codr_policy_free(codr_policy_set_t *set)
{
    size_t        i;
    unsigned      level;
    codr_query_t *query;

    while ((query = set->queries) != NULL) {
        set->queries = query->next;
        codr_query_free(query);
    }

    for (i = 0; i < set->languages; i++) {
        free(set->language[i].name);
        for (level = 0; level < CODR_POLICY_LEVELS; level++) {
            free(set->language[i].level[level].skip);
        }
    }

    free(set->language);
    free(set->rule);
    *set = (codr_policy_set_t) { .dir = set->dir, .plain = set->plain };
}
