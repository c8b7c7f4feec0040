
/*
 * Redis, as one worker sees it: a connection for commands and one for
 * messages, both made anew when they are lost.  Nothing here ever waits:
 * whoever needs an answer is called with it, or with NULL when there will be
 * none.
 */

#ifndef _NGX_HTTP_CODR_REDIS_H_INCLUDED_
#define _NGX_HTTP_CODR_REDIS_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_sendq.h"

#include <hiredis/hiredis.h>


#define NGX_HTTP_CODR_REDIS_ARGS  40           /* of one command */
#define NGX_HTTP_CODR_REDIS_NAME  256          /* bytes of a key or channel */


/* As configured. */

struct ngx_http_codr_redis_conf_s {
    struct sockaddr           *sockaddr;
    socklen_t                  socklen;
    ngx_int_t                  db;
    ngx_str_t                  password;       /* empty: none */
    ngx_str_t                  prefix;
    ngx_uint_t                 input;
    ngx_uint_t                 required;
};


/* A command that is put together; strings must last until it is sent. */

typedef struct {
    int                        argc;
    const char                *argv[NGX_HTTP_CODR_REDIS_ARGS];
    size_t                     len[NGX_HTTP_CODR_REDIS_ARGS];
} ngx_http_codr_redis_command_t;


/* reply is NULL when there will be none, and never of an error. */
typedef void (*ngx_http_codr_redis_pt)(void *data, redisReply *reply);


/* link: one connection, with its deadlines and retries */

#if (HIREDIS_MAJOR >= 1)
typedef size_t  ngx_http_codr_count_t;
#else
typedef int  ngx_http_codr_count_t;
#endif

typedef void *(*ngx_http_codr_array_pt)(const redisReadTask *task,
    ngx_http_codr_count_t n);

typedef struct ngx_http_codr_link_s  ngx_http_codr_link_t;

struct ngx_http_codr_link_s {
    ngx_http_codr_redis_t     *redis;
    ngx_connection_t          *connection;     /* NULL: there is none now */
    ngx_http_codr_sendq_t      out;
    ngx_queue_t                asked;          /* in the order of replies */
    ngx_uint_t                 pending;        /* how many there are */
    redisReader               *reader;
    redisReplyObjectFunctions  functions;      /* of reader */
    ngx_http_codr_array_pt     array;          /* hiredis's own, of them */
    size_t                     unread;         /* bytes of the next reply */
    ngx_event_t                deadline;       /* to connect, or of a reply */
    ngx_event_t                retry;
    ngx_msec_t                 delay;          /* before the next try */
    ngx_msec_t                 since;          /* it is connected */
    void                     (*ready)(ngx_http_codr_link_t *link);
    void                     (*lost)(ngx_http_codr_link_t *link,
                                     const char *cause);
    void                     (*message)(ngx_http_codr_link_t *link,
                                        redisReply *reply);
                                               /* NULL: none can come */
    unsigned                   connected:1;
    unsigned                   closing:1;      /* no retries any more */
};

struct ngx_http_codr_redis_s {
    ngx_http_codr_main_conf_t  *mcf;
    ngx_http_codr_redis_conf_t *conf;
    ngx_http_codr_link_t        commands;
    ngx_http_codr_link_t        messages;
    ngx_event_t                 probe;
    ngx_event_t                 beat;          /* it is said that we live */
    u_char                      node[CODR_JOB_ID_LEN];  /* our own name */
    ngx_queue_t                 watchers;
    ngx_uint_t                  watching;      /* how many there are */
    ngx_queue_t                 relays;        /* jobs others watch */
    ngx_uint_t                  relaying;
    ngx_queue_t                 distants;      /* jobs of others */
    ngx_uint_t                  distant;
    ngx_uint_t                  said;          /* here: 1 up, 2 down */
    unsigned                    up:1;          /* it takes what we write */
    unsigned                    deaf:1;        /* it takes no subscription */
};

void ngx_http_codr_link_init(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_t *redis);
void ngx_http_codr_link_open(ngx_http_codr_link_t *link);

/* Ends the connection; another one follows, unless close was asked for. */
void ngx_http_codr_link_drop(ngx_http_codr_link_t *link);
void ngx_http_codr_link_close(ngx_http_codr_link_t *link);

/* channels: [P][UN]SUBSCRIBE; a connection on which that is not confirmed ends.
   command: NGX_OK, and handler will be called, with NULL too, but not before
   it returns; else NGX_DECLINED. */
void ngx_http_codr_link_channels(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command);
ngx_int_t ngx_http_codr_link_command(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_redis_pt handler,
    void *data);


/* redis */

/* Of this worker, connected or about to be; NULL without codr_redis. */
ngx_http_codr_redis_t *ngx_http_codr_redis(ngx_http_codr_main_conf_t *mcf);

void ngx_http_codr_redis_exit_process(ngx_http_codr_main_conf_t *mcf);

/* As ngx_http_codr_link_command(), while Redis is up.  A NULL handler: nobody
   needs the answer. */
ngx_int_t ngx_http_codr_redis_send(ngx_http_codr_redis_t *redis,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_redis_pt handler,
    void *data);


/* redis_names */

void ngx_http_codr_redis_arg(ngx_http_codr_redis_command_t *command,
    const void *data, size_t len);
void ngx_http_codr_redis_word(ngx_http_codr_redis_command_t *command,
    const char *word);

/* "PREFIXjob:ID" and a suffix, of a command's first arguments, in buf of
   NGX_HTTP_CODR_REDIS_NAME bytes; returns its length. */
size_t ngx_http_codr_redis_name(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *id, const char *suffix);


#endif /* _NGX_HTTP_CODR_REDIS_H_INCLUDED_ */
