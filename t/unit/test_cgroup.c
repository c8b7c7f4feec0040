/*
 * Cgroup files: what their texts say, and what hostile or odd ones do not.
 */

#include "tap.h"

#include "../../sandbox/codr_cgroup_impl.h"

#define HYBRID                                                                \
    "proc /proc proc rw 0 0\n"                                                \
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"  \
    "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"            \
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"


static void
mounts(void)
{
    char path[CODR_CGROUP_PATH] = "untouched";

    tap_ok(codr_cgroup_find_mount(HYBRID, "memory", path),
           "a controller's mount is found");
    tap_text(path, "/sys/fs/cgroup/memory", "and is the right one");

    tap_ok(codr_cgroup_find_mount(HYBRID, "cpuacct", path),
           "controllers may share a mount");
    tap_text(path, "/sys/fs/cgroup/cpu,cpuacct", "which is theirs");

    tap_ok(codr_cgroup_find_mount(HYBRID, NULL, path),
           "the v2 tree is found beside them");
    tap_text(path, "/sys/fs/cgroup/unified", "where it is");

    tap_ok(!codr_cgroup_find_mount(HYBRID, "pids", path),
           "a controller that is not mounted is not found");
    tap_ok(!codr_cgroup_find_mount(HYBRID, "mem", path),
           "nor one whose name begins so");
    tap_ok(!codr_cgroup_find_mount("", "memory", path),
           "nor one in an empty table");
    tap_text(path, "/sys/fs/cgroup/unified",
             "what is not found changes nothing");

    tap_ok(codr_cgroup_find_mount("c /a\\040b cgroup rw,memory 0 0", "memory",
                                  path), "a last line may have no end");
    tap_text(path, "/a b", "and a path may have escapes");
}


static void
own_path(void)
{
    char path[CODR_CGROUP_PATH];

    tap_ok(codr_cgroup_find_own("4:memory:/x\n0::/system.slice/a.scope\n",
                                path), "one's own v2 path is found");
    tap_text(path, "/system.slice/a.scope", "and is the v2 one");
    tap_ok(!codr_cgroup_find_own("4:memory:/x\n", path),
           "a v1 process has none");
    tap_ok(!codr_cgroup_find_own("0::\n", path), "nor has an empty line");
}


static void
numbers(void)
{
    uint64_t    value = 7;
    const char *events = "low 0\nhigh 3\noom 2\noom_kill 1\n";

    tap_ok(codr_cgroup_find_number(events, "oom_kill", &value),
           "a key of memory.events is found");
    tap_number(value, 1, "with its number");
    tap_ok(codr_cgroup_find_number(events, "oom", &value),
           "a key is not taken for one that begins so");
    tap_number(value, 2, "but for itself");
    tap_ok(!codr_cgroup_find_number(events, "kill", &value),
           "nor for one that ends so");
    tap_ok(!codr_cgroup_find_number("oom x\n", "oom", &value),
           "what is no number is none");
    tap_number(value, 2, "and changes nothing");
}


static void
words(void)
{
    tap_ok(codr_cgroup_has_word("cpuset cpu io memory\n", "memory"),
           "a last word before the end of the line");
    tap_ok(codr_cgroup_has_word("rw,relatime,cpu", "cpu"),
           "a last word at the end");
    tap_ok(!codr_cgroup_has_word("cpuset cpuacct", "cpu"),
           "not the beginning of one");
    tap_ok(!codr_cgroup_has_word("\n", "cpu"), "not in nothing");
}


int
main(void)
{
    mounts();
    own_path();
    numbers();
    words();

    return tap_done();
}
