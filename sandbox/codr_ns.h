/*
 * Namespaces: the clone of an init, those that are made before it, the one-uid
 * user namespace of an unprivileged helper.
 */

#ifndef CODR_NS_H
#define CODR_NS_H

#include <stdint.h>
#include <sys/types.h>

#define CODR_NS_COUNTERS    3

/* A network namespace, which serves one job after the other. */
typedef struct {
    int       fd;       /* -1: there is none yet */
    int       counters[CODR_NS_COUNTERS];   /* open files, or -1 */
    uint64_t  counts;   /* what they were when it was made */
} codr_ns_net_t;

/*
 * Clones the caller, which must have one thread.  flags are CLONE_NEW* bits;
 * cgroup is a cgroup v2 directory to be born in, or -1.  Returns as fork()
 * does, or negative errno.
 */
pid_t codr_ns_clone(unsigned long flags, int cgroup);

/*
 * Moves the caller into the namespace, which is made when there is none: empty,
 * its loopback down.  0 or negative errno.
 */
int codr_ns_enter_net(codr_ns_net_t *net);

/*
 * Gives a namespace up whose counters say that somebody has used it: the next
 * job would read there what the last one has tried.  Where not all counters
 * are kept open the caller is in the namespace afterwards.
 */
void codr_ns_check_net(codr_ns_net_t *net);

/*
 * A reference on the mount namespace of a child that has only just been
 * cloned: while it is open, the child's end does not have to wait until
 * everything is unmounted.  A descriptor, or -1: then it waits.
 */
int codr_ns_hold_mounts(pid_t pid);

/*
 * Moves the caller into the mount and ipc namespaces given, or stays where it
 * is, -1; into a mount namespace, at its root.  0 or negative errno.
 */
int codr_ns_join(int mounts, int ipc);

/*
 * In a fresh user namespace: makes the one uid and gid of the namespace above
 * (outer) known as uid and gid (inner), and gives up setgroups().
 */
int codr_ns_map(uid_t inner_uid, uid_t outer_uid, gid_t inner_gid,
    gid_t outer_gid);

#endif /* CODR_NS_H */
