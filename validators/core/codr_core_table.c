/*
 * Tables of the grammar.  Those of most states are lists: groups of symbols,
 * each with what the state does at them and how many there are.  A symbol is
 * looked for in all of the list at once, eight numbers at a time, and then its
 * group.  Part of codr_core.c, after language.c.  Runs in the validator's
 * children.
 */

#define EIGHT       8

typedef uint16_t eight_t __attribute__((vector_size(2 * EIGHT)));


static inline bool
is_among(const uint16_t *numbers, TSSymbol symbol)
{
    eight_t  some;
    uint64_t half[2];

    memcpy(&some, numbers, sizeof(some));
    some = (eight_t) (some == symbol);
    memcpy(half, &some, sizeof(half));
    return (half[0] | half[1]) != 0;
}


/* The next place that has this number, or the end. */
static inline const uint16_t *
find_number(const uint16_t *data, const uint16_t *end, TSSymbol symbol)
{
    while (end - data >= EIGHT && !is_among(data, symbol)) {
        data += EIGHT;
    }
    while (data < end && *data != symbol) {
        data++;
    }

    return data;
}


/* Lists lie one behind the other; behind the last one there is none. */
static const uint16_t *
list_end(const TSLanguage *self, uint32_t n, const uint16_t *start)
{
    uint16_t        groups;
    const uint16_t *group = start + 1;

    if (n + self->large_state_count + 1 < self->state_count) {
        return &self->small_parse_table[self->small_parse_table_map[n + 1]];
    }

    for (groups = *start; groups > 0; groups--) {
        group += 2 + group[1];
    }
    return group;
}


/* What the state does at the symbol, or 0. */
static uint16_t
look_up(const TSLanguage *self, TSStateId state, TSSymbol symbol)
{
    uint32_t        n = state - self->large_state_count;
    const uint16_t *start, *end, *group, *at;

    if (state < self->large_state_count) {
        codr_core_work += WORK_LOOKUP;
        return self->parse_table[state * self->symbol_count + symbol];
    }

    start = &self->small_parse_table[self->small_parse_table_map[n]];
    end = list_end(self, n, start);
    group = start + 1;
    at = find_number(group, end, symbol);

    for ( /* void */ ; at < end; at = find_number(at + 1, end, symbol)) {
        while (at >= group + 2 + group[1]) {
            group += 2 + group[1];
        }
        if (at >= group + 2) {
            break;                      /* else it is no symbol there */
        }
    }

    codr_core_work += WORK_LOOKUP + (uint64_t) (at - start) / WORK_ENTRIES;
    return at < end ? group[0] : 0;
}


static inline bool
is_error(TSSymbol symbol)
{
    return symbol == ts_builtin_sym_error
           || symbol == ts_builtin_sym_error_repeat;
}


void
ts_language_table_entry(const TSLanguage *self, TSStateId state,
    TSSymbol symbol, TableEntry *result)
{
    const TSParseActionEntry *entry;

    if (is_error(symbol)) {
        codr_core_work += WORK_LOOKUP;
        *result = (TableEntry) { .actions = NULL };
        return;
    }

    ts_assert(symbol < self->token_count);
    entry = &self->parse_actions[look_up(self, state, symbol)];
    result->action_count = entry->entry.count;
    result->is_reusable = entry->entry.reusable;
    result->actions = (const TSParseAction *) (entry + 1);
}


TSStateId
ts_language_next_state(const TSLanguage *self, TSStateId state,
    TSSymbol symbol)
{
    return symbol < self->token_count || is_error(symbol)
           ? plain_next_state(self, state, symbol)
           : look_up(self, state, symbol);
}
