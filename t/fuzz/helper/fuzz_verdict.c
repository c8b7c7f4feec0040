/*
 * A validator's verdict, by a process that has read a hostile source: the
 * bytes are the verdict, then a source.  What passes for one lies within the
 * source, and can be shown.
 */

#include "../../../sandbox/codr_review.c"

#include "../../../sandbox/codr_diagnostic.h"

#include "../fuzz.h"

#define RULES  7


static void
show(const char *source, size_t length, const codr_review_finding_t *finding)
{
    char             text[CODR_DIAGNOSTIC_MESSAGE];
    codr_range_t     range = { source, length, finding->start, finding->end };
    codr_position_t  position = codr_diagnostic_position(&range);

    must(position.line >= 1 && position.column >= 1);
    must(position.end_line >= position.line);

    codr_diagnostic_snippet(text, &range);
    must(strlen(text) < CODR_DIAGNOSTIC_SNIPPET);
    codr_diagnostic_message(text, "what %s is", &range);
    must(strlen(text) < CODR_DIAGNOSTIC_MESSAGE);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *text;
    size_t                 i, half;
    codr_rules_t           rules = { .rules = RULES };
    codr_review_t          review = { .rules = &rules };
    codr_source_t          source = CODR_SOURCE_EMPTY;
    codr_source_piece_t    piece[3];
    codr_review_verdict_t  verdict;

    if (size < sizeof(verdict)) {
        return 0;
    }
    memcpy(&verdict, data, sizeof(verdict));
    data += sizeof(verdict);
    size -= sizeof(verdict);

    /* two files that are checked, and one between them that is not */
    half = size / 2;
    text = fuzz_copy(data, size);
    piece[0] = (codr_source_piece_t) { 0, (uint32_t) half, true };
    piece[1] = (codr_source_piece_t) { 0, 0, false };
    piece[2] = (codr_source_piece_t) { (uint32_t) half,
                                       (uint32_t) (size - half), true };
    source.piece = piece;
    source.names.count = 3;
    review.source = &source;

    if (valid(&review, &verdict)) {
        for (i = 0; i < verdict.count; i++) {
            must(verdict.finding[i].rule < RULES);
            must(verdict.finding[i].source < 2);
            show(text + (verdict.finding[i].source ? half : 0),
                 piece[verdict.finding[i].source ? 2 : 0].length,
                 &verdict.finding[i]);
        }
    }

    free(text);

    return 0;
}
