/*
 * Makes shapes of patterns.  Runs before any source is seen.
 *
 * An alternation becomes a shape for each of its branches: the items of a
 * pattern are laid out as steps once for each way to choose.
 */

#define _GNU_SOURCE

#include "codr_shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codr_shape_text.h"

#define WAYS        128         /* to choose branches of one pattern */
#define CHOICES     16
#define LINE        64          /* of the processor's cache */


/* Which branch of each alternation, in the order in which they are met. */
typedef struct {
    uint8_t  branch[CHOICES];
    uint8_t  branches[CHOICES];
    uint8_t  met;
} way_t;

typedef struct {
    const codr_shape_text_t  *text;
    uint32_t                  pattern;
    way_t                    *way;
    codr_shape_step_t               step[CODR_SHAPE_STEPS];
    uint32_t                  steps;
} layout_t;


static int lay_out_all(const codr_shape_text_t *text, uint8_t n,
    uint32_t pattern, codr_shape_t **array, uint32_t *count);


/* What the alternation says goes for the branch, too. */
static bool
choose(layout_t *layout, codr_item_t *item)
{
    way_t       *way = layout->way;
    uint8_t      i, n, branches = 0;
    codr_item_t  chosen;

    if (way->met == CHOICES) {
        return false;
    }

    for (n = item->child; n != CODR_NO_ITEM; n = layout->text->item[n].next) {
        branches++;
    }
    way->branches[way->met] = branches;
    for (n = item->child, i = 0; i < way->branch[way->met]; i++) {
        n = layout->text->item[n].next;
    }
    way->met++;

    chosen = layout->text->item[n];
    if (chosen.captures + item->captures > CODR_SHAPE_CAPTURES) {
        return false;
    }
    for (i = 0; i < item->captures; i++) {
        chosen.capture[chosen.captures++] = item->capture[i];
    }
    chosen.field = item->field;
    chosen.immediate = item->immediate;
    chosen.last = item->last;
    chosen.next = item->next;
    *item = chosen;
    return true;
}


static int
lay_out_repeat(layout_t *layout, uint8_t n, codr_shape_step_t *step)
{
    int                result;
    uint32_t           i, k;
    uint32_t           repeats = 0;
    codr_shape_text_t  plain = *layout->text;
    const codr_item_t *item = &layout->text->item[n];

    if (item->next != CODR_NO_ITEM || item->immediate || item->last
        || item->field != 0)
    {
        return -EINVAL;
    }

    plain.item[n].repeat = '\0';
    step->least = item->repeat == '+';
    step->captured = true;
    result = lay_out_all(&plain, n, layout->pattern, &step->repeat, &repeats);
    step->repeats = (uint16_t) repeats;     /* ways, which are few */
    if (repeats == 0) {
        free(step->repeat);
        step->repeat = NULL;
    }

    for (i = 0; i < step->repeats; i++) {
        for (k = 0; k < step->repeat[i].steps; k++) {
            if (step->repeat[i].step[k].repeats > 0) {
                return -EINVAL;         /* a repetition in another */
            }
        }
    }

    return result;
}


static int lay_out_children(layout_t *layout, const codr_item_t *item,
    uint8_t at);


static int
lay_out(layout_t *layout, uint8_t n, uint8_t parent, uint8_t before)
{
    int          result;
    uint8_t      at = (uint8_t) layout->steps, i;
    codr_item_t  item = layout->text->item[n];
    codr_shape_step_t *step;

    if (layout->steps == CODR_SHAPE_STEPS) {
        return -EINVAL;
    }

    step = &layout->step[at];
    *step = (codr_shape_step_t) { .parent = parent, .before = before };
    layout->steps++;
    if (item.repeat != '\0') {
        step->end = (uint8_t) layout->steps;
        return lay_out_repeat(layout, n, step);
    }

    while (item.choice) {
        if (!choose(layout, &item)) {
            return -EINVAL;
        }
    }

    step->symbol = item.symbol;
    step->field = item.field;
    memcpy(step->absent, item.absent, sizeof(step->absent));
    for (i = 0; i < item.captures; i++) {
        step->capture[i] = (uint16_t) item.capture[i];
    }
    step->captures = item.captures;
    step->any = item.any;
    step->missing = item.missing;
    step->immediate = item.immediate;
    step->last = item.last;

    result = lay_out_children(layout, &item, at);
    step->end = (uint8_t) layout->steps;
    for (i = at; i < step->end; i++) {
        step->captured = step->captured || layout->step[i].captures > 0
                         || layout->step[i].captured;
    }
    return result;
}


static int
lay_out_children(layout_t *layout, const codr_item_t *item, uint8_t at)
{
    int     result = 0;
    uint8_t n, here, before = CODR_NO_STEP;

    for (n = item->child; result == 0 && n != CODR_NO_ITEM;
         n = layout->text->item[n].next)
    {
        here = (uint8_t) layout->steps;
        result = lay_out(layout, n, at, before);
        if (result == 0 && before != CODR_NO_STEP
            && layout->step[here].immediate)
        {
            layout->step[before].held = true;
            if (layout->step[before].any) {
                return -EINVAL;         /* means another thing there */
            }
        }
        before = here;
    }

    return result;
}


static void
free_steps(codr_shape_step_t *step, uint32_t steps)
{
    uint32_t i, k;

    for (i = 0; i < steps; i++) {
        if (step[i].repeats == 0) {
            continue;
        }
        for (k = 0; k < step[i].repeats; k++) {
            free_steps(step[i].repeat[k].step, step[i].repeat[k].steps);
            free(step[i].repeat[k].step);
        }
        free(step[i].repeat);
    }
}


static int
keep(const layout_t *layout, codr_shape_t **array, uint32_t *count)
{
    codr_shape_step_t  *step;
    codr_shape_t *grown;

    grown = realloc(*array, (*count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return -ENOMEM;
    }
    *array = grown;

    step = malloc(layout->steps * sizeof(*step));
    if (step == NULL) {
        return -ENOMEM;
    }

    memcpy(step, layout->step, layout->steps * sizeof(*step));
    grown[(*count)++] = (codr_shape_t) {
        .pattern = layout->pattern, .steps = (uint8_t) layout->steps,
        .step = step,
    };
    return 0;
}


/* The next way to choose, or false: that was the last one. */
static bool
next_way(way_t *way)
{
    while (way->met > 0
           && way->branch[way->met - 1] + 1 == way->branches[way->met - 1])
    {
        way->branch[--way->met] = 0;
    }
    if (way->met == 0) {
        return false;
    }

    way->branch[way->met - 1]++;
    way->met = 0;
    return true;
}


static int
lay_out_all(const codr_shape_text_t *text, uint8_t n, uint32_t pattern,
    codr_shape_t **array, uint32_t *count)
{
    int      result;
    way_t    way = { .met = 0 };
    uint32_t ways = 0;
    layout_t layout = { .text = text, .pattern = pattern, .way = &way };

    do {
        layout.steps = 0;
        result = ways++ < WAYS ? lay_out(&layout, n, 0, CODR_NO_STEP)
                               : -EINVAL;
        if (result == 0) {
            result = keep(&layout, array, count);
        }
        if (result < 0) {
            free_steps(layout.step, layout.steps);
        }
    } while (result == 0 && next_way(&way));

    return result;
}


/* All of a query */


static void
forget(codr_shapes_t *shapes, uint32_t from)
{
    uint32_t i;

    for (i = from; i < shapes->shapes; i++) {
        free_steps(shapes->shape[i].step, shapes->shape[i].steps);
        if (shapes->step == NULL) {
            free(shapes->shape[i].step);
        }
    }
    shapes->shapes = from;
}


/* Those of one symbol together, in their order. */
static int
sort(codr_shapes_t *shapes)
{
    uint16_t      root;
    uint32_t      i, n = 0, symbol;
    codr_shape_t *sorted;

    shapes->first = calloc(shapes->symbols + 2, sizeof(*shapes->first));
    sorted = calloc(shapes->shapes + 1, sizeof(*sorted));
    if (shapes->first == NULL || sorted == NULL) {
        free(sorted);
        return -ENOMEM;
    }

    for (symbol = 0; symbol <= shapes->symbols; symbol++) {
        shapes->first[symbol] = n;
        for (i = 0; i < shapes->shapes; i++) {
            root = shapes->shape[i].step[0].symbol;
            if (codr_shapes_slot(shapes->symbols, root) == symbol) {
                sorted[n++] = shapes->shape[i];
            }
        }
    }
    shapes->first[symbol] = n;

    free(shapes->shape);
    shapes->shape = sorted;
    return 0;
}


/* One behind the other, as they are tried. */
static int
pack(codr_shapes_t *shapes)
{
    uint32_t           i, n = 0;
    codr_shape_step_t *packed;

    for (i = 0; i < shapes->shapes; i++) {
        n += shapes->shape[i].steps;
    }

    packed = aligned_alloc(LINE, (n * sizeof(*packed) / LINE + 1) * LINE);
    if (packed == NULL) {
        return -ENOMEM;
    }

    for (i = 0, n = 0; i < shapes->shapes; n += shapes->shape[i++].steps) {
        memcpy(&packed[n], shapes->shape[i].step,
               shapes->shape[i].steps * sizeof(*packed));
        free(shapes->shape[i].step);
        shapes->shape[i].step = &packed[n];
    }

    shapes->step = packed;
    return 0;
}


int
codr_shapes_take(codr_shapes_t *ret, const TSLanguage *language,
    TSQuery *query, const char *text)
{
    int               result = 0;
    uint32_t          i, before, taken = 0;
    uint32_t          count = ts_query_pattern_count(query);
    codr_shape_text_t items;

    *ret = (codr_shapes_t) {
        .symbols = ts_language_symbol_count(language),
    };

    for (i = 0; text && i < count; i++) {
        if (!codr_shape_read(&items, language, query, text, i)) {
            continue;
        }
        before = ret->shapes;
        result = lay_out_all(&items, 0, i, &ret->shape, &ret->shapes);
        if (result == -EINVAL) {
            forget(ret, before);
            continue;
        }
        if (result < 0) {
            return result;
        }
        ts_query_disable_pattern(query, i);
        taken++;
    }

    ret->whole = taken == count;
    result = sort(ret);
    return result < 0 ? result : pack(ret);
}


void
codr_shapes_free(codr_shapes_t *shapes)
{
    forget(shapes, 0);
    free(shapes->step);
    free(shapes->shape);
    free(shapes->first);
    free(shapes->listed);
    *shapes = (codr_shapes_t) { .shapes = 0 };
}
