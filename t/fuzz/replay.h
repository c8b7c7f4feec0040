/*
 * Replaying a corpus: from main(), or from a directive of nginx.
 */

#ifndef REPLAY_H
#define REPLAY_H

/* How many files there were, or -1; does not return when one fails. */
int replay(const char *dir);

#endif /* REPLAY_H */
