/*
 * Makes API keys.  Only the digest belongs in a file; the key itself is shown
 * once.  Runs in the operator's shell.
 */

#define _GNU_SOURCE

#include "codr_key.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_util.h"

#define KEY_BYTES   32
#define ID_MAX      64
#define ID_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
                    "0123456789._-"


int
codr_key_print(const char *id)
{
    char key[2 * KEY_BYTES + 1];
    char digest[SHA256_DIGEST_STRING_LENGTH];

    if (*id == '\0' || strlen(id) > ID_MAX
        || strspn(id, ID_CHARS) != strlen(id))
    {
        (void) fprintf(stderr, "codr-sandboxd: an ID is 1 to %d letters,"
                       " digits, \".\", \"_\", \"-\"\n", ID_MAX);
        return 2;
    }

    codr_random_hex(key, KEY_BYTES);
    if (SHA256Data((const uint8_t *) key, strlen(key), digest) == NULL) {
        (void) fputs("codr-sandboxd: no digest\n", stderr);
        return EXIT_FAILURE;
    }

    if (printf("key:  %s\nline: %s %s\n", key, id, digest) < 0
        || fflush(stdout) != 0)
    {
        return EXIT_FAILURE;
    }

    explicit_bzero(key, sizeof(key));
    return EXIT_SUCCESS;
}
