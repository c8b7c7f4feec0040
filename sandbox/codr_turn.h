/*
 * How long a process computes before others get their turn.
 */

#ifndef CODR_TURN_H
#define CODR_TURN_H

/* For who is woken often and has little to do each time: it asks for short
   turns and gets them early.  Its share of the processors stays as it is, and
   its children have turns as others have.
   Returns 0, or a negative errno and nothing has changed. */
int codr_turn_short(void);

/* For who computes once and then ends, while others who are as important have
   a moment's work each: those go first.  Returns as above. */
int codr_turn_long(void);

#endif /* CODR_TURN_H */
