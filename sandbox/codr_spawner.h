/*
 * The spawner role: the one process that keeps privileges.
 */

#ifndef CODR_SPAWNER_H
#define CODR_SPAWNER_H

/*
 * Runs the role; argv[0] is the executable, argv[1] "spawner", then
 *
 *     --uids BASE:COUNT       host uids; BASE + slot is a job's
 *     --cgroup PATH           where job cgroups live (default: chosen)
 *     --total-memory BYTES    of all jobs together
 *     --total-cpu MILLI       thousandths of a CPU of all jobs together
 *     --bind FROM:AT          read-only in every sandbox; may repeat
 *     --allow LAYER           a layer that may be missing; may repeat
 *     --in-scope              set by itself: systemd has made a scope for it
 *
 * Descriptors as the table of codr_ipc.h says.  Returns an exit status.
 */
int codr_spawner_main(int argc, char **argv);

#endif /* CODR_SPAWNER_H */
