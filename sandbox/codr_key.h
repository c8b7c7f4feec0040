/*
 * codr-sandboxd --new-key.
 */

#ifndef CODR_KEY_H
#define CODR_KEY_H

/* Prints a fresh key, which is stored nowhere, and its line for the file of
   codr_api_keys.  Returns the exit status. */
int codr_key_print(const char *id);

#endif /* CODR_KEY_H */
