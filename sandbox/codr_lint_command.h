/*
 * codr-sandboxd --lint.
 */

#ifndef CODR_LINT_COMMAND_H
#define CODR_LINT_COMMAND_H

#include <stdbool.h>

#define CODR_LINT_UNTOLD    2       /* exit status: could not tell */

/* What the options say; NULL: nothing. */
typedef struct {
    const char  *file;
    const char  *language;      /* name or alias, in any case */
    const char  *level;
    const char  *policies;
    const char  *config;        /* whose languages are meant */
    bool         json;
} codr_lint_command_t;


/* Becomes codr-validator, or returns an exit status. */
int codr_lint_command(const codr_lint_command_t *command);

/* Says why it cannot be told, as JSON or for people.  Returns
   CODR_LINT_UNTOLD. */
int codr_lint_untold(const codr_lint_command_t *command, const char *why);

#endif /* CODR_LINT_COMMAND_H */
