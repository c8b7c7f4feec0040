/*
 * A policy file of anybody's: it is compiled, or refused at a place in it.
 * The first byte says for which grammar, and whether as bindings.
 */

#define _GNU_SOURCE

#include <sys/mman.h>
#include <unistd.h>

#include "../../../validators/codr_query.h"
#include "../fuzz.h"

const char *__lsan_default_suppressions(void);


/* Of a query that is wrong tree-sitter forgets a little, but who has read it
   ends then. */
const char *
__lsan_default_suppressions(void)
{
    return "leak:ts_query__parse_pattern\n";
}


static void
compile(const char *path, const codr_grammar_t *grammar, bool bindings)
{
    const char         *inherits = NULL;
    codr_query_t       *query = NULL;
    codr_query_error_t  error = { "" };

    if (codr_query_open(&query, path, bindings, &inherits, &error) == 0) {
        if (codr_query_compile(query, grammar, &error) == 0) {
            must(query->patterns == 0 || query->pattern != NULL);
            (void) codr_query_words(query, "names");
            (void) codr_query_message(query, "x", 1);
        } else {
            must(error.text[0] != '\0');
        }
    } else {
        must(error.text[0] != '\0');
    }

    codr_query_free(query);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                    fd;
    char                   path[64];
    uint8_t                how = fuzz_byte(&data, &size);
    const codr_grammar_t  *grammar;

    grammar = codr_grammar_find((how & 2) ? "c" : "python");
    must(grammar != NULL);

    fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    compile(path, grammar, (how & 1) != 0);
    (void) close(fd);

    return 0;
}
