/*
 * Evaluates predicates.  Runs in the validator's children: texts are hostile,
 * regular expressions are the operator's and run with limits.
 */

#define _GNU_SOURCE

#include "codr_predicate.h"

#include <string.h>

#include "codr_name.h"
#include "codr_resolve.h"

#define REGEX           300         /* work of one, and 2 a byte */
#define REGEX_FEW       1000        /* steps, and per byte */
#define REGEX_BYTE      8
#define REGEX_STEPS     200000U
#define FIRST_MOST      16          /* characters that begin no string */


static const char *
text_of(const codr_check_t *check, uint32_t node, size_t *ret_len)
{
    const codr_node_t *row = &check->tree.node[node];

    *ret_len = row->end - row->start;
    return check->tree.text.text + row->start;
}


static bool
is_word(const codr_predicate_t *predicate, const char *text, size_t len)
{
    uint32_t i;
    unsigned initial = len > 0 ? (uint8_t) *text % 64 : 0;

    /* most texts are none of the words, and the words are elsewhere */
    if ((predicate->lengths >> len % 64 & predicate->initials >> initial & 1)
        == 0)
    {
        return false;
    }

    for (i = 0; i < predicate->words; i++) {
        if (predicate->length[i] == len
            && memcmp(predicate->word[i], text, len) == 0)
        {
            return true;
        }
    }

    return false;
}


bool
codr_predicate_says(const codr_check_t *check,
    const codr_predicate_t *predicate, uint32_t node)
{
    size_t      len;
    const char *text = text_of(check, node, &len);

    return is_word(predicate, text, len);
}


static bool
equal(const codr_check_t *check, const codr_predicate_t *predicate,
    const codr_match_t *match, uint32_t node)
{
    size_t      len, their;
    uint32_t    i;
    const char *other, *text = text_of(check, node, &len);

    if (predicate->other == CODR_NO_CAPTURE) {
        return is_word(predicate, text, len);
    }

    for (i = 0; i < match->captures; i++) {
        if (match->capture[i].id == predicate->other) {
            other = text_of(check, match->capture[i].node, &their);
            return their == len && memcmp(other, text, len) == 0;
        }
    }

    return false;
}


static int
match(codr_check_t *check, const codr_predicate_t *predicate,
    const char *text, size_t len, size_t at, size_t steps)
{
    pcre2_set_match_limit(check->match_context, (uint32_t) steps);
    return pcre2_match(predicate->regex, (PCRE2_SPTR) text, len, at, 0,
                       check->match_data, check->match_context);
}


/* From at on; a limit that is reached is the end of the check.  How many steps
   it was PCRE does not say: as few as nearly all are, or as many as may be. */
static bool
search(codr_check_t *check, const codr_predicate_t *predicate,
    const char *text, size_t len, size_t at)
{
    int    result = PCRE2_ERROR_MATCHLIMIT;
    size_t few = REGEX_FEW + REGEX_BYTE * (len - at);

    if (!codr_budget_spend(check->budget, REGEX + 2 * (len - at))) {
        result = match(check, predicate, text, len, at,
                       few < REGEX_STEPS ? few : REGEX_STEPS);
    }
    if (result == PCRE2_ERROR_MATCHLIMIT
        && !codr_budget_steps(check->budget, REGEX_STEPS))
    {
        result = match(check, predicate, text, len, at, REGEX_STEPS);
    }
    if (result < 0 && result != PCRE2_ERROR_NOMATCH) {
        check->budget->over = true;
    }

    return result >= 0;
}


/* A text rarely has even the first character often; where it does memmem() is
   asked, which takes no longer for any text. */
static bool
contains(const char *text, size_t len, const char *string, size_t length)
{
    unsigned    n;
    const char *p = text, *end = text + len;

    for (n = 0; n < FIRST_MOST && (size_t) (end - p) >= length; n++, p++) {
        p = length > 0 ? memchr(p, *string, (size_t) (end - p)) : p;
        if (p == NULL || (size_t) (end - p) < length) {
            return false;
        }
        if (memcmp(p, string, length) == 0) {
            return true;
        }
    }

    return memmem(p, (size_t) (end - p), string, length) != NULL;
}


/* One of the strings without which there is no match. */
static bool
has_string(const codr_predicate_t *predicate, const char *text, size_t len)
{
    uint32_t i;

    for (i = 1; i < predicate->words; i++) {
        if (contains(text, len, predicate->word[i], predicate->length[i])) {
            return true;
        }
    }

    return predicate->words == 1;
}


/* Brackets are around the letters. */
static bool
has_letter(const codr_predicate_t *predicate, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (memchr(predicate->word[0] + 1, text[i], predicate->length[0] - 2))
        {
            return true;
        }
    }

    return false;
}


static bool
matches(codr_check_t *check, const codr_predicate_t *predicate, uint32_t node)
{
    size_t      len;
    const char *text = text_of(check, node, &len);

    if (predicate->letters) {
        return !codr_budget_spend(check->budget, len)
               && has_letter(predicate, text, len);
    }

    return has_string(predicate, text, len)
           && search(check, predicate, text, len, 0);
}


/* Whether the ends that are no '*' are the same. */
static bool
looks_like(const char *path, size_t len, const char *word, uint32_t length)
{
    return (word[0] == '*' || word[0] == path[0])
           && (word[length - 1] == '*' || word[length - 1] == path[len - 1]);
}


static bool
is_path(const codr_predicate_t *predicate, const char *path)
{
    bool     plain, wild;
    size_t   len = strlen(path);
    uint32_t w;

    plain = codr_sieve_plain(&predicate->sieve, path, len);
    wild = len > 0 && codr_sieve_wild(&predicate->sieve, path);
    if (!plain && !wild) {
        return false;
    }

    for (w = 0; w < predicate->words; w++) {
        if (predicate->wild[w]
            ? wild && looks_like(path, len, predicate->word[w],
                                 predicate->length[w])
              && codr_name_matches(path, predicate->word[w])
            : plain && predicate->length[w] == len
              && memcmp(path, predicate->word[w], len) == 0)
        {
            return true;
        }
    }

    return false;
}


static bool
has_path(codr_check_t *check, const codr_predicate_t *predicate,
    uint32_t node)
{
    uint32_t            p;
    const codr_value_t *value = codr_resolve(check, node);

    if (predicate->words == 0) {
        return value->paths > 0;
    }

    for (p = 0; p < value->paths; p++) {
        if (is_path(predicate, value->path[p])) {
            return true;
        }
    }

    return false;
}


static bool
has_const(codr_check_t *check, const codr_predicate_t *predicate,
    uint32_t node)
{
    const codr_value_t *value = codr_resolve(check, node);

    if (value->text == NULL) {
        return false;
    }
    if (predicate->kind == CODR_PREDICATE_CONST_MATCH) {
        return search(check, predicate, value->text, value->length, 0);
    }

    return predicate->words == 0
           || is_word(predicate, value->text, value->length);
}


static bool
inside(codr_check_t *check, const codr_predicate_t *predicate,
    uint32_t node)
{
    uint32_t           i;
    const codr_node_t *rows = check->tree.node;

    while (node != 0 && !codr_budget_step(check->budget)) {
        node = rows[node].parent;
        for (i = 0; predicate->symbol[i] != 0; i++) {
            if (rows[node].symbol == predicate->symbol[i]) {
                return true;
            }
        }
    }

    return false;
}


/* Lines count from 1; no rule looks far. */
static bool
is_above(const codr_check_t *check, uint32_t line, uint32_t node)
{
    uint32_t    row = 1;
    const char *p = check->tree.text.text;
    const char *end = p + check->tree.node[node].start;

    while (row < line && p < end
           && (p = memchr(p, '\n', (size_t) (end - p))) != NULL)
    {
        p++;
        row++;
    }

    return row < line;
}


static bool
holds_for(codr_check_t *check, const codr_predicate_t *predicate,
    const codr_match_t *match, uint32_t node)
{
    switch (predicate->kind) {

    case CODR_PREDICATE_EQUAL:
        return equal(check, predicate, match, node);

    case CODR_PREDICATE_MATCH:
    case CODR_PREDICATE_FIND:
        return matches(check, predicate, node);

    case CODR_PREDICATE_PATH:
        return has_path(check, predicate, node);

    case CODR_PREDICATE_CONST:
    case CODR_PREDICATE_CONST_MATCH:
        return has_const(check, predicate, node);

    case CODR_PREDICATE_LINE_BELOW:
        return is_above(check, predicate->number, node);

    case CODR_PREDICATE_INSIDE:
        return inside(check, predicate, node);
    }

    return false;
}


/* No node at all fulfils everything, as tree-sitter has it. */
static bool
holds(codr_check_t *check, const codr_predicate_t *predicate,
    const codr_match_t *match)
{
    bool     one, seen = false;
    uint32_t i;

    for (i = 0; i < match->captures; i++) {
        if (match->capture[i].id != predicate->capture) {
            continue;
        }
        seen = true;
        one = holds_for(check, predicate, match, match->capture[i].node)
              != predicate->negate;
        if (one == predicate->any) {
            return one;
        }
    }

    return !seen || !predicate->any;
}


bool
codr_predicates_hold(codr_check_t *check, const codr_match_t *match)
{
    size_t i;

    for (i = 0; i < match->pattern->predicates; i++) {
        if (!holds(check, &match->pattern->predicate[i], match)) {
            return false;
        }
    }

    return !check->budget->over;
}


const codr_predicate_t *
codr_predicate_finder(const codr_pattern_t *pattern)
{
    size_t i;

    for (i = 0; i < pattern->predicates; i++) {
        if (pattern->predicate[i].kind == CODR_PREDICATE_FIND) {
            return &pattern->predicate[i];
        }
    }

    return NULL;
}


bool
codr_predicate_find(codr_check_t *check, const codr_match_t *match,
    uint32_t *at, uint32_t *ret_start, uint32_t *ret_end)
{
    size_t                  len;
    uint32_t                i;
    const char             *text;
    const size_t           *range;
    const codr_node_t      *row;
    const codr_predicate_t *finder = codr_predicate_finder(match->pattern);

    for (i = 0; i < match->captures; i++) {
        if (match->capture[i].id == finder->capture) {
            break;
        }
    }
    if (i == match->captures) {
        return false;
    }

    row = &check->tree.node[match->capture[i].node];
    text = text_of(check, match->capture[i].node, &len);
    if (*at < row->start) {
        *at = row->start;
    }
    if (*at > row->end
        || !search(check, finder, text, len, *at - row->start))
    {
        return false;
    }

    range = pcre2_get_ovector_pointer(check->match_data);
    *ret_start = row->start + (uint32_t) range[0];
    *ret_end = row->start + (uint32_t) range[1];
    *at = *ret_end > *ret_start ? *ret_end : *ret_end + 1;
    return true;
}
