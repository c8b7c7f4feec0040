/*
 * The keeper: starts the supervisor, and starts it again when it dies.
 */

#ifndef CODR_KEEPER_H
#define CODR_KEEPER_H

/*
 * Runs the role; argv[0] is the executable, argv[1] "keeper", the rest are
 * the supervisor's arguments.  Descriptors as the table of codr_ipc.h says.
 * Returns an exit status.
 */
int codr_keeper_main(int argc, char **argv);

#endif /* CODR_KEEPER_H */
