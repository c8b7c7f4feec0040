/*
 * A reduction where the parser has one version of its stack only, and nothing
 * else to try in this state: then it needs no second version, which becomes
 * the first one as soon as it is there, and the trees on the stack become the
 * children without being held and let go.  All else is left to tree-sitter's
 * own function.  Part of codr_core.c, after parser.c.  Runs in the validator's
 * children.
 */


/* The node below so many trees, when the way there is nobody else's. */
static StackNode *
find_base(StackNode *node, uint32_t count, uint32_t *ret_trees)
{
    uint32_t trees = 0;

    while (count > 0) {
        if (node->link_count != 1 || node->ref_count != 1
            || node->links[0].subtree.ptr == NULL)
        {
            return NULL;
        }
        count -= !ts_subtree_extra(node->links[0].subtree);
        trees++;
        node = node->links[0].node;
    }

    *ret_trees = trees;
    return node;
}


/* What is above that node, with all that it holds. */
static SubtreeArray
take_trees(Stack *stack, StackNode *node, uint32_t trees)
{
    StackNode    *below;
    SubtreeArray  subtrees = array_new();

    array_reserve(&subtrees, (uint32_t) (ts_subtree_alloc_size(trees)
                                         / sizeof(Subtree)));
    subtrees.size = trees;
    codr_core_work += WORK_POPPED * (1 + trees);

    for ( /* void */ ; trees > 0; node = below) {
        below = node->links[0].node;
        subtrees.contents[--trees] = node->links[0].subtree;
        if (stack->node_pool.size < stack->node_pool.capacity) {
            stack->node_pool.contents[stack->node_pool.size++] = node;
        } else {
            ts_free(node);
        }
    }

    return subtrees;
}


static StackVersion
reduce(TSParser *self, StackVersion version, TSSymbol symbol, uint32_t count,
    int dynamic_precedence, uint16_t production_id, bool is_fragile,
    bool end_of_non_terminal_extra)
{
    uint32_t       i, trees = 0;
    Stack         *stack = self->stack;
    StackHead     *head = &stack->heads.contents[0];
    StackNode     *base = NULL;
    TSStateId      next;
    SubtreeArray   children;
    MutableSubtree parent;

    if (stack->heads.size == 1 && !is_fragile) {
        base = find_base(head->node, count, &trees);
    }
    if (base == NULL) {
        return plain_reduce(self, version, symbol, count, dynamic_precedence,
                            production_id, is_fragile,
                            end_of_non_terminal_extra);
    }

    children = take_trees(stack, head->node, trees);
    head->node = base;
    ts_subtree_array_remove_trailing_extras(&children, &self->trailing_extras);

    parent = ts_subtree_new_node(symbol, &children, production_id,
                                 self->language);
    next = ts_language_next_state(self->language, base->state, symbol);
    parent.ptr->parse_state = base->state;
    parent.ptr->dynamic_precedence += dynamic_precedence;
    if (end_of_non_terminal_extra && next == base->state) {
        parent.ptr->extra = true;
    }

    ts_stack_push(stack, version, ts_subtree_from_mut(parent), false, next);
    for (i = 0; i < self->trailing_extras.size; i++) {
        ts_stack_push(stack, version, self->trailing_extras.contents[i],
                      false, next);
    }

    return version;
}
