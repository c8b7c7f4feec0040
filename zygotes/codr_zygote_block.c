/*
 * A job must not see the zygote's environment, nor miss its own, wherever it
 * looks.
 */

#define _GNU_SOURCE

#include "codr_zygote_block.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static char   *block;
static size_t  block_len;


/* Their bytes lie one behind the other, where /proc/self/environ reads. */
void
codr_zygote_block_find(char **envp)
{
    size_t i;

    block = envp[0];
    for (i = 0; envp[i]; i++) {
        block_len = (size_t) (envp[i] + strlen(envp[i]) + 1 - block);
    }
}


void
codr_zygote_block_replace(char *const *envp)
{
    size_t       len, used = 0;
    char *const *item;

    if (block) {
        memset(block, 0, block_len);
    }
    for (item = envp; *item; item++) {
        len = strlen(*item) + 1;
        if (len > block_len - used) {
            break;
        }
        memcpy(block + used, *item, len);
        used += len;
    }

    environ = (char **) (uintptr_t) envp;
}
