/*
 * The terminal of a job, on its own devpts.
 */

#ifndef CODR_TERMINAL_H
#define CODR_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens the master side. A descriptor, or negative errno. */
int codr_terminal_open(void);

/*
 * Makes the caller lead a session of its own that this terminal controls, and
 * opens the program's side.  Children forked before have no part in it.  When
 * a leader ends, the kernel hangs its terminal up and throws away what it has
 * not passed on yet (disassociate_ctty(), pty_flush_buffer()); so the program
 * must not be one.  A descriptor, or negative errno.
 */
int codr_terminal_control(int master);

/* Sets size and echo through the program's side.  0, or negative errno. */
int codr_terminal_set(int slave, uint16_t cols, uint16_t rows, bool echo);

/* The leader gives its terminal up, which throws nothing away. */
void codr_terminal_leave(void);

/* The foreground process group; 0 when there is none. */
pid_t codr_terminal_foreground(int master);

#endif /* CODR_TERMINAL_H */
