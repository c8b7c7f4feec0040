/*
 * Tree-sitter's stack where it is none of graphs but a plain one: one version
 * that nobody shares, which is most of every program.  All else is left to
 * tree-sitter's own functions.  Part of codr_core.c, after stack.c: it sees
 * what is static there.  Runs in the validator's children.
 */


/* Of the eight links of a node only the first one is written: the others are
   not looked at before they count. */
static StackNode *
pushed(Stack *self, StackNode *before, Subtree subtree, bool pending,
    TSStateId state)
{
    StackNode *node = self->node_pool.size > 0
                      ? array_pop(&self->node_pool)
                      : ts_malloc(sizeof(StackNode));

    node->state = state;
    node->position = before->position;
    node->links[0] = (StackLink) { before, subtree, pending };
    node->link_count = 1;
    node->ref_count = 1;
    node->error_cost = before->error_cost;
    node->node_count = before->node_count;
    node->dynamic_precedence = before->dynamic_precedence;

    if (subtree.ptr) {
        node->error_cost += ts_subtree_error_cost(subtree);
        node->position = length_add(node->position,
                                    ts_subtree_total_size(subtree));
        node->node_count += stack__subtree_node_count(subtree);
        node->dynamic_precedence += ts_subtree_dynamic_precedence(subtree);
    }

    return node;
}


void
ts_stack_push(Stack *self, StackVersion version, Subtree subtree,
    bool pending, TSStateId state)
{
    StackHead *head = array_get(&self->heads, version);

    head->node = pushed(self, head->node, subtree, pending, state);
    if (subtree.ptr == NULL) {
        head->node_count_at_last_error = head->node->node_count;
    }
}


/* How many trees are on the way back, or 0: it is not the only way, or goes
   through an error. */
static uint32_t
way_back(const StackNode *node, uint32_t count, StackNode **ret_end)
{
    uint32_t trees = 0;

    while (count > 0) {
        if (node->link_count != 1 || node->links[0].subtree.ptr == NULL) {
            return 0;
        }
        count -= !ts_subtree_extra(node->links[0].subtree);
        trees++;
        node = node->links[0].node;
    }

    *ret_end = (StackNode *) node;
    return trees;
}


static StackSliceArray
pop_plain(Stack *self, StackVersion version, uint32_t count)
{
    uint32_t     trees;
    Subtree      subtree;
    StackNode   *end, *node = array_get(&self->heads, version)->node;
    SubtreeArray subtrees = array_new();

    trees = way_back(node, count, &end);
    if (trees == 0) {
        return plain_pop_count(self, version, count);
    }

    array_clear(&self->slices);
    array_clear(&self->iterators);
    array_reserve(&subtrees, (uint32_t) (ts_subtree_alloc_size(trees)
                                         / sizeof(Subtree)));
    subtrees.size = trees;
    for ( /* void */ ; trees > 0; node = node->links[0].node) {
        subtree = node->links[0].subtree;
        ts_subtree_retain(subtree);
        subtrees.contents[--trees] = subtree;
    }

    ts_stack__add_slice(self, version, end, &subtrees);
    return self->slices;
}


StackSliceArray
ts_stack_pop_count(Stack *self, StackVersion version, uint32_t count)
{
    return popped(pop_plain(self, version, count));
}


StackSliceArray
ts_stack_pop_all(Stack *self, StackVersion version)
{
    return popped(plain_pop_all(self, version));
}


/* As long as nobody else has the nodes. */
static void
release_nodes(Stack *self, StackNode *node)
{
    StackLink       link;
    StackNodeArray *pool = &self->node_pool;

    while (node->ref_count == 1 && node->link_count == 1
           && pool->size < pool->capacity)
    {
        link = node->links[0];
        if (link.subtree.ptr) {
            ts_subtree_release(self->subtree_pool, link.subtree);
        }
        pool->contents[pool->size++] = node;
        node = link.node;
    }

    stack_node_release(node, pool, self->subtree_pool);
}


void
ts_stack_renumber_version(Stack *self, StackVersion from, StackVersion to)
{
    StackNode *node;
    StackHead *target = array_get(&self->heads, to);

    if (from != to && from + 1 == self->heads.size && target->node
        && target->summary == NULL && target->lookahead_when_paused.ptr == NULL)
    {
        node = target->node;
        if (target->last_external_token.ptr) {
            ts_subtree_release(self->subtree_pool,
                               target->last_external_token);
        }
        *target = self->heads.contents[--self->heads.size];
        release_nodes(self, node);
        return;
    }

    plain_renumber_version(self, from, to);
}
