/*
 * Names of the captures of a bindings.scm.
 */

#include "codr_roles.h"

#include <string.h>

#include "codr_util.h"

static const char *const names[] = {
    [CODR_ROLE_NONE] = "_",
    [CODR_ROLE_SCOPE] = "scope",
    [CODR_ROLE_DEFINE] = "define",
    [CODR_ROLE_BIND_NAME] = "bind.name",
    [CODR_ROLE_BIND_VALUE] = "bind.value",
    [CODR_ROLE_BIND_PROPERTY] = "bind.property",
    [CODR_ROLE_BIND_KEY] = "bind.key",
    [CODR_ROLE_IMPORT_PATH] = "import.path",
    [CODR_ROLE_IMPORT_NAME] = "import.name",
    [CODR_ROLE_IMPORT_FROM] = "import.from",
    [CODR_ROLE_IMPORT_STAR] = "import.star",
    [CODR_ROLE_PREFIX] = "prefix",
    [CODR_ROLE_PREFIX_PATH] = "prefix.path",
    [CODR_ROLE_REFERENCE] = "reference",
    [CODR_ROLE_NAME] = "name",
    [CODR_ROLE_MEMBER] = "member",
    [CODR_ROLE_MEMBER_OBJECT] = "member.object",
    [CODR_ROLE_MEMBER_NAME] = "member.name",
    [CODR_ROLE_MEMBER_KEY] = "member.key",
    [CODR_ROLE_SAME] = "same",
    [CODR_ROLE_SAME_VALUE] = "same.value",
    [CODR_ROLE_CALL] = "call",
    [CODR_ROLE_CALL_FUNCTION] = "call.function",
    [CODR_ROLE_CALL_ARGUMENT] = "call.argument",
    [CODR_ROLE_MODULE] = "module",
    [CODR_ROLE_MODULE_NAME] = "module.name",
    [CODR_ROLE_STRING] = "string",
    [CODR_ROLE_STRING_TEXT] = "string.text",
    [CODR_ROLE_STRING_PART] = "string.part",
    [CODR_ROLE_STRING_CODE] = "string.code",
    [CODR_ROLE_MACRO_NAME] = "macro.name",
    [CODR_ROLE_MACRO_BODY] = "macro.body",
};

_Static_assert(CODR_ARRAY_LEN(names) == CODR_ROLE_COUNT, "a name a role");


codr_role_t
codr_role_find(const char *name)
{
    unsigned role;

    if (name[0] == '_') {
        return CODR_ROLE_NONE;
    }

    for (role = 0; role < CODR_ROLE_COUNT; role++) {
        if (strcmp(names[role], name) == 0) {
            break;
        }
    }

    return (codr_role_t) role;
}


bool
codr_role_marks(codr_role_t role)
{
    switch (role) {

    case CODR_ROLE_DEFINE:
    case CODR_ROLE_BIND_NAME:
    case CODR_ROLE_IMPORT_PATH:
    case CODR_ROLE_IMPORT_NAME:
    case CODR_ROLE_IMPORT_FROM:
    case CODR_ROLE_IMPORT_STAR:
    case CODR_ROLE_PREFIX:
    case CODR_ROLE_REFERENCE:
    case CODR_ROLE_NAME:
    case CODR_ROLE_MEMBER_NAME:
    case CODR_ROLE_MACRO_NAME:
        return true;

    case CODR_ROLE_NONE:
    case CODR_ROLE_SCOPE:
    case CODR_ROLE_BIND_VALUE:
    case CODR_ROLE_BIND_PROPERTY:
    case CODR_ROLE_BIND_KEY:
    case CODR_ROLE_PREFIX_PATH:
    case CODR_ROLE_MEMBER:
    case CODR_ROLE_MEMBER_OBJECT:
    case CODR_ROLE_MEMBER_KEY:
    case CODR_ROLE_SAME:
    case CODR_ROLE_SAME_VALUE:
    case CODR_ROLE_CALL:
    case CODR_ROLE_CALL_FUNCTION:
    case CODR_ROLE_CALL_ARGUMENT:
    case CODR_ROLE_MODULE:
    case CODR_ROLE_MODULE_NAME:
    case CODR_ROLE_STRING:
    case CODR_ROLE_STRING_TEXT:
    case CODR_ROLE_STRING_PART:
    case CODR_ROLE_STRING_CODE:
    case CODR_ROLE_MACRO_BODY:
    case CODR_ROLE_COUNT:
        break;
    }

    return false;
}
