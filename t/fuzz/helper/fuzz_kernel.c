/*
 * What the kernel says of mounts and cgroups, with names in it that somebody
 * else has chosen: a path is found whole or not at all, a number is one that
 * stands there.
 */

#include "../../../sandbox/codr_cgroup_impl.h"
#include "../fuzz.h"


static void
look_at_paths(const char *text)
{
    char path[CODR_CGROUP_PATH];

    memset(path, 'x', sizeof(path));
    if (codr_cgroup_find_own(text, path)) {
        must(memchr(path, '\0', sizeof(path)) != NULL && path[0] != '\0');
        must(strstr(text, path) != NULL && strchr(path, '\n') == NULL);
    }

    memset(path, 'x', sizeof(path));
    if (codr_cgroup_find_mount(text, NULL, path)) {
        must(memchr(path, '\0', sizeof(path)) != NULL);
        must(strstr(text, "cgroup2") != NULL);
    }

    memset(path, 'x', sizeof(path));
    if (codr_cgroup_find_mount(text, "memory", path)) {
        must(memchr(path, '\0', sizeof(path)) != NULL);
        must(strstr(text, "cgroup") != NULL && strstr(text, "memory") != NULL);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char     *text = malloc(size + 1);
    uint64_t  number = 0;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';

    look_at_paths(text);
    must(!codr_cgroup_has_word(text, "cpu") || strstr(text, "cpu") != NULL);
    must(!codr_cgroup_find_number(text, "oom_kill", &number)
         || strstr(text, "oom_kill ") != NULL);
    free(text);

    return 0;
}
