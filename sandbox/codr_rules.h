/*
 * The table of policies, as the validator tells it before it has seen any
 * source: names of languages, and what each rule says.
 */

#ifndef CODR_RULES_H
#define CODR_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "codr_proto.h"

typedef struct {
    const char  *id;
    const char  *message;
    const char  *severity;
} codr_rule_text_t;

typedef struct {
    unsigned           references;
    char              *text;            /* all strings */
    const char       **language;
    size_t             languages;
    codr_rule_text_t  *rule;
    size_t             rules;
} codr_rules_t;


/* From a sealed memfd, which stays the caller's; takes hostile bytes.  0 and a
   table with one reference, or negative errno. */
int codr_rules_read(codr_rules_t **ret, int memfd);

codr_rules_t *codr_rules_ref(codr_rules_t *rules);

/* The last one frees; accepts NULL. */
void codr_rules_unref(codr_rules_t *rules);

/* The number of a language, or -1: it has no policy. */
int codr_rules_language(const codr_rules_t *rules, const char *name);

#endif /* CODR_RULES_H */
