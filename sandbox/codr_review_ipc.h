/*
 * What the broker and the validator say to each other.
 *
 * Over one seqpacket socket: the validator, before it has seen any source,
 * sends READY with a sealed memfd, the table of its policies; then the broker
 * sends requests.  A verdict comes through a socket of its own, made by the
 * broker and written to by the one process that saw the source: whoever takes
 * that process over can say one wrong verdict about its own source, and
 * nothing to anybody else.  When the broker has closed its end the process
 * ends, not before.
 *
 * Plain structs, their layout asserted below; another size or version ends
 * the conversation.
 */

#ifndef CODR_REVIEW_IPC_H
#define CODR_REVIEW_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "codr_diagnostic.h"

#define CODR_REVIEW_VERSION     3
#define CODR_REVIEW_SOURCES     1024            /* files of one request */
#define CODR_REVIEW_DATA        4096            /* bytes in a request */
#define CODR_REVIEW_AT_ONCE     2               /* requests, a processor */
#define CODR_REVIEW_TABLE_MAX   (4 * 1024 * 1024)

/*
 * READY.  The table is a list of fields (codr_proto.h):
 *
 *     LANGUAGE*                   name; its number is its place, from 0
 *     RULE RULE_MESSAGE SEVERITY, *   likewise
 */
typedef struct {
    uint32_t  version;
    uint32_t  zero;
} codr_review_ready_t;

/* A file: a range of the source image. */
typedef struct {
    uint32_t  offset;
    uint32_t  length;
} codr_review_source_t;

/*
 * broker -> validator, up to the last source.  One descriptor, the socket; and
 * where the image does not stand in the request, a second one: the sealed
 * memfd.
 */
typedef struct {
    uint32_t              version;
    uint32_t              language;     /* of the table */
    uint32_t              level;        /* codr_policy_level_t */
    uint32_t              nodes;        /* syntax nodes of all files */
    uint32_t              sources;
    uint32_t              bytes;        /* of the image, here; 0: none */
    uint8_t               data[CODR_REVIEW_DATA];
    codr_review_source_t  source[CODR_REVIEW_SOURCES];
} codr_review_request_t;

#define CODR_REVIEW_REQUEST(sources)                                         \
    (offsetof(codr_review_request_t, source)                                 \
     + (size_t) (sources) * sizeof(codr_review_source_t))

typedef enum {
    CODR_REVIEW_DONE = 0,
    CODR_REVIEW_TOO_COMPLEX,
    CODR_REVIEW_UNAVAILABLE
} codr_review_result_t;

typedef struct {
    uint32_t  rule;             /* of the table */
    uint32_t  source;           /* of the request */
    uint32_t  start;            /* bytes of that source */
    uint32_t  end;
} codr_review_finding_t;

/* The socket: one of these. */
typedef struct {
    uint32_t               version;
    uint32_t               result;      /* codr_review_result_t */
    uint32_t               count;
    uint32_t               cpu_us;      /* that it took: for people */
    uint32_t               work_us;     /* that it was: likewise */
    codr_review_finding_t  finding[CODR_DIAGNOSTIC_FINDINGS];
} codr_review_verdict_t;

_Static_assert(sizeof(codr_review_ready_t) == 8, "ready layout");
_Static_assert(sizeof(codr_review_request_t)
               == 24 + CODR_REVIEW_DATA + 8 * CODR_REVIEW_SOURCES,
               "review request layout");
_Static_assert(sizeof(codr_review_verdict_t) == 340, "review verdict layout");

#endif /* CODR_REVIEW_IPC_H */
