/*
 * Decodes the table of policies.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codr_io.h"
#include "codr_review_ipc.h"

#define LANGUAGES   128
#define RULES       8192


/* Fields become strings: where they were, a header of eight bytes left room
   for each NUL. */
static int
take(codr_rules_t *rules, const codr_field_t *field, char **text)
{
    char             *copy = *text;
    codr_rule_text_t *rule = &rules->rule[rules->rules];

    if (codr_field_text(field, CODR_REVIEW_TABLE_MAX) != 0) {
        return -EPROTO;
    }

    memcpy(copy, field->data, field->length);
    copy[field->length] = '\0';
    *text += field->length + 1;

    switch ((codr_field_tag_t) field->tag) {

    case CODR_FIELD_LANGUAGE:
        if (rules->languages == LANGUAGES || rules->rules > 0) {
            return -EPROTO;
        }
        rules->language[rules->languages++] = copy;
        return 0;

    case CODR_FIELD_RULE:
        if (rules->rules == RULES || rule->id) {
            return -EPROTO;
        }
        rule->id = copy;
        return 0;

    case CODR_FIELD_RULE_MESSAGE:
        rule->message = copy;
        return rule->id ? 0 : -EPROTO;

    case CODR_FIELD_SEVERITY:           /* the last of a rule */
        if (rule->id == NULL || rule->message == NULL) {
            return -EPROTO;
        }
        rule->severity = copy;
        rules->rules++;
        return 0;

    default:
        return -EPROTO;
    }
}


static int
decode(codr_rules_t *rules, const uint8_t *image, size_t len)
{
    int           result;
    char         *text = rules->text;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, image, len);
    while ((result = codr_fields_next(&fields, &field)) == 1) {
        if (take(rules, &field, &text) < 0) {
            return -EPROTO;
        }
    }

    return result < 0 || rules->rule[rules->rules].id ? -EPROTO : 0;
}


static codr_rules_t *
create(size_t len)
{
    codr_rules_t *rules = calloc(1, sizeof(*rules));

    if (rules == NULL) {
        return NULL;
    }

    rules->references = 1;
    rules->text = malloc(len + 1);          /* a header is longer than a NUL */
    rules->language = calloc(LANGUAGES, sizeof(char *));
    rules->rule = calloc(RULES + 1, sizeof(codr_rule_text_t));
    if (rules->text == NULL || rules->language == NULL
        || rules->rule == NULL)
    {
        codr_rules_unref(rules);
        return NULL;
    }

    return rules;
}


int
codr_rules_read(codr_rules_t **ret, int memfd)
{
    int           result = -ENOMEM;
    ssize_t       size = codr_io_sealed_size(memfd, CODR_REVIEW_TABLE_MAX);
    uint8_t      *image;
    codr_rules_t *rules;

    if (size < 0) {
        return (int) size;
    }

    image = malloc((size_t) size + 1);
    rules = create((size_t) size);
    if (image && rules) {
        result = codr_io_read_at(memfd, image, (size_t) size, 0);
    }
    if (result == 0) {
        result = decode(rules, image, (size_t) size);
    }

    free(image);
    if (result < 0) {
        codr_rules_unref(rules);
        return result;
    }

    *ret = rules;
    return 0;
}


codr_rules_t *
codr_rules_ref(codr_rules_t *rules)
{
    rules->references++;
    return rules;
}


void
codr_rules_unref(codr_rules_t *rules)
{
    if (rules == NULL || --rules->references > 0) {
        return;
    }

    free(rules->text);
    free(rules->language);
    free(rules->rule);
    free(rules);
}


int
codr_rules_language(const codr_rules_t *rules, const char *name)
{
    size_t i;

    for (i = 0; i < rules->languages; i++) {
        if (strcmp(rules->language[i], name) == 0) {
            return (int) i;
        }
    }

    return -1;
}
