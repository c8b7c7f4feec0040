
/*
 * What the broker says on a job's socket.
 */

#ifndef _NGX_HTTP_CODR_ANSWER_H_INCLUDED_
#define _NGX_HTTP_CODR_ANSWER_H_INCLUDED_


#include "ngx_http_codr.h"


#define NGX_HTTP_CODR_FINDINGS  20

/* What a policy says of a place in a source. */

typedef struct {
    ngx_str_t                  rule;
    ngx_str_t                  severity;
    ngx_str_t                  message;
    ngx_str_t                  snippet;
    ngx_str_t                  file;           /* when not the main one */
    codr_position_t            place;
} ngx_http_codr_finding_t;


/* What the broker says, one frame; strings point into the frame. */

typedef struct {
    ngx_uint_t                 type;           /* codr_frame_type_t */
    uint64_t                   present[2];     /* bits, by CODR_FIELD_* */
    ngx_str_t                  job_id;
    ngx_str_t                  attach_token;
    ngx_str_t                  view_token;
    ngx_str_t                  language;
    ngx_str_t                  message;
    ngx_str_t                  compile_output;
    uint64_t                   code;
    uint64_t                   position;
    uint64_t                   wait_ms;
    uint64_t                   retry_ms;
    uint64_t                   stage;
    uint64_t                   cached;
    uint64_t                   status;
    uint64_t                   exit_code;      /* two's complement */
    uint64_t                   signal;
    uint64_t                   cpu_us;
    uint64_t                   wall_us;
    uint64_t                   queue_us;
    uint64_t                   start_us;
    uint64_t                   memory_peak;
    uint64_t                   output_bytes;
    uint64_t                   truncated;
    uint64_t                   path;
    uint64_t                   compile_cpu_us;
    uint64_t                   compile_wall_us;
    uint64_t                   compile_memory;
    ngx_str_t                  owner;
    ngx_str_t                  tag;
    ngx_str_t                  held;           /* stream, then bytes */
    uint64_t                   terminal;
    uint64_t                   input_bytes;
    uint64_t                   input_closed;
    uint64_t                   offset;
    uint64_t                   size;
    uint64_t                   job_state;      /* codr_job_phase_t */
    uint64_t                   created_ms;
    uint64_t                   started_ms;
    uint64_t                   completed_ms;
    codr_limits_t              limits;
    uint32_t                   limit;          /* the last one of limits */
    ngx_uint_t                 findings;
    ngx_http_codr_finding_t    finding[NGX_HTTP_CODR_FINDINGS];
} ngx_http_codr_answer_t;

#define ngx_http_codr_answer_bit(tag)  (1ULL << ((tag) % 64))

#define ngx_http_codr_answer_set(a, tag)                                      \
    ((a)->present[(tag) / 64] |= ngx_http_codr_answer_bit(tag))

#define ngx_http_codr_has(a, field)                                           \
    (((a)->present[CODR_FIELD_##field / 64]                                   \
      & ngx_http_codr_answer_bit(CODR_FIELD_##field)) != 0)

/* NGX_OK, or NGX_ERROR when the frame is malformed or lacks something. */
ngx_int_t ngx_http_codr_answer_decode(ngx_http_codr_answer_t *a,
    codr_frame_t *frame, u_char *payload);

/* A program that did not compile: an ERROR, but a result all the same. */
ngx_uint_t ngx_http_codr_answer_compiler(ngx_http_codr_answer_t *a);

/* A COMPLETE of a job that was stopped, of which nothing more is known. */
void ngx_http_codr_answer_stopped(ngx_http_codr_answer_t *a);

/* An ERROR of the worker's own; message is a literal. */
void ngx_http_codr_answer_error(ngx_http_codr_answer_t *a, codr_error_t code,
    const char *message);


#endif /* _NGX_HTTP_CODR_ANSWER_H_INCLUDED_ */
