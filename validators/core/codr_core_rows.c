/*
 * Lays a tree out as rows, straight from tree-sitter's own nodes: its cursor
 * asks for everything again at each step, which is ten times the work.  Part
 * of codr_core.c.  Runs in the validator's children.
 *
 * No recursion: a level is a node whose children are being visited.  Hidden
 * nodes have levels and no rows; what they have below them belongs to the
 * nearest node around that is seen.
 */

#include "../codr_rows.h"

#include "language.h"
#include "subtree.h"
#include "tree.h"

#define LEVELS_FIRST    48
#define LOOK            4096        /* rows between two looks at the clock */

typedef struct {
    const Subtree          *child;      /* the next one */
    const Subtree          *end;
    const TSSymbol         *alias;      /* of the children, or NULL */
    const TSFieldMapEntry  *field;      /* of this production */
    uint32_t                fields;
    uint32_t                structural; /* children that are no extras */
    uint32_t                at;         /* where the last one ended */
    uint32_t                row;
    TSFieldId               around;     /* field of a hidden node */
    bool                    first;
    bool                    seen;       /* it has a row */
} level_t;

typedef struct {
    codr_tree_t       *tree;
    const TSLanguage  *language;
    codr_budget_t     *budget;
    const void       **ids;
    uint32_t           room;
    uint32_t           count;
    level_t           *level;
    uint32_t           levels;
    uint32_t           levels_room;
} layout_t;

/* A node, and what its parent makes of it. */
typedef struct {
    const Subtree  *subtree;
    uint32_t        start;
    uint32_t        end;
    TSSymbol        alias;
    TSSymbol        symbol;
    TSFieldId       field;
    bool            visible;
    bool            named;
    bool            extra;
    bool            missing;
    bool            deep;       /* something that is seen is below it */
} seen_t;


/* What it says itself.  Small leaves are no objects but values. */
static inline seen_t
layout_look(const Subtree *at, uint32_t before, bool first)
{
    Subtree                  subtree = *at;
    const SubtreeHeapData   *data = subtree.ptr;
    const SubtreeInlineData  leaf = subtree.data;
    seen_t                   seen = { .subtree = at };

    if (leaf.is_inline) {
        seen.start = before + (first ? 0 : leaf.padding_bytes);
        seen.end = seen.start + leaf.size_bytes;
        seen.symbol = leaf.symbol;
        seen.visible = leaf.visible;
        seen.named = leaf.named;
        seen.extra = leaf.extra;
        seen.missing = leaf.is_missing;
        return seen;
    }

    seen.start = before + (first ? 0 : data->padding.bytes);
    seen.end = seen.start + data->size.bytes;
    seen.symbol = data->symbol;
    seen.visible = data->visible;
    seen.named = data->named;
    seen.extra = data->extra;
    seen.missing = data->is_missing;
    seen.deep = data->child_count > 0 && data->visible_child_count > 0;
    return seen;
}


static bool
layout_add(layout_t *layout, const seen_t *seen, uint32_t parent)
{
    TSSymbol     symbol = seen->alias ? seen->alias : seen->symbol;
    codr_node_t *row = &layout->tree->node[layout->count];

    if (layout->count == layout->room
        || ((layout->count + 1) % LOOK == 0
            && codr_budget_over(layout->budget)))
    {
        return false;
    }

    if (layout->ids) {
        layout->ids[layout->count++] = seen->subtree;
        return true;
    }

    *row = (codr_node_t) {
        .parent = parent, .next = layout->count + 1,
        .start = seen->start, .end = seen->end,
        .symbol = symbol == ts_builtin_sym_error
                  ? symbol : layout->language->public_symbol_map[symbol],
        .field = seen->field, .extra = seen->extra, .missing = seen->missing,
        .named = seen->alias
                 ? ts_language_symbol_metadata(layout->language, symbol).named
                 : seen->named,
    };
    layout->count++;
    return true;
}


static bool
layout_grow(layout_t *layout)
{
    level_t *grown = codr_arena_room(layout->tree->arena,
                                     2 * layout->levels * sizeof(*grown));

    if (grown == NULL) {
        return false;
    }

    memcpy(grown, layout->level, layout->levels * sizeof(*grown));
    layout->level = grown;
    layout->levels_room *= 2;
    return true;
}


/* Its children are next. */
static bool
layout_enter(layout_t *layout, const seen_t *seen, uint32_t row, bool is_seen)
{
    level_t               *level;
    Subtree                subtree = *seen->subtree;
    const TSFieldMapEntry *field_end;

    if (layout->levels == layout->levels_room && !layout_grow(layout)) {
        return false;
    }

    level = &layout->level[layout->levels++];
    level->end = (const Subtree *) subtree.ptr;     /* they lie before it */
    level->child = level->end - subtree.ptr->child_count;
    level->alias = ts_language_alias_sequence(layout->language,
                                              subtree.ptr->production_id);
    ts_language_field_map(layout->language, subtree.ptr->production_id,
                          &level->field, &field_end);
    level->fields = (uint32_t) (field_end - level->field);
    level->structural = 0;
    level->at = seen->start;
    level->row = row;
    level->around = is_seen ? 0 : seen->field;
    level->first = true;
    level->seen = is_seen;
    return true;
}


/* What a child is called: by its production, else as the hidden node is. */
static inline TSFieldId
layout_field(const level_t *level)
{
    uint32_t i;

    for (i = 0; i < level->fields; i++) {
        if (!level->field[i].inherited
            && level->field[i].child_index == level->structural)
        {
            return level->field[i].field_id;
        }
    }

    return level->around;
}


/* The next child of the level, which moves on. */
static bool
layout_child(layout_t *layout, level_t *level)
{
    seen_t   seen = layout_look(level->child++, level->at, level->first);
    uint32_t row = layout->count;

    level->at = seen.end;
    level->first = false;
    if (!seen.extra) {
        if (level->alias) {
            seen.alias = level->alias[level->structural];
        }
        seen.field = layout_field(level);
        level->structural++;
    }

    if (seen.alias == 0 && !seen.visible) {
        return !seen.deep || layout_enter(layout, &seen, level->row, false);
    }

    return layout_add(layout, &seen, level->row)
           && (!seen.deep || layout_enter(layout, &seen, row, true));
}


bool
codr_rows_fill(codr_tree_t *tree, uint32_t room, codr_budget_t *budget,
    const void **ret_ids)
{
    bool     going;
    seen_t   seen = layout_look(&tree->tree->root, 0, false);
    level_t *level;
    layout_t layout = { .tree = tree, .language = tree->tree->language,
                        .budget = budget, .ids = ret_ids, .room = room,
                        .levels_room = LEVELS_FIRST };

    layout.level = codr_arena_room(tree->arena,
                                   LEVELS_FIRST * sizeof(level_t));
    going = layout.level != NULL && layout_add(&layout, &seen, 0)
            && (!seen.deep || layout_enter(&layout, &seen, 0, true));

    while (going && layout.levels > 0) {
        level = &layout.level[layout.levels - 1];
        if (level->child < level->end) {
            going = layout_child(&layout, level);
            continue;
        }
        if (level->seen && ret_ids == NULL) {
            tree->node[level->row].next = layout.count;
        }
        layout.levels--;
    }

    if (ret_ids == NULL) {
        tree->count = layout.count;
    }
    return going;
}
