/*
 * Sources in which the validator has found nothing, by their SHA-256: who runs
 * the same program again does not wait for the same answer.  Only that is
 * remembered, and only as long as the policies are the same.
 */

#ifndef CODR_PASSED_H
#define CODR_PASSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_review_ipc.h"

#define CODR_PASSED_KEY     32
#define CODR_PASSED_MOST    1024        /* a newer one takes an older's place */
#define CODR_PASSED_IMAGE   (256 * 1024)    /* larger ones are asked about */

typedef struct {
    uint8_t  bytes[CODR_PASSED_KEY];
} codr_passed_key_t;

typedef struct {
    bool               used[CODR_PASSED_MOST];
    codr_passed_key_t  key[CODR_PASSED_MOST];
} codr_passed_t;


void codr_passed_clear(codr_passed_t *passed);

/* What is asked about: language, level, nodes, and the bytes of each source in
   an image: the request's own, or the sealed memfd.  False when that is too
   large, or cannot be read. */
bool codr_passed_key(codr_passed_key_t *ret,
    const codr_review_request_t *request, int memfd);

bool codr_passed_has(const codr_passed_t *passed,
    const codr_passed_key_t *key);
void codr_passed_add(codr_passed_t *passed, const codr_passed_key_t *key);

#endif /* CODR_PASSED_H */
