/*
 * An EXECUTE frame, decoded: what a client asked for, not yet judged.
 */

#ifndef CODR_REQUEST_H
#define CODR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_limits.h"
#include "codr_list.h"
#include "codr_proto.h"
#include "codr_quota.h"

typedef struct {
    uint64_t         location;
    char             language[CODR_NAME_MAX + 1];
    char             owner[CODR_OWNER_MAX];
    size_t           owner_len;
    codr_kind_t      kind;
    codr_terminal_t  terminal;
    bool             live;
    bool             echo;
    bool             output_drop;
    bool             async;             /* needs no socket once submitted */
    bool             trace;             /* the log gets its time line */
    bool             quiet;             /* no output on its first socket */
    uint64_t         detach_ms;         /* 0 = ends with its socket */
    char             tag[CODR_TAG_MAX + 1];
    char             job_id[CODR_JOB_ID_LEN + 1];   /* empty: ours to choose */
    uint16_t         cols;
    uint16_t         rows;
    codr_list_t      args;
    codr_limits_t    asked;             /* by the client */
    codr_limits_t    caps;              /* of a location we do not know */
    codr_quota_t     quota[CODR_QUOTAS_MAX];
    size_t           quotas;
    uint8_t          cpu_quota[CODR_QUOTAS_MAX][CODR_CPU_QUOTA];
    size_t           cpu_quotas;
    uint64_t         policy_mode;       /* likewise */
    uint64_t         policy_level;
    int              invalid;           /* a limit that is no valid number,
                                           or -1 */
} codr_request_t;


/* Decodes hostile bytes into a zeroed request.  0, -EPROTO when malformed, or
   -ENOMEM; codr_request_free() in any case. */
int codr_request_decode(codr_request_t *request, const void *payload,
    size_t len);

void codr_request_free(codr_request_t *request);

#endif /* CODR_REQUEST_H */
