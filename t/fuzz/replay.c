/*
 * Gives a target every file of a directory, without libFuzzer: a line for
 * each that it survived, so that the one it did not survive is known.
 *
 *     TARGET DIRECTORY
 */

#define _GNU_SOURCE

#include <dirent.h>

#include "fuzz.h"
#include "replay.h"

#define FILE_MAX_BYTES  (1024 * 1024)

#pragma weak LLVMFuzzerInitialize


static int
is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}


static void
replay_file(const char *dir, const char *name)
{
    char    path[4096];
    FILE   *in;
    size_t  size;
    void   *whole = malloc(FILE_MAX_BYTES), *data;

    (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
    in = fopen(path, "rb");
    must(in != NULL && whole != NULL);
    size = fread(whole, 1, FILE_MAX_BYTES, in);
    (void) fclose(in);

    data = fuzz_copy(whole, size);
    (void) LLVMFuzzerTestOneInput(data, size);
    free(data);
    free(whole);

    (void) printf("survived %s\n", name);
    (void) fflush(stdout);
}


int
replay(const char *dir)
{
    int              i, n;
    char            *none[] = { NULL }, **argv = none;
    int              argc = 0;
    struct dirent  **entry;

    if (LLVMFuzzerInitialize != NULL) {
        (void) LLVMFuzzerInitialize(&argc, &argv);
    }

    n = scandir(dir, &entry, is_file, alphasort);
    for (i = 0; i < n; i++) {
        replay_file(dir, entry[i]->d_name);
        free(entry[i]);
    }

    if (n >= 0) {
        free(entry);
    }

    return n;
}
