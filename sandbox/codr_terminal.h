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
 * Sets size and echo and opens the program's side.  A descriptor, or negative
 * errno.
 */
int codr_terminal_slave(int master, uint16_t cols, uint16_t rows, bool echo);

/*
 * Gives the session that the caller leads this terminal.  When a leader ends,
 * the kernel hangs its terminal up, and what the terminal has
 * not passed on yet is thrown away (disassociate_ctty(), pty_flush_buffer());
 * so that is not the program.  0, or negative errno.
 */
int codr_terminal_control(int slave);

/* The leader gives its terminal up, which throws nothing away. */
void codr_terminal_leave(void);

/* The foreground process group; 0 when there is none. */
pid_t codr_terminal_foreground(int master);

#endif /* CODR_TERMINAL_H */
