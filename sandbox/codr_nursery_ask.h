/*
 * Clones that zygotes are asked for: what codr_nursery.c needs of it.
 */

#ifndef CODR_NURSERY_ASK_H
#define CODR_NURSERY_ASK_H

#include <stdbool.h>

#include "codr_nursery.h"

/* Whether there is one to ask. */
bool codr_nursery_serves(const codr_cradle_t *cradle);

/* One that serves has said something.  One that was replaced is ended when
   nobody waits for it any more. */
void codr_nursery_answered(codr_nursery_t *nursery, codr_zygote_t *zygote,
    bool replaced);

/* Who waits for it does without. */
void codr_nursery_give_up(codr_nursery_t *nursery, codr_zygote_t *zygote);

/* Ends those that should have answered. */
void codr_nursery_end_silent(codr_nursery_t *nursery);

#endif /* CODR_NURSERY_ASK_H */
