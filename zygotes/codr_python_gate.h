/*
 * Where a program would begin: nothing of it happens before there is leave
 * (codr_waiting_pass()), though the interpreter has read and compiled it.
 */

#ifndef CODR_PYTHON_GATE_H
#define CODR_PYTHON_GATE_H

/* From here on the first function of Python, whosever it is, waits for leave;
   unless that is there. */
void codr_python_gate_close(void);

/* Waits for it here, if nothing has yet. */
void codr_python_gate_pass(void);

#endif /* CODR_PYTHON_GATE_H */
