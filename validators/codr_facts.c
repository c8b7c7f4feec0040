/*
 * Collects the facts of a source: runs the bindings of its grammar over the
 * tree, finds the scopes, and enters names into them.  Runs in the
 * validator's children.
 */

#include "codr_facts.h"

#include <string.h>

#include "codr_check.h"
#include "codr_name.h"
#include "codr_predicate.h"
#include "codr_walk.h"

#define BUCKETS_MIN     64

/* Facts that are nothing but these are taken at once. */
#define MARKS   (CODR_ROLE_BIT(CODR_ROLE_NONE)                              \
                 | CODR_ROLE_BIT(CODR_ROLE_REFERENCE)                       \
                 | CODR_ROLE_BIT(CODR_ROLE_NAME)                            \
                 | CODR_ROLE_BIT(CODR_ROLE_MEMBER_NAME))

/* Facts with one of these enter names. */
#define NAMES   (CODR_ROLE_BIT(CODR_ROLE_DEFINE)                            \
                 | CODR_ROLE_BIT(CODR_ROLE_BIND_NAME)                       \
                 | CODR_ROLE_BIT(CODR_ROLE_MACRO_NAME)                      \
                 | CODR_ROLE_BIT(CODR_ROLE_IMPORT_PATH)                     \
                 | CODR_ROLE_BIT(CODR_ROLE_IMPORT_STAR))


uint32_t
codr_match_node(const codr_match_t *match, codr_role_t role, uint32_t i)
{
    uint32_t k;

    for (k = 0; k < match->captures; k++) {
        if (match->query->role[match->capture[k].id] == role && i-- == 0) {
            return match->capture[k].node;
        }
    }

    return CODR_NO_NODE;
}


static uint32_t
hash(uint32_t scope, const char *name)
{
    uint32_t h = scope * 2654435761U;

    while (*name != '\0') {
        h = (h ^ (uint8_t) *name++) * 16777619U;
    }

    return h ^ h >> 15;
}


codr_entry_t *
codr_facts_bucket(const codr_facts_t *facts, uint32_t scope,
    const char *name)
{
    return facts->bucket[hash(scope, name) & (facts->buckets - 1)];
}


/* It and what is in it name something; they do not use it. */
static void
mark_name(codr_tree_t *tree, uint32_t node)
{
    uint32_t i, end = tree->node[node].end;

    tree->node[node].name = true;
    for (i = node + 1; i < tree->count && tree->node[i].start < end; i++)
    {
        tree->node[i].name = true;
    }
}


/* What only marks names and their uses needs no place of its own. */
static void
mark(codr_check_t *check, const codr_match_t *match)
{
    uint32_t               i;
    const codr_capture_t  *capture;

    for (i = 0; i < match->captures; i++) {
        capture = &match->capture[i];
        switch ((codr_role_t) match->query->role[capture->id]) {

        case CODR_ROLE_REFERENCE:
            check->tree.node[capture->node].reference = true;
            break;

        case CODR_ROLE_NAME:
        case CODR_ROLE_MEMBER_NAME:
            mark_name(&check->tree, capture->node);
            break;

        default:
            break;
        }
    }
}


/* The first run: matches are kept, scopes are marked. */
static bool
keep(codr_check_t *check, const codr_match_t *match)
{
    size_t          size = match->captures * sizeof(codr_capture_t);
    codr_fact_t    *fact;

    mark(check, match);
    if ((match->pattern->roles & ~MARKS) == 0) {
        return true;
    }

    fact = codr_arena_room(&check->arena, sizeof(*fact) + size);
    if (fact == NULL) {
        return false;
    }

    fact->next = NULL;
    fact->match = *match;
    fact->match.capture = fact->capture;
    memcpy(fact->capture, match->capture, size);
    *check->facts.last = fact;
    check->facts.last = &fact->next;
    return true;
}


static void
mark_scopes(codr_check_t *check)
{
    uint32_t     i, node;
    codr_tree_t *tree = &check->tree;
    codr_fact_t *fact;
    codr_scope_t kind;

    for (fact = check->facts.first; fact; fact = fact->next) {
        if ((fact->match.pattern->roles & CODR_ROLE_BIT(CODR_ROLE_SCOPE)) == 0)
        {
            continue;
        }
        node = codr_match_node(&fact->match, CODR_ROLE_SCOPE, 0);
        if (node != CODR_NO_NODE && codr_predicates_hold(check, &fact->match))
        {
            kind = fact->match.pattern->scope;
            tree->node[node].scope_kind = (uint8_t) (kind ? kind
                                                     : CODR_SCOPE_BLOCK);
        }
    }

    tree->node[0].scope_kind = CODR_SCOPE_FUNCTION;
    tree->node[0].scope = 0;

    for (i = 1; i < tree->count; i++) {         /* parents come first */
        node = tree->node[i].parent;
        tree->node[i].scope = tree->node[node].scope_kind ? node
                              : tree->node[node].scope;
    }
}


/* Where a name goes. */
static uint32_t
place_of(const codr_tree_t *tree, uint32_t node, codr_place_t place)
{
    uint32_t scope = tree->node[node].scope;

    switch (place) {

    case CODR_PLACE_NEAREST:
        return scope;

    case CODR_PLACE_OUTER:
        return tree->node[scope].scope;

    case CODR_PLACE_FUNCTION:
        while (tree->node[scope].scope_kind != CODR_SCOPE_FUNCTION) {
            scope = tree->node[scope].scope;
        }
        return scope;

    case CODR_PLACE_ROOT:
        break;
    }

    return 0;
}


static bool
enter(codr_check_t *check, const codr_fact_t *fact, codr_role_t kind,
    uint32_t node, const char *name)
{
    uint32_t              at;
    codr_facts_t         *facts = &check->facts;
    codr_entry_t         *entry;

    entry = codr_arena_alloc(&check->arena, sizeof(*entry));
    if (entry == NULL) {
        return false;
    }

    entry->scope = place_of(&check->tree, node, fact->match.pattern->place);
    entry->name = name;
    entry->node = node;
    entry->kind = kind;
    entry->fact = fact;

    at = hash(entry->scope, name) & (facts->buckets - 1);
    entry->next = facts->bucket[at];
    facts->bucket[at] = entry;
    return true;
}


/* The name as it counts; an import's without one is its path's last part. */
static const char *
name_of(codr_check_t *check, uint32_t node, bool last_part)
{
    char               name[CODR_NAME_SIZE];
    const char        *dot;
    const codr_node_t *row = &check->tree.node[node];

    if (codr_name_fold(name, check->tree.text.text + row->start,
                       row->end - row->start, check->budget) == 0)
    {
        return "";
    }

    dot = last_part ? strrchr(name, '.') : NULL;
    dot = dot ? dot + 1 : name;
    return codr_arena_copy(&check->arena, dot, strlen(dot));
}


static bool
enter_name(codr_check_t *check, const codr_fact_t *fact, codr_role_t kind,
    codr_role_t role)
{
    uint32_t    i, node;
    const char *name;

    for (i = 0; (node = codr_match_node(&fact->match, role, i))
                != CODR_NO_NODE; i++)
    {
        mark_name(&check->tree, node);
        name = name_of(check, node, role == CODR_ROLE_IMPORT_PATH);
        if (name == NULL) {
            return false;
        }
        if (*name != '\0' && !enter(check, fact, kind, node, name)) {
            return false;
        }
    }

    return true;
}


static void
mark_all(codr_check_t *check, const codr_match_t *match, codr_role_t role)
{
    uint32_t i, node;

    for (i = 0; (node = codr_match_node(match, role, i)) != CODR_NO_NODE; i++)
    {
        mark_name(&check->tree, node);
    }
}


static bool
enter_import(codr_check_t *check, const codr_fact_t *fact)
{
    const codr_match_t *match = &fact->match;

    mark_all(check, match, CODR_ROLE_IMPORT_PATH);
    mark_all(check, match, CODR_ROLE_IMPORT_FROM);

    if (codr_match_node(match, CODR_ROLE_IMPORT_NAME, 0) != CODR_NO_NODE) {
        return enter_name(check, fact, CODR_ROLE_IMPORT_PATH,
                          CODR_ROLE_IMPORT_NAME);
    }

    return enter_name(check, fact, CODR_ROLE_IMPORT_PATH,
                      CODR_ROLE_IMPORT_PATH);
}


static bool
add_about(codr_check_t *check, const codr_fact_t *fact, codr_role_t kind,
    uint32_t node)
{
    codr_about_t   *about = codr_arena_room(&check->arena, sizeof(*about));
    codr_meaning_t *meaning = codr_tree_mean(&check->tree, node);

    if (about == NULL) {
        return false;
    }

    about->kind = kind;
    about->fact = fact;
    about->next = meaning->about;
    meaning->about = about;
    return true;
}


static bool
take_capture(codr_check_t *check, const codr_fact_t *fact, codr_role_t role,
    uint32_t node)
{
    switch (role) {

    case CODR_ROLE_MEMBER:
    case CODR_ROLE_SAME:
    case CODR_ROLE_CALL:
    case CODR_ROLE_MODULE:
    case CODR_ROLE_STRING:
    case CODR_ROLE_PREFIX:
    case CODR_ROLE_IMPORT_PATH:
    case CODR_ROLE_IMPORT_NAME:
    case CODR_ROLE_IMPORT_FROM:
    case CODR_ROLE_IMPORT_STAR:
        return add_about(check, fact, role, node);

    default:
        return true;
    }
}


static bool
take_names(codr_check_t *check, const codr_fact_t *fact)
{
    const codr_match_t *match = &fact->match;

    if ((match->pattern->roles & NAMES) == 0) {
        return true;
    }

    if (!enter_name(check, fact, CODR_ROLE_DEFINE, CODR_ROLE_DEFINE)
        || !enter_name(check, fact, CODR_ROLE_BIND_NAME, CODR_ROLE_BIND_NAME)
        || !enter_name(check, fact, CODR_ROLE_MACRO_NAME,
                       CODR_ROLE_MACRO_NAME))
    {
        return false;
    }

    if (codr_match_node(match, CODR_ROLE_IMPORT_PATH, 0) != CODR_NO_NODE) {
        return enter_import(check, fact);
    }

    if (codr_match_node(match, CODR_ROLE_IMPORT_STAR, 0) != CODR_NO_NODE) {
        mark_all(check, match, CODR_ROLE_IMPORT_STAR);
        check->facts.stars = true;
        return enter(check, fact, CODR_ROLE_IMPORT_STAR,
                     codr_match_node(match, CODR_ROLE_IMPORT_STAR, 0), "*");
    }

    return true;
}


static bool
take_fact(codr_check_t *check, const codr_fact_t *fact)
{
    uint32_t            i;
    const codr_match_t *match = &fact->match;

    for (i = 0; i < match->captures; i++) {
        if (!take_capture(check, fact,
                          match->query->role[match->capture[i].id],
                          match->capture[i].node))
        {
            return false;
        }
    }

    return take_names(check, fact);
}


bool
codr_facts_collect(codr_check_t *check)
{
    codr_fact_t  *fact;
    codr_facts_t *facts = &check->facts;

    facts->last = &facts->first;
    facts->buckets = BUCKETS_MIN;
    while (facts->buckets < check->tree.count / 4) {
        facts->buckets *= 2;
    }
    facts->bucket = codr_arena_alloc(&check->arena, facts->buckets
                                                    * sizeof(*facts->bucket));
    if (facts->bucket == NULL) {
        return false;
    }

    if (check->policy->bindings
        && !codr_walk(check, check->policy->bindings, NULL, keep))
    {
        return false;
    }
    mark_scopes(check);

    for (fact = facts->first; fact; fact = fact->next) {
        if (!take_fact(check, fact)) {
            return false;
        }
    }

    check->resolves = true;
    return true;
}
