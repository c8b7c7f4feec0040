/*
 * What is done of a program before it may begin, by the process that will be
 * it, takes no more of a processor than this: the rest waits.  For as long as
 * nobody says whether it may, it would else be work that nobody has allowed.
 */

#ifndef CODR_AHEAD_H
#define CODR_AHEAD_H

#define CODR_AHEAD_US   100000

/* From here on.  Leave to go on is anything that can be read from sock, or
   its end. */
void codr_ahead_begin(int sock);

/* Waits until there is leave, which stays in the socket for the caller: who has
   taken it before would wait for ever.  Leaves no trace: the timer and the
   signal are the program's.  Where nothing has begun it does not wait. */
void codr_ahead_end(void);

#endif /* CODR_AHEAD_H */
