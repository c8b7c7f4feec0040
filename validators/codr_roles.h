/*
 * What the captures of a bindings.scm mean.  docs/policies.md describes them.
 */

#ifndef CODR_ROLES_H
#define CODR_ROLES_H

#include <stdbool.h>

typedef enum {
    CODR_ROLE_NONE = 0,             /* "@_name": for predicates only */
    CODR_ROLE_SCOPE,
    CODR_ROLE_DEFINE,
    CODR_ROLE_BIND_NAME,
    CODR_ROLE_BIND_VALUE,
    CODR_ROLE_BIND_PROPERTY,
    CODR_ROLE_BIND_KEY,
    CODR_ROLE_IMPORT_PATH,
    CODR_ROLE_IMPORT_NAME,
    CODR_ROLE_IMPORT_FROM,
    CODR_ROLE_IMPORT_STAR,
    CODR_ROLE_PREFIX,
    CODR_ROLE_PREFIX_PATH,
    CODR_ROLE_REFERENCE,
    CODR_ROLE_NAME,
    CODR_ROLE_MEMBER,
    CODR_ROLE_MEMBER_OBJECT,
    CODR_ROLE_MEMBER_NAME,
    CODR_ROLE_MEMBER_KEY,
    CODR_ROLE_SAME,
    CODR_ROLE_SAME_VALUE,
    CODR_ROLE_CALL,
    CODR_ROLE_CALL_FUNCTION,
    CODR_ROLE_CALL_ARGUMENT,
    CODR_ROLE_MODULE,
    CODR_ROLE_MODULE_NAME,
    CODR_ROLE_STRING,
    CODR_ROLE_STRING_TEXT,
    CODR_ROLE_STRING_PART,
    CODR_ROLE_STRING_CODE,
    CODR_ROLE_MACRO_NAME,
    CODR_ROLE_MACRO_BODY,
    CODR_ROLE_COUNT
} codr_role_t;

#define CODR_ROLE_BIT(role)     (1ULL << (role))

_Static_assert(CODR_ROLE_COUNT <= 64, "a bit for each");


/* CODR_ROLE_COUNT for a name that means nothing. */
codr_role_t codr_role_find(const char *name);

/* Whether it says something of names whatever the predicates say. */
bool codr_role_marks(codr_role_t role);

#endif /* CODR_ROLES_H */
