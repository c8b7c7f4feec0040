/*
 * Resolves expressions to paths ("os.system") and constant strings, from the
 * facts that the bindings of the grammar have found.  Runs in the validator's
 * children.
 *
 * It follows facts, not the tree, remembers every answer, and goes no deeper
 * than DEPTH: what is deeper has no meaning.  Flow is not looked at: a name
 * that is bound twice may be either.
 */

#include "codr_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "codr_lookup.h"
#include "codr_name.h"
#include "codr_predicate.h"
#include "codr_value.h"

#define DEPTH       400
#define CODE_MAX    0x10ffff

static const codr_value_t nothing;
static const codr_value_t in_progress;


static void
take_member(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match)
{
    uint32_t            i;
    char                name[CODR_NAME_SIZE];
    const codr_value_t *object = &nothing;
    uint32_t            node = codr_match_node(match, CODR_ROLE_MEMBER_OBJECT,
                                               0);

    if (!codr_value_member(check, match, CODR_ROLE_MEMBER_NAME,
                           CODR_ROLE_MEMBER_KEY, name))
    {
        return;
    }

    if (node != CODR_NO_NODE) {
        object = codr_resolve(check, node);
    }

    for (i = 0; i < object->paths; i++) {
        codr_value_join(check, value, object->path[i], name);
    }
    if (object->paths == 0) {
        codr_value_join(check, value, "?", name);
    }
}


static void
take_same(codr_check_t *check, codr_value_t *value, const codr_match_t *match)
{
    uint32_t            i, node;
    const codr_value_t *other;

    for (i = 0; (node = codr_match_node(match, CODR_ROLE_SAME_VALUE, i))
                != CODR_NO_NODE; i++)
    {
        other = codr_resolve(check, node);
        codr_value_add_all(value, other);
        if (other->text) {
            value->text = other->text;
            value->length = other->length;
        }
    }
}


/* "#define CAT(a, b) a##b": what the arguments make together. */
static void
take_paste(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match)
{
    char               name[CODR_NAME_SIZE];
    size_t             len = 0;
    uint32_t           i, node;
    const codr_node_t *row;

    for (i = 0; (node = codr_match_node(match, CODR_ROLE_CALL_ARGUMENT, i))
                != CODR_NO_NODE; i++)
    {
        row = &check->tree.node[node];
        if (row->end - row->start >= sizeof(name) - len) {
            return;
        }
        memcpy(name + len, check->tree.text.text + row->start,
               row->end - row->start);
        len += row->end - row->start;
    }

    codr_value_add(check, value, name, len);
}


static void
take_call(codr_check_t *check, codr_value_t *value, const codr_match_t *match)
{
    uint32_t            i;
    uint32_t            node = codr_match_node(match, CODR_ROLE_CALL_FUNCTION,
                                               0);
    const codr_value_t *function;

    if (node == CODR_NO_NODE) {
        return;
    }

    function = codr_resolve(check, node);
    for (i = 0; i < function->paths; i++) {
        codr_value_call(check, value, function->path[i]);
    }

    if (codr_lookup_pastes(check, node)) {
        take_paste(check, value, match);
    }
}


static void
take_module(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match)
{
    uint32_t            node = codr_match_node(match, CODR_ROLE_MODULE_NAME,
                                               0);
    const codr_value_t *name;

    if (node == CODR_NO_NODE) {
        return;
    }

    name = codr_resolve(check, node);
    if (name->text) {
        codr_value_add_module(check, value, name->text, name->length);
    } else {
        codr_value_add(check, value, "?", 1);
    }
}


/* Constant strings */


typedef struct {
    char    text[1024];         /* no rule is about longer ones */
    size_t  length;
} builder_t;


static bool
append(builder_t *builder, const char *text, size_t len)
{
    if (len > sizeof(builder->text) - builder->length) {
        return false;
    }

    memcpy(builder->text + builder->length, text, len);
    builder->length += len;
    return true;
}


static bool
append_code(builder_t *builder, const char *text, size_t len)
{
    char          digits[16], *end;
    size_t        before = builder->length;
    unsigned long code;

    if (len == 0 || len >= sizeof(digits)) {
        return false;
    }

    memcpy(digits, text, len);
    digits[len] = '\0';
    if (digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B')) {
        code = strtoul(digits + 2, &end, 2);
    } else if (digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'O')) {
        code = strtoul(digits + 2, &end, 8);
    } else {
        code = strtoul(digits, &end, 0);
    }

    if (*end != '\0' || code > CODE_MAX) {
        return false;
    }

    builder->length = codr_name_put(builder->text, before,
                                    sizeof(builder->text), (uint32_t) code);
    return builder->length > before;
}


static bool
append_piece(codr_check_t *check, builder_t *builder,
    const codr_match_t *match, const codr_capture_t *piece)
{
    long                n;
    size_t              len;
    const char         *text;
    const codr_node_t  *row = &check->tree.node[piece->node];
    const codr_value_t *part;

    text = check->tree.text.text + row->start;
    len = row->end - row->start;

    switch ((codr_role_t) match->query->role[piece->id]) {

    case CODR_ROLE_STRING_TEXT:
        if (match->pattern->raw) {
            return append(builder, text, len);
        }
        n = codr_name_unescape(builder->text + builder->length,
                               sizeof(builder->text) - builder->length, text,
                               len);
        builder->length += n > 0 ? (size_t) n : 0;
        return n >= 0;

    case CODR_ROLE_STRING_PART:
        part = codr_resolve(check, piece->node);
        return part->text && append(builder, part->text, part->length);

    case CODR_ROLE_STRING_CODE:
        return append_code(builder, text, len);

    default:
        return true;
    }
}


static void
take_string(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match)
{
    char     *copy;
    uint32_t  i;
    builder_t builder;

    builder.length = 0;
    for (i = 0; i < match->captures; i++) {
        if (!append_piece(check, &builder, match, &match->capture[i])) {
            return;
        }
    }

    /* of two readings of one literal the longer is the whole */
    if (value->text && value->length >= builder.length) {
        return;
    }

    copy = codr_arena_copy(&check->arena, builder.text, builder.length);
    if (copy) {
        value->text = copy;
        value->length = builder.length;
    }
}


static void
take_about(codr_check_t *check, codr_value_t *value,
    const codr_about_t *about)
{
    const codr_match_t *match = &about->fact->match;

    if (!codr_predicates_hold(check, match)) {
        return;
    }

    switch (about->kind) {

    case CODR_ROLE_MEMBER:
        take_member(check, value, match);
        break;

    case CODR_ROLE_SAME:
        take_same(check, value, match);
        break;

    case CODR_ROLE_CALL:
        take_call(check, value, match);
        break;

    case CODR_ROLE_MODULE:
        take_module(check, value, match);
        break;

    case CODR_ROLE_STRING:
        take_string(check, value, match);
        break;

    case CODR_ROLE_IMPORT_PATH:
    case CODR_ROLE_IMPORT_NAME:
    case CODR_ROLE_IMPORT_FROM:
    case CODR_ROLE_IMPORT_STAR:
        codr_lookup_import(check, value, match, about->kind);
        break;

    default:
        break;
    }
}


static bool
is_import(codr_role_t kind)
{
    return kind == CODR_ROLE_IMPORT_PATH || kind == CODR_ROLE_IMPORT_NAME
           || kind == CODR_ROLE_IMPORT_FROM || kind == CODR_ROLE_IMPORT_STAR;
}


static bool
is_reference(const codr_node_t *row)
{
    return row->reference && !row->name;
}


static const codr_value_t *
resolve(codr_check_t *check, uint32_t node)
{
    codr_value_t       *value;
    codr_tree_t        *tree = &check->tree;
    const codr_about_t *about, *first = codr_tree_meaning(tree, node)->about;

    value = codr_arena_room(&check->arena, sizeof(*value));
    if (value == NULL) {
        check->budget->over = true;
        return &nothing;
    }
    value->text = NULL;
    value->length = 0;
    value->paths = 0;

    for (about = first; about; about = about->next) {
        if (!is_import(about->kind)) {
            take_about(check, value, about);
        }
    }

    /* an import asks its own node for the string it is */
    codr_tree_mean(tree, node)->value = value;
    for (about = first; about; about = about->next) {
        if (is_import(about->kind)) {
            take_about(check, value, about);
        }
    }

    if (is_reference(&tree->node[node])) {
        codr_lookup(check, value, node);
    }

    return value;
}


const codr_value_t *
codr_resolve(codr_check_t *check, uint32_t node)
{
    const codr_value_t   *value;
    const codr_meaning_t *meaning = codr_tree_meaning(&check->tree, node);

    if (meaning->value == &in_progress || !check->resolves
        || check->depth >= DEPTH || codr_budget_step(check->budget)
        || (meaning->about == NULL
            && !is_reference(&check->tree.node[node])))
    {
        return &nothing;
    }
    if (meaning->value) {
        return meaning->value;
    }

    codr_tree_mean(&check->tree, node)->value = &in_progress;
    check->depth++;
    value = resolve(check, node);
    check->depth--;
    codr_tree_mean(&check->tree, node)->value = value;
    return value;
}


const codr_value_t *
codr_resolved(const codr_check_t *check, uint32_t node)
{
    const codr_meaning_t *meaning = codr_tree_meaning(&check->tree, node);

    if (meaning->about == NULL && !is_reference(&check->tree.node[node])) {
        return &nothing;
    }

    return meaning->value == &in_progress ? NULL : meaning->value;
}
