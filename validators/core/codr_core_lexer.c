/*
 * One character of ASCII after another: nearly all that a lexer does.  All
 * else is left to tree-sitter's own function.  Part of codr_core.c, after
 * lexer.c.  Runs in the validator's children.
 */


/* The source is one range, and so a position in it has no other place. */
static void
advance(TSLexer *lexer, bool skip)
{
    Lexer   *self = (Lexer *) lexer;
    uint32_t next = self->current_position.bytes + 1 - self->chunk_start;

    if (self->lookahead_size != 1 || self->chunk == NULL
        || next >= self->chunk_size || (uint8_t) self->chunk[next] >= 0x80
        || self->included_range_count != 1 || self->logger.log)
    {
        ts_lexer__advance(lexer, skip);
        return;
    }

    self->current_position.bytes++;
    if (lexer->lookahead == '\n') {
        self->current_position.extent.row++;
        self->current_position.extent.column = 0;
        self->column_data = (ColumnData) { .value = 0, .valid = true };
    } else {
        self->current_position.extent.column++;
        self->column_data.value += self->column_data.valid;
    }

    lexer->lookahead = self->chunk[next];
    if (skip) {
        self->token_start_position = self->current_position;
    }
}


void
ts_lexer_init(Lexer *self)
{
    plain_lexer_init(self);
    self->data.advance = advance;
}
