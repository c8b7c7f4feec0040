/* The user's own terminal: raw while a program has it, restored after. */

#ifndef CLI_TTY_H
#define CLI_TTY_H

#include <stdbool.h>

/* Every byte typed is the program's, Ctrl-C included.  Restored at exit. */
void cli_tty_raw(void);

/* To be called any number of times. */
void cli_tty_restore(void);

/* False when nobody can tell the size. */
bool cli_tty_size(int *ret_cols, int *ret_rows);

#endif
