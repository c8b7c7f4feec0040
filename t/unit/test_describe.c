/*
 * What init believes of a description.
 */

#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "../../sandbox/codr_describe.h"

static char            message[4096];
static codr_describe_t got;
static const int       fds[] = { 10, 11, 12, 13, 14 };


static codr_writer_t
begin(uint32_t flags)
{
    codr_writer_t       writer;
    codr_init_request_t head = {
        .version = CODR_IPC_VERSION,
        .op = CODR_INIT_DESCRIBE,
        .flags = flags,
        .artefact_max = 5,
    };

    memset(message, 'x', sizeof(message));
    memcpy(message, &head, sizeof(head));
    codr_writer_init(&writer, message + sizeof(head),
                     sizeof(message) - sizeof(head) - 1);

    return writer;
}


static int
decode(const codr_writer_t *writer, size_t nfds)
{
    return codr_describe_decode(&got, message,
                                (size_t) ((char *) writer->pos - message),
                                fds, nfds);
}


static void
whole(void)
{
    codr_writer_t w = begin(CODR_DESCRIBE_STDIO | CODR_DESCRIBE_KEEP);

    codr_put_text(&w, CODR_FIELD_FILE_NAME, "out");
    codr_put_text(&w, CODR_FIELD_ARG, "cc");
    codr_put_text(&w, CODR_FIELD_ARG, "");
    codr_put_text(&w, CODR_FIELD_ENV, "A=b");
    codr_put_text(&w, CODR_FIELD_REASON, "cc");
    codr_put_number(&w, CODR_FIELD_COLS, 100);
    codr_put_text(&w, CODR_FIELD_ENV, "LAST=1");

    tap_number(decode(&w, 4), 0, "a whole description is taken");
    tap_text(got.argv[0], "cc", "with its arguments");
    tap_text(got.argv[1], "", "empty ones too");
    tap_ok(got.argv[2] == NULL, "and no more");
    tap_text(got.envp[0], "A=b", "its environment");
    tap_text(got.envp[1], "LAST=1", "to the last byte");
    tap_text(got.needs[0], "cc", "what has to be there");
    tap_text(got.artefact_name, "out", "the artefact's name");
    tap_number(got.cols, 100, "the size that was given");
    tap_number(got.rows, 24, "and the one that was not");
    tap_number(got.image, 10, "the image's descriptor");
    tap_number(got.artefact, -1, "no artefact");
    tap_number(got.stdio[2], 13, "and the streams");
}


static void
refused(void)
{
    codr_writer_t w = begin(CODR_DESCRIBE_STDIO);

    codr_put_text(&w, CODR_FIELD_ARG, "a");
    tap_number(decode(&w, 3), -EINVAL, "a descriptor too few");
    tap_number(decode(&w, 5), -EINVAL, "a descriptor too many");
    tap_number(decode(&w, 4), 0, "the right number");

    codr_put_number(&w, CODR_FIELD_TERMINAL, CODR_TERMINAL_DUMB);
    tap_number(decode(&w, 4), -EINVAL, "streams and a terminal");

    w = begin(0);
    codr_put_text(&w, CODR_FIELD_ARG, "a");
    tap_number(decode(&w, 1), -EINVAL, "neither streams nor a terminal");

    w = begin(0);
    codr_put_text(&w, CODR_FIELD_REASON, "a");
    tap_number(decode(&w, 1), 0, "a probe needs neither");

    w = begin(0);
    codr_put_bytes(&w, CODR_FIELD_REASON, "a\0b", 3);
    tap_number(decode(&w, 1), -EINVAL, "a NUL inside");

    w = begin(CODR_DESCRIBE_KEEP);
    tap_number(decode(&w, 1), -EINVAL, "an artefact without a name");

    w = begin(CODR_DESCRIBE_PLACE | CODR_DESCRIBE_ARTEFACT);
    tap_number(decode(&w, 2), -EINVAL, "a place without a name");

    codr_put_text(&w, CODR_FIELD_FILE_NAME, "out");
    tap_number(decode(&w, 2), 0, "and with one");

    w = begin(CODR_DESCRIBE_PLACE);
    codr_put_text(&w, CODR_FIELD_FILE_NAME, "out");
    tap_number(decode(&w, 1), -EINVAL, "nothing to be placed");

    w = begin(CODR_DESCRIBE_PLACE | CODR_DESCRIBE_ARTEFACT
              | CODR_DESCRIBE_KEEP);
    codr_put_text(&w, CODR_FIELD_FILE_NAME, "out");
    tap_number(decode(&w, 2), -EINVAL, "what is executed is not placed");

    w = begin(0);
    codr_put_number(&w, CODR_FIELD_COLS, 0);
    tap_number(decode(&w, 1), -EINVAL, "a terminal without columns");

    w = begin(0);
    codr_put_text(&w, CODR_FIELD_OWNER, "a");
    tap_number(decode(&w, 1), -EINVAL, "a field of another frame");

    w = begin(CODR_DESCRIBE_FILES | CODR_DESCRIBE_STDIO);
    codr_put_text(&w, CODR_FIELD_ARG, "a");
    tap_number(decode(&w, 4), -EINVAL, "files that are not there");

    w = begin(CODR_DESCRIBE_FILES | CODR_DESCRIBE_STDIO);
    codr_put_bytes(&w, CODR_FIELD_FILE_DATA, "x\0y", 3);
    codr_put_text(&w, CODR_FIELD_ARG, "a");
    tap_number(decode(&w, 4), -EINVAL, "and a descriptor of them");

    w = begin(CODR_DESCRIBE_FILES | CODR_DESCRIBE_STDIO);
    codr_put_bytes(&w, CODR_FIELD_FILE_DATA, "x\0y", 3);
    codr_put_text(&w, CODR_FIELD_ARG, "a");
    tap_number(decode(&w, 3), 0, "files without a descriptor");
    tap_ok(got.image == -1 && got.files_len == 3
           && memcmp(got.files, "x\0y", 3) == 0, "are as they were sent");
    tap_number(got.stdio[2], fds[2], "and the streams follow at once");

    w = begin(CODR_DESCRIBE_STDIO);
    codr_put_text(&w, CODR_FIELD_ARG, "a");
    codr_put_bytes(&w, CODR_FIELD_FILE_DATA, "x", 1);
    tap_number(decode(&w, 4), -EINVAL, "files that nobody spoke of");

    w = begin(0x80);
    tap_number(decode(&w, 1), -EINVAL, "an unknown flag");

    w = begin(0);
    codr_put_text(&w, CODR_FIELD_REASON, "abc");
    w.pos--;
    tap_number(decode(&w, 1), -EINVAL, "a message cut short");
}


static void
too_many(void)
{
    int           i;
    codr_writer_t w = begin(0);

    for (i = 0; i <= CODR_DESCRIBE_ENV; i++) {
        codr_put_text(&w, CODR_FIELD_ENV, "");
    }

    tap_ok(!w.failed, "all of them fit the message");
    tap_number(decode(&w, 1), -E2BIG, "but not the list");
}


int
main(void)
{
    whole();
    refused();
    too_many();

    return tap_done();
}
