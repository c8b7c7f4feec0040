
/*
 * One job as a worker sees it: its socket to the broker, what goes into it
 * and what comes back.  Shared by the WebSocket side and POST.
 */

#ifndef _NGX_HTTP_CODR_JOB_H_INCLUDED_
#define _NGX_HTTP_CODR_JOB_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"
#include "ngx_http_codr_attach.h"
#include "ngx_http_codr_execute.h"


/*
 * The owner of a job.  output and answer must neither close the job nor end
 * the request: they only take down what came.  flush comes after them, as the
 * last thing that is done with the job's event, and may do both.  COMPLETE or
 * ERROR always comes, once; the job is gone when flush is called then.
 */

typedef struct {
    void  (*output)(void *data, codr_output_t *output);
    void  (*answer)(void *data, ngx_http_codr_answer_t *a);
    void  (*flush)(void *data);
} ngx_http_codr_job_handler_t;


struct ngx_http_codr_job_s {
    ngx_queue_t                         queue;      /* in drain->jobs */
    ngx_pool_t                         *pool;
    ngx_connection_t                   *connection;
    ngx_http_codr_main_conf_t          *mcf;
    const ngx_http_codr_job_handler_t  *handler;
    void                               *data;

    ngx_http_codr_sendq_t               out;
    u_char                             *buf;        /* one whole frame fits */
    size_t                              len;
    ngx_queue_t                         turn;       /* in drain->floods */

    ngx_str_t                           tag;
    ngx_str_t                           language;
    ngx_str_t                           owner;
    ngx_str_t                           key_id;
    ngx_str_t                           trace;      /* traceparent */
    u_char                              id[CODR_JOB_ID_LEN];
    u_char                              sha256[64];
    uint64_t                            input_max;
    uint64_t                            input_size; /* passed on so far */
    ngx_msec_t                          longest;    /* from STARTED on */
    uint64_t                            cached;     /* as its STAGE said */

    ngx_http_codr_publish_t            *published;  /* NULL: to nobody */

    unsigned                            identified:1;
    unsigned                            started:1;
    unsigned                            terminal:1;
    unsigned                            closed:1;   /* no input any more */
    unsigned                            paused:1;
    unsigned                            flood:1;    /* takes turns */
    unsigned                            waits:1;    /* for its turn */
    unsigned                            again:1;    /* waits to be sent so */
    unsigned                            detach:1;   /* may live on alone */
    unsigned                            attached:1; /* it began elsewhere */
    unsigned                            viewer:1;   /* and is not controlled */
    unsigned                            remote:1;   /* it is another node's */
    unsigned                            taken:1;    /* by another socket */
    unsigned                            reports:1;  /* its end, as the first */
    unsigned                            ended:1;
    unsigned                            recorded:1; /* has a record, open */
    unsigned                            outlives:1; /* its socket */
    unsigned                            async:1;    /* nobody waits for it */
    ngx_uint_t                          held;       /* answers it waits for
                                                       before it is sent */
};


/* NGX_OK and *ret; else refusal says why there is no job. */
ngx_int_t ngx_http_codr_job_start(ngx_http_codr_job_t **ret,
    ngx_http_codr_execute_t *x, const ngx_http_codr_job_handler_t *handler,
    void *data, ngx_log_t *log, ngx_http_codr_answer_t *refusal);

/* The same for a job that has begun on another socket. */
ngx_int_t ngx_http_codr_job_attach(ngx_http_codr_job_t **ret,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_attach_t *attach,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log,
    ngx_http_codr_answer_t *refusal);

/* Ends the job, whatever state it is in: the broker kills what runs, unless it
   may live on alone, or others control it. */
void ngx_http_codr_job_close(ngx_http_codr_job_t *job);

/* input: sends what waits, and the handler of the event when more can be
   sent. */
void ngx_http_codr_job_flush(ngx_http_codr_job_t *job);
void ngx_http_codr_job_write_handler(ngx_event_t *wev);

/* A frame without payload: EOF, STOP. */
void ngx_http_codr_job_send(ngx_http_codr_job_t *job, codr_frame_type_t type);
void ngx_http_codr_job_input(ngx_http_codr_job_t *job, const char *data,
    size_t len);
void ngx_http_codr_job_resize(ngx_http_codr_job_t *job, ngx_uint_t cols,
    ngx_uint_t rows);
void ngx_http_codr_job_signal(ngx_http_codr_job_t *job, ngx_uint_t signal);

/* Stops and resumes reading what the broker sends. */
void ngx_http_codr_job_pause(ngx_http_codr_job_t *job, ngx_uint_t pause);

/* async: nobody waits for the job any more; and, before a worker leaves, lets
   go of all such jobs. */
void ngx_http_codr_async(ngx_http_codr_job_t *job);
void ngx_http_codr_async_leave(ngx_http_codr_drain_t *drain);

/* A job of a request has ended with this answer, or with none because its
   client left: it is counted and logged, and shown by the variables. */
void ngx_http_codr_record(ngx_http_request_t *r, ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);

/* The same for one whose request is gone. */
void ngx_http_codr_record_alone(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);

/* The same for one of another worker. */

typedef struct {
    ngx_str_t                           job_id;
    ngx_str_t                           tag;
    ngx_str_t                           language;
    ngx_str_t                           owner;
    ngx_str_t                           key_id;
    ngx_str_t                           trace;
    ngx_str_t                           sha256;     /* hexadecimal */
    ngx_uint_t                          started;
} ngx_http_codr_ended_t;

void ngx_http_codr_ended(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_ended_t *e, ngx_http_codr_answer_t *a);

/* The same for an execute that became no job; x is NULL, or as far as it was
   read. */
void ngx_http_codr_refused(ngx_http_request_t *r, ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);


#endif /* _NGX_HTTP_CODR_JOB_H_INCLUDED_ */
