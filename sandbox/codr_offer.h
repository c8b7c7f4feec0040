/*
 * Ends of jobs that no worker has heard of, because the one that submitted
 * them is gone, or its client is.
 */

#ifndef CODR_OFFER_H
#define CODR_OFFER_H

#include <stddef.h>
#include <stdint.h>

#include "codr_broker.h"
#include "codr_results.h"

/* Something has changed with a result: when it has ended and nobody is left
   who would record that, workers are told. */
void codr_offer(codr_broker_t *broker, codr_result_t *result);

/* There is another worker. */
void codr_offer_again(codr_broker_t *broker);

/* The payload of CLAIM: 0, or -EPROTO. */
int codr_offer_claimed(codr_broker_t *broker, const uint8_t *payload,
    size_t len);

#endif /* CODR_OFFER_H */
