/*
 * A job and the policy of its location: what is asked of the validator, and
 * what its verdict means.
 */

#ifndef CODR_INSPECT_H
#define CODR_INSPECT_H

#include <stdbool.h>

#include "codr_job.h"

/* Its files are complete: the validator is asked about them with the next
   codr_review_ask(), unless its location wants none.  The job may have been
   refused when this returns. */
void codr_inspect_begin(codr_job_t *job);

/* Whether something of the user's may run, or be heard of. */
bool codr_inspect_passed(const codr_job_t *job);

/* Whether it has been refused; then it ends with codr_inspect_refuse(), when
   it has no sandbox. */
bool codr_inspect_refused(const codr_job_t *job);
void codr_inspect_refuse(codr_job_t *job);

#endif /* CODR_INSPECT_H */
