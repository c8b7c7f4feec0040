/*
 * What the broker counts, told to nginx's workers for their metrics.
 */

#ifndef CODR_FIGURES_H
#define CODR_FIGURES_H

#include "codr_broker.h"

/* Something of it has changed: workers are told soon, and seldom. */
void codr_figures_changed(codr_broker_t *broker);

/* To one worker, who has heard nothing yet. */
void codr_figures_tell(codr_broker_t *broker, int channel);

/* The sandboxes are another spawner's now: that is another instance. */
void codr_figures_restart(codr_broker_t *broker);

#endif /* CODR_FIGURES_H */
