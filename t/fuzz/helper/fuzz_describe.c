/*
 * The description of a program, as init decodes it: the first byte says how
 * many descriptors come along.  Everything that is taken lies within the
 * message and ends.
 */

#include "../../../sandbox/codr_describe.h"

#include "../fuzz.h"

static const int  fds[] = { 10, 11, 12, 13, 14, 15, 16 };


static void
within(const char *text, const char *message, size_t size)
{
    must(text >= message && text <= message + size);
    must(memchr(text, '\0', (size_t) (message + size + 1 - text)) != NULL);
}


static void
check(const codr_describe_t *got, const char *message, size_t size)
{
    size_t  i;

    for (i = 0; got->argv[i] != NULL; i++) {
        must(i < CODR_DESCRIBE_ARGS);
        within(got->argv[i], message, size);
    }
    for (i = 0; got->envp[i] != NULL; i++) {
        must(i < CODR_DESCRIBE_ENV);
        within(got->envp[i], message, size);
    }
    for (i = 0; got->needs[i] != NULL; i++) {
        must(i < CODR_DESCRIBE_NEEDS);
        within(got->needs[i], message, size);
    }
    if (got->artefact_name != NULL) {
        within(got->artefact_name, message, size);
    }

    must(got->cols >= 1 && got->cols <= 1000);
    must(got->rows >= 1 && got->rows <= 1000);
    must(got->image == (got->files ? -1 : fds[0]));
    if (got->files) {
        must((const char *) got->files >= message);
        must((const char *) got->files + got->files_len <= message + size);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                    *message;
    size_t                   nfds = fuzz_byte(&data, &size) % 8;
    static codr_describe_t   got;

    message = malloc(size + 1);
    must(message != NULL);
    memcpy(message, data, size);
    message[size] = 'x';

    if (codr_describe_decode(&got, message, size, fds, nfds) == 0) {
        check(&got, message, size);
    }

    free(message);

    return 0;
}
