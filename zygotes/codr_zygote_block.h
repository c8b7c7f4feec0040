/*
 * The environment's bytes, where exec has put them and /proc shows them.
 */

#ifndef CODR_ZYGOTE_BLOCK_H
#define CODR_ZYGOTE_BLOCK_H

/* Remembers where they are, before anybody changes the environment. */
void codr_zygote_block_find(char **envp);

/* Puts others in their place, as far as there is room, and makes them the C
   library's. */
void codr_zygote_block_replace(char *const *envp);

#endif /* CODR_ZYGOTE_BLOCK_H */
