/*
 * A text as JSON has it, for what the commands print.
 */

#ifndef CODR_JSON_H
#define CODR_JSON_H

#include <stdio.h>

/* With its quotes; bytes that are no UTF-8 become U+FFFD. */
void codr_json_put(FILE *file, const char *text);

#endif /* CODR_JSON_H */
