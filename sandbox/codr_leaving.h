/*
 * Sandboxes on their way out: how the program ended and what it used is known,
 * and init is all that is left of it.  The spawner reaps it, and what stays
 * until then is the slot: nobody else gets that uid, that network, that cgroup
 * before.
 */

#ifndef CODR_LEAVING_H
#define CODR_LEAVING_H

#include <stdbool.h>
#include <stdint.h>

#include "codr_link.h"


/*
 * Takes the slot of a sandbox over from its owner.  False when it must stay
 * with him: only as many may be on their way out as other slots are free, so
 * that whoever follows finds one.
 */
bool codr_leaving_add(codr_link_t *link, uint32_t slot, uint64_t id);

/* What the spawner says of a slot without owner.  0, or -EPROTO. */
int codr_leaving_reply(codr_link_t *link, const codr_spawn_reply_t *reply);

/* With the link: all of them are gone. */
void codr_leaving_end(codr_link_t *link);

#endif /* CODR_LEAVING_H */
