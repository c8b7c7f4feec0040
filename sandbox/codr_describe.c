/*
 * Decodes the broker's description of a program.  Pure.  Runs in init after
 * its last privilege is gone, so that a mistake here costs one job.
 */

#include "codr_describe.h"

#include <errno.h>
#include <string.h>

#include "codr_util.h"

#define COLS_MAX    1000

/* A list of strings that ends with NULL. */
typedef struct {
    char   **item;
    size_t   count;
    size_t   max;
} list_t;

typedef struct {
    list_t  args;
    list_t  env;
    list_t  needs;
    char   *name;
} strings_t;


static int
add(list_t *list, char *text)
{
    if (list->count == list->max) {
        return -E2BIG;
    }

    list->item[list->count++] = text;
    return 0;
}


static int
decode_number(const codr_field_t *field, uint64_t min, uint64_t max,
    uint16_t *ret)
{
    uint64_t value;

    if (codr_field_number(field, min, max, &value) != 0) {
        return -EINVAL;
    }

    *ret = (uint16_t) value;
    return 0;
}


/* A text field, which gets its NUL when all are read; it has none inside. */
static int
decode_text(strings_t *strings, const codr_field_t *field)
{
    char *text = (char *) (uintptr_t) field->data;

    if (memchr(text, '\0', field->length) != NULL) {
        return -EINVAL;
    }

    switch (field->tag) {
    case CODR_FIELD_ARG:
        return add(&strings->args, text);
    case CODR_FIELD_ENV:
        return add(&strings->env, text);
    case CODR_FIELD_REASON:
        return add(&strings->needs, text);
    case CODR_FIELD_FILE_NAME:
        strings->name = text;
        return 0;
    }

    return -EINVAL;
}


static int
decode_field(codr_describe_t *ret, strings_t *strings,
    const codr_field_t *field)
{
    int      rc;
    uint16_t value;

    switch (field->tag) {

    case CODR_FIELD_TERMINAL:
        rc = decode_number(field, CODR_TERMINAL_NONE, CODR_TERMINAL_FULL,
                           &value);
        if (rc == 0) {
            ret->terminal = value != CODR_TERMINAL_NONE;
        }
        return rc;

    case CODR_FIELD_COLS:
        return decode_number(field, 1, COLS_MAX, &ret->cols);

    case CODR_FIELD_ROWS:
        return decode_number(field, 1, COLS_MAX, &ret->rows);

    case CODR_FIELD_ECHO:
        rc = decode_number(field, 0, 1, &value);
        if (rc == 0) {
            ret->echo = value == 1;
        }
        return rc;

    case CODR_FIELD_FILE_DATA:
        ret->files = field->data;
        ret->files_len = field->length;
        return 0;
    }

    return decode_text(strings, field);
}


/* A NUL after each text: it falls on the header of the next field, which has
   been read by now, or on the byte of room at the end. */
static void
terminate(char *payload, size_t len)
{
    codr_field_t  field;
    codr_fields_t fields;
    char         *end = NULL;

    codr_fields_init(&fields, payload, len);

    while (codr_fields_next(&fields, &field) == 1) {
        if (end) {
            *end = '\0';
        }
        end = (char *) (uintptr_t) field.data + field.length;
    }
    if (end) {
        *end = '\0';
    }
}


static int
decode_fields(codr_describe_t *ret, char *payload, size_t len)
{
    int           rc;
    codr_field_t  field;
    codr_fields_t fields;
    strings_t     strings = {
        .args = { ret->argv, 0, CODR_DESCRIBE_ARGS },
        .env = { ret->envp, 0, CODR_DESCRIBE_ENV },
        .needs = { (char **) (uintptr_t) ret->needs, 0, CODR_DESCRIBE_NEEDS },
    };

    codr_fields_init(&fields, payload, len);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {
        rc = decode_field(ret, &strings, &field);
        if (rc != 0) {
            return rc;
        }
    }
    if (rc != 0) {
        return -EINVAL;
    }

    ret->argv[strings.args.count] = NULL;
    ret->envp[strings.env.count] = NULL;
    ret->needs[strings.needs.count] = NULL;
    ret->artefact_name = strings.name;

    terminate(payload, len);
    return 0;
}


static int
take_descriptors(codr_describe_t *ret, const int *fds, size_t nfds)
{
    bool   image = ret->files == NULL,
           artefact = (ret->flags & CODR_DESCRIBE_ARTEFACT) != 0,
           headers = (ret->flags & CODR_DESCRIBE_HEADERS) != 0,
           stdio = (ret->flags & CODR_DESCRIBE_STDIO) != 0;
    size_t i, n = 0;

    if (nfds != (size_t) ((image ? 1 : 0) + (artefact ? 1 : 0)
                          + (headers ? 1 : 0) + (stdio ? 3 : 0)))
    {
        return -EINVAL;
    }

    ret->image = image ? fds[n++] : -1;
    ret->artefact = artefact ? fds[n++] : -1;
    ret->headers = headers ? fds[n++] : -1;
    for (i = 0; i < 3; i++) {
        ret->stdio[i] = stdio ? fds[n++] : -1;
    }

    return 0;
}


/* A program has streams or a terminal, never both; a probe without a program
   may have neither.  An artefact is kept and placed by name. */
static bool
is_consistent(const codr_describe_t *description)
{
    bool stdio = (description->flags & CODR_DESCRIBE_STDIO) != 0,
         keep = (description->flags & CODR_DESCRIBE_KEEP) != 0,
         place = (description->flags & CODR_DESCRIBE_PLACE) != 0,
         files = (description->flags & CODR_DESCRIBE_FILES) != 0;

    if (files != (description->files != NULL)) {
        return false;
    }

    if (description->argv[0] != NULL && stdio == description->terminal) {
        return false;
    }

    if (place && (keep || !(description->flags & CODR_DESCRIBE_ARTEFACT))) {
        return false;
    }

    return !(keep || place) || description->artefact_name != NULL;
}


int
codr_describe_decode(codr_describe_t *ret, char *message, size_t len,
    const int *fds, size_t nfds)
{
    int                 rc;
    codr_init_request_t head;

    if (len < sizeof(head)) {
        return -EINVAL;
    }
    memcpy(&head, message, sizeof(head));

    if (head.version != CODR_IPC_VERSION || head.op != CODR_INIT_DESCRIBE
        || (head.flags & ~(uint32_t) (CODR_DESCRIBE_ARTEFACT
                                      | CODR_DESCRIBE_STDIO
                                      | CODR_DESCRIBE_KEEP
                                      | CODR_DESCRIBE_HEADERS
                                      | CODR_DESCRIBE_PLACE
                                      | CODR_DESCRIBE_RUN
                                      | CODR_DESCRIBE_FILES)) != 0)
    {
        return -EINVAL;
    }

    ret->flags = head.flags;
    ret->artefact_max = head.artefact_max;
    ret->files = NULL;
    ret->terminal = false;
    ret->echo = false;
    ret->cols = 80;
    ret->rows = 24;

    rc = decode_fields(ret, message + sizeof(head), len - sizeof(head));
    if (rc != 0) {
        return rc;
    }

    return is_consistent(ret) ? take_descriptors(ret, fds, nfds) : -EINVAL;
}
