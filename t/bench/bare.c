/*
 * What takes the place of records and metrics in the module that t/bench/cost
 * compares with: linked with --wrap, so that the callers are the same.
 */

#include <stddef.h>

long __wrap_ngx_http_codr_records_open(void *job);
void __wrap_ngx_http_codr_metrics_ended(void *mcf, void *language,
    size_t started, void *answer);


/* A job without a record: whatever else would touch it sees that. */
long
__wrap_ngx_http_codr_records_open(void *job)
{
    (void) job;
    return 0;                           /* NGX_OK */
}


void
__wrap_ngx_http_codr_metrics_ended(void *mcf, void *language, size_t started,
    void *answer)
{
    (void) mcf;
    (void) language;
    (void) started;
    (void) answer;
}
