/*
 * The socket on which a role hears its supervisor.
 */

#ifndef CODR_CONTROL_H
#define CODR_CONTROL_H

#include <stdbool.h>

/*
 * For roles that are told nothing but that the supervisor is there: looks at
 * what has come.  False at the end of the supervisor, or when it says anything
 * else.
 */
bool codr_control_is_alive(int fd);

#endif /* CODR_CONTROL_H */
