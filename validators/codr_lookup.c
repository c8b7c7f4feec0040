/*
 * Looks names up through the scopes around them.  Runs in the validator's
 * children.
 */

#define _GNU_SOURCE

#include "codr_lookup.h"

#include <ctype.h>
#include <string.h>

#include "codr_name.h"
#include "codr_predicate.h"
#include "codr_value.h"

#define SCOPES      256         /* outwards; then the root at once */
#define DEPTH       400
#define WORDS       64          /* of a macro's body */

/* Where a name is used. */
typedef struct {
    codr_check_t  *check;
    const char    *name;
    uint32_t       scope;
    uint32_t       at;          /* byte */
} use_t;


static const codr_value_t nothing;

static void look(const use_t *use, codr_value_t *value);


/* What depends on nothing but the text is asked once: names are looked up
   again and again. */
static bool
holds(const use_t *use, codr_entry_t *entry)
{
    const codr_match_t *match = &entry->fact->match;

    if (!match->pattern->lasting) {
        return codr_predicates_hold(use->check, match);
    }

    if (!entry->asked) {
        entry->asked = true;
        entry->holds = codr_predicates_hold(use->check, match);
    }
    return entry->holds && !use->check->budget->over;
}


static bool
applies(const use_t *use, codr_entry_t *entry, uint32_t scope,
    const char *name)
{
    const codr_node_t *node = &use->check->tree.node[entry->node];

    return entry->scope == scope && strcmp(entry->name, name) == 0
           && (!entry->fact->match.pattern->after || node->end <= use->at)
           && holds(use, entry);
}


/* "from a import b", "use a::{b}": what comes before. */
static void
put_prefix(const use_t *use, uint32_t node, char path[CODR_NAME_SIZE])
{
    char                part[CODR_NAME_SIZE], joined[CODR_NAME_SIZE];
    uint32_t            n;
    const codr_node_t  *row, *rows = use->check->tree.node;
    const codr_about_t *about;

    path[0] = '\0';

    while (node != 0 && !codr_budget_step(use->check->budget)) {
        node = rows[node].parent;
        for (about = codr_tree_meaning(&use->check->tree, node)->about; about;
             about = about->next)
        {
            if (about->kind != CODR_ROLE_PREFIX) {
                continue;
            }
            n = codr_match_node(&about->fact->match, CODR_ROLE_PREFIX_PATH,
                                0);
            if (n == CODR_NO_NODE) {
                continue;
            }
            row = &rows[n];
            if (codr_name_fold(part, use->check->tree.text.text + row->start,
                               row->end - row->start, use->check->budget) == 0
                || !codr_name_join(joined, sizeof(joined), part,
                                   path[0] ? "." : "", path))
            {
                return;
            }
            memcpy(path, joined, sizeof(joined));
        }
    }
}


/* A path as written, or a string that names a module. */
static void
add_path(const use_t *use, codr_value_t *value, uint32_t node,
    const char *prefix)
{
    char                part[CODR_NAME_SIZE], path[2 * CODR_NAME_SIZE];
    codr_value_t        module = { .paths = 0 };
    const codr_node_t  *row = &use->check->tree.node[node];
    const char         *text = use->check->tree.text.text + row->start;
    size_t              len = row->end - row->start;
    const codr_value_t *constant = codr_resolve(use->check, node);

    if (constant->text && prefix[0] == '\0') {
        codr_value_add_module(use->check, value, constant->text,
                              constant->length);
        return;
    }

    if (constant->text) {
        codr_value_add_module(use->check, &module, constant->text,
                              constant->length);
        if (module.paths > 0) {
            codr_value_join(use->check, value, prefix, module.path[0]);
        }
        return;
    }

    /* "::std" is no name of the program's own, and "std" as good as none */
    if (len > 2 && memcmp(text, "::", 2) == 0) {
        text += 2;
        len -= 2;
    }

    if (codr_name_fold(part, text, len, use->check->budget) > 0) {
        (void) codr_name_join(path, sizeof(path), prefix,
                              prefix[0] ? "." : "", part);
        codr_value_add(use->check, value, path, strlen(path));
    }
}


static void
take_import(const use_t *use, codr_value_t *value, const codr_match_t *match,
    codr_role_t role)
{
    char         prefix[CODR_NAME_SIZE];
    uint32_t     i, path = codr_match_node(match, role, 0);
    uint32_t     from = codr_match_node(match, CODR_ROLE_IMPORT_FROM, 0);
    codr_value_t source = { .paths = 0 };

    if (match->pattern->prefix && role != CODR_ROLE_IMPORT_FROM) {
        (void) codr_name_join(prefix, sizeof(prefix), match->pattern->prefix,
                              "", "");
    } else {
        put_prefix(use, path == CODR_NO_NODE ? 0 : path, prefix);
    }

    if (path == CODR_NO_NODE) {
        return;
    }
    if (from == CODR_NO_NODE || from == path) {
        add_path(use, value, path, prefix);
        return;
    }

    add_path(use, &source, from, prefix);
    for (i = 0; i < source.paths; i++) {
        add_path(use, value, path, source.path[i]);
    }
}


static void
take_bind(const use_t *use, codr_value_t *value, const codr_match_t *match,
    bool only)
{
    char                name[CODR_NAME_SIZE];
    uint32_t            i, node = codr_match_node(match,
                                                  CODR_ROLE_BIND_VALUE, 0);
    const codr_value_t *bound;

    if (node == CODR_NO_NODE) {
        return;
    }

    bound = codr_resolve(use->check, node);
    if (!codr_value_member(use->check, match, CODR_ROLE_BIND_PROPERTY,
                           CODR_ROLE_BIND_KEY, name))
    {
        codr_value_add_all(value, bound);
        if (only) {
            value->text = bound->text;
            value->length = bound->length;
        }
        return;
    }

    for (i = 0; i < bound->paths; i++) {
        codr_value_join(use->check, value, bound->path[i], name);
    }
}


/* The end of a string, a character or a comment that begins here, or NULL. */
static const char *
skip_text(const char *p, const char *end)
{
    char        quote = *p;
    const char *close;

    if (quote == '/' && p + 1 < end && (p[1] == '*' || p[1] == '/')) {
        close = p[1] == '*' ? memmem(p + 2, (size_t) (end - p - 2), "*/", 2)
                            : NULL;
        return close ? close + 2 : end;
    }
    if (quote != '"' && quote != '\'') {
        return NULL;
    }

    for (p++; p < end && *p != quote; p++) {
        p += *p == '\\' && p + 1 < end;
    }
    return p < end ? p + 1 : end;
}


/* The next name in a macro's body, or NULL: not what is in strings, and not
   the names of members. */
static const char *
next_name(const char *p, const char *end, size_t *ret_length)
{
    bool        member = false;
    size_t      len;
    const char *skipped;

    while (p < end) {
        skipped = skip_text(p, end);
        if (skipped) {
            p = skipped;
            member = false;
            continue;
        }

        for (len = 0; p + len < end
             && (isalnum((uint8_t) p[len]) || p[len] == '_'
                 || (p[len] == '\'' && len > 0 && isdigit((uint8_t) *p)));
             len++)
        {
            /* void: 1'000 is one number */
        }
        if (len > 0 && !member && !isdigit((uint8_t) *p)) {
            *ret_length = len;
            return p;
        }
        if (len > 0 || !isspace((uint8_t) *p)) {
            member = len == 0 && (*p == '.' || (*p == '>' && p[-1] == '-'));
        }
        p += len ? len : 1;
    }

    return NULL;
}


/* Every name in a macro's body may be what it stands for. */
static void
take_macro(const use_t *use, codr_value_t *value, const codr_match_t *match)
{
    char               word[CODR_NAME_SIZE];
    use_t              inner = *use;
    size_t             len;
    uint32_t           n = 0;
    uint32_t           node = codr_match_node(match, CODR_ROLE_MACRO_BODY, 0);
    const char        *p, *end;
    const codr_node_t *row;

    if (node == CODR_NO_NODE || use->check->depth >= DEPTH) {
        return;
    }

    row = &use->check->tree.node[node];
    end = use->check->tree.text.text + row->end;
    use->check->depth++;

    for (p = next_name(use->check->tree.text.text + row->start, end, &len);
         p && n < WORDS; p = next_name(p + len, end, &len), n++)
    {
        if (len < sizeof(word)) {
            memcpy(word, p, len);
            word[len] = '\0';
            inner.name = word;
            inner.scope = 0;
            if (strcmp(word, use->name) != 0) {
                look(&inner, value);
            }
        }
    }

    use->check->depth--;
}


static void
take_entry(const use_t *use, codr_value_t *value, const codr_entry_t *entry,
    bool only)
{
    const codr_match_t *match = &entry->fact->match;

    switch (entry->kind) {

    case CODR_ROLE_BIND_NAME:
        take_bind(use, value, match, only);
        break;

    case CODR_ROLE_IMPORT_PATH:
        take_import(use, value, match, CODR_ROLE_IMPORT_PATH);
        break;

    case CODR_ROLE_MACRO_NAME:
        take_macro(use, value, match);
        break;

    default:                            /* a definition: no path */
        break;
    }
}


static uint32_t
count(const use_t *use, uint32_t scope)
{
    uint32_t      n = 0;
    codr_entry_t *entry;

    for (entry = codr_facts_bucket(&use->check->facts, scope, use->name);
         entry && !codr_budget_step(use->check->budget); entry = entry->next)
    {
        n += applies(use, entry, scope, use->name);
    }

    return n;
}


static bool
look_in(const use_t *use, uint32_t scope, codr_value_t *value)
{
    uint32_t      n = count(use, scope);
    codr_entry_t *entry;

    if (n == 0) {
        return false;
    }

    for (entry = codr_facts_bucket(&use->check->facts, scope, use->name);
         entry; entry = entry->next)
    {
        if (applies(use, entry, scope, use->name)) {
            take_entry(use, value, entry, n == 1);
        }
    }

    return true;
}


/* The paths of an "import *", which many names ask for.  None may be the
   answer of one that is being resolved, and is not kept. */
static const codr_value_t *
star_of(const use_t *use, codr_entry_t *entry)
{
    codr_value_t  found = { .paths = 0 };
    codr_value_t *star;

    if (entry->star) {
        return entry->star;
    }

    take_import(use, &found, &entry->fact->match, CODR_ROLE_IMPORT_STAR);
    if (found.paths == 0) {
        return &nothing;
    }

    star = codr_arena_alloc(&use->check->arena, sizeof(*star));
    if (star == NULL) {
        use->check->budget->over = true;
        return &nothing;
    }

    *star = found;
    entry->star = star;
    return star;
}


/* A name that is bound nowhere: its own path, and what "import *" makes of
   it. */
static void
add_unbound(const use_t *use, codr_value_t *value)
{
    uint32_t            i, scope = use->scope, n;
    codr_entry_t       *entry;
    const codr_value_t *star;

    codr_value_add(use->check, value, use->name, strlen(use->name));

    for (n = 0; use->check->facts.stars && n < SCOPES; n++) {
        for (entry = codr_facts_bucket(&use->check->facts, scope, "*"); entry;
             entry = entry->next)
        {
            if (!applies(use, entry, scope, "*")) {
                continue;
            }
            star = star_of(use, entry);
            for (i = 0; i < star->paths; i++) {
                codr_value_join(use->check, value, star->path[i], use->name);
            }
        }
        if (scope == 0) {
            break;
        }
        scope = use->check->tree.node[scope].scope;
    }
}


/* Names of a class are not seen from the functions in it. */
static void
look(const use_t *use, codr_value_t *value)
{
    bool               crossed = false;
    uint32_t           n, scope = use->scope;
    const codr_node_t *rows = use->check->tree.node;

    for (n = 0; !codr_budget_step(use->check->budget); n++) {
        if (n == SCOPES) {
            scope = 0;
        }
        if (!(crossed && rows[scope].scope_kind == CODR_SCOPE_CLASS)
            && look_in(use, scope, value))
        {
            return;
        }
        if (scope == 0) {
            break;
        }
        crossed = crossed || rows[scope].scope_kind == CODR_SCOPE_FUNCTION;
        scope = rows[scope].scope;
    }

    add_unbound(use, value);
}


void
codr_lookup(codr_check_t *check, codr_value_t *value, uint32_t node)
{
    char               name[CODR_NAME_SIZE];
    const codr_node_t *row = &check->tree.node[node];
    const use_t        use = { check, name, row->scope, row->start };

    if (codr_name_fold(name, check->tree.text.text + row->start,
                       row->end - row->start, check->budget) > 0)
    {
        look(&use, value);
    }
}


void
codr_lookup_import(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match, codr_role_t role)
{
    const use_t use = { check, "", 0, 0 };

    take_import(&use, value, match,
                role == CODR_ROLE_IMPORT_NAME ? CODR_ROLE_IMPORT_PATH : role);
}


bool
codr_lookup_pastes(codr_check_t *check, uint32_t node)
{
    char                name[CODR_NAME_SIZE];
    uint32_t            body;
    const codr_node_t  *row = &check->tree.node[node];
    const codr_entry_t *entry;

    if (codr_name_fold(name, check->tree.text.text + row->start,
                       row->end - row->start, check->budget) == 0)
    {
        return false;
    }

    for (entry = codr_facts_bucket(&check->facts, 0, name); entry;
         entry = entry->next)
    {
        if (entry->kind != CODR_ROLE_MACRO_NAME || entry->scope != 0
            || strcmp(entry->name, name) != 0)
        {
            continue;
        }
        body = codr_match_node(&entry->fact->match, CODR_ROLE_MACRO_BODY, 0);
        if (body != CODR_NO_NODE
            && memmem(check->tree.text.text + check->tree.node[body].start,
                      check->tree.node[body].end
                      - check->tree.node[body].start, "##", 2))
        {
            return true;
        }
    }

    return false;
}
