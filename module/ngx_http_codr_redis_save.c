
/*
 * Records in Redis.  The hash job:ID has the fields of the record, "result"
 * or "error" as JSON, and the key's ID, by which other nodes judge who may see
 * it; never a token.  What Redis does not take stays marked in the zone, and is
 * saved when it is back.  Runs in workers.
 */

#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_fetch.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_records_list.h"


#define NGX_HTTP_CODR_SAVE_STREAM   (64 * 1024)
#define NGX_HTTP_CODR_SAVE_POOL     4096


typedef struct {
    ngx_http_codr_redis_t     *redis;
    ngx_pool_t                *pool;
    u_char                     id[CODR_JOB_ID_LEN];
    ngx_http_codr_stored_t     record;
    ngx_http_codr_json_t       streams[2];     /* raw bytes */
    ngx_uint_t                 known;          /* to the helper */
    ngx_uint_t                 late;           /* another one follows */
} ngx_http_codr_save_t;


static void ngx_http_codr_save_late(ngx_http_codr_redis_t *redis);
static void ngx_http_codr_save_start(ngx_http_codr_redis_t *redis,
    const u_char *id, ngx_uint_t late);
static void ngx_http_codr_save_output(void *data, codr_output_t *output);
static void ngx_http_codr_save_answer(void *data, ngx_http_codr_answer_t *a);
static void ngx_http_codr_save_write(void *data);
static void ngx_http_codr_save_result(ngx_http_codr_save_t *save,
    ngx_http_codr_json_t *j);
static void ngx_http_codr_save_say(ngx_http_codr_save_t *save);
static void ngx_http_codr_save_written(void *data, redisReply *reply);
static void ngx_http_codr_save_next(ngx_http_codr_save_t *save);


static const ngx_http_codr_fetch_handler_t  ngx_http_codr_save_fetch = {
    ngx_http_codr_save_output,
    ngx_http_codr_save_answer,
    ngx_http_codr_save_write
};


/* One field more, its text without the quotes that it has in JSON. */

static void
ngx_http_codr_save_time(ngx_http_codr_redis_command_t *command,
    ngx_pool_t *pool, const char *name, uint64_t ms)
{
    ngx_http_codr_json_t  j;

    ngx_http_codr_json_init(&j, pool, 64);
    ngx_http_codr_json_time(&j, NULL, ms);

    if (ms && !j.failed) {
        ngx_http_codr_redis_word(command, name);
        ngx_http_codr_redis_arg(command, j.start + 1, j.pos - j.start - 2);
    }
}


static void
ngx_http_codr_save_text(ngx_http_codr_redis_command_t *command,
    const char *name, ngx_str_t *value)
{
    if (value->len) {
        ngx_http_codr_redis_word(command, name);
        ngx_http_codr_redis_arg(command, value->data, value->len);
    }
}


/* By what other nodes know the tokens. */

static void
ngx_http_codr_save_tokens(ngx_http_codr_redis_command_t *command,
    ngx_pool_t *pool, ngx_http_codr_stored_t *record)
{
    u_char      *p;
    ngx_uint_t   i;

    static const u_char  none[sizeof(record->tokens)];
    static const char   *names[] = { "attach", "view" };

    if (ngx_memcmp(record->tokens, none, sizeof(none)) == 0) {
        return;
    }

    for (i = 0; i < 2; i++) {
        p = ngx_pnalloc(pool, 2 * sizeof(record->tokens[i]));

        if (p) {
            (void) ngx_hex_dump(p, record->tokens[i],
                                sizeof(record->tokens[i]));
            ngx_http_codr_redis_word(command, names[i]);
            ngx_http_codr_redis_arg(command, p,
                                    2 * sizeof(record->tokens[i]));
        }
    }
}


/* HSET and what every record has. */

static void
ngx_http_codr_save_head(ngx_http_codr_redis_t *redis,
    ngx_http_codr_redis_command_t *command, ngx_pool_t *pool, u_char *name,
    size_t len, const u_char *id, ngx_http_codr_stored_t *record)
{
    command->argc = 0;

    ngx_http_codr_redis_word(command, "HSET");
    ngx_http_codr_redis_arg(command, name, len);
    ngx_http_codr_redis_word(command, "job_id");
    ngx_http_codr_redis_arg(command, id, CODR_JOB_ID_LEN);
    ngx_http_codr_redis_word(command, "node");
    ngx_http_codr_redis_arg(command, redis->node, sizeof(redis->node));
    ngx_http_codr_redis_word(command, "status");
    ngx_http_codr_redis_word(command,
                             ngx_http_codr_record_name(record->state));

    ngx_http_codr_save_text(command, "owner", &record->owner);
    ngx_http_codr_save_text(command, "key", &record->key_id);
    ngx_http_codr_save_text(command, "language", &record->language);
    ngx_http_codr_save_text(command, "tag", &record->tag);
    ngx_http_codr_save_text(command, "traceparent", &record->trace);
    ngx_http_codr_save_tokens(command, pool, record);

    ngx_http_codr_save_time(command, pool, "created_at", record->created_ms);
    ngx_http_codr_save_time(command, pool, "started_at", record->started_ms);
    ngx_http_codr_save_time(command, pool, "completed_at",
                            record->completed_ms);
}


static void
ngx_http_codr_save_expire(ngx_http_codr_redis_t *redis, u_char *name,
    size_t len, ngx_msec_t ms)
{
    u_char                         text[NGX_INT64_LEN];
    ngx_http_codr_redis_command_t  command;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "PEXPIRE");
    ngx_http_codr_redis_arg(&command, name, len);
    ngx_http_codr_redis_arg(&command, text, ngx_sprintf(text, "%M", ms) - text);

    (void) ngx_http_codr_redis_send(redis, &command, NULL, NULL);
}


void
ngx_http_codr_redis_note(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    size_t                          len;
    u_char                          name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_pool_t                     *pool;
    ngx_http_codr_redis_t          *redis;
    ngx_http_codr_stored_t          record;
    ngx_http_codr_redis_command_t   command;

    redis = ngx_http_codr_redis(mcf);

    if (redis == NULL || !redis->up) {
        return;
    }

    pool = ngx_create_pool(NGX_HTTP_CODR_SAVE_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_http_codr_records_read(mcf, pool, id, &record) == NGX_OK) {
        len = ngx_http_codr_redis_name(redis, name, id, "");
        ngx_http_codr_save_head(redis, &command, pool, name, len, id,
                                &record);

        (void) ngx_http_codr_redis_send(redis, &command, NULL, NULL);

        /* it may run for longer than that, but nobody wants it for ever */

        ngx_http_codr_save_expire(redis, name, len,
                                  mcf->job_ttl + 24 * 3600 * 1000);
    }

    ngx_destroy_pool(pool);
}


ngx_int_t
ngx_http_codr_redis_begin(ngx_http_codr_redis_t *redis,
    ngx_http_codr_job_t *job, ngx_http_codr_redis_pt handler, void *data)
{
    size_t                         len;
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_int_t                      rc;
    ngx_time_t                    *now;
    ngx_http_codr_stored_t         record;
    ngx_http_codr_redis_command_t  command;

    now = ngx_timeofday();

    ngx_memzero(&record, sizeof(ngx_http_codr_stored_t));
    record.owner = job->owner;
    record.key_id = job->key_id;
    record.language = job->language;
    record.tag = job->tag;
    record.trace = job->trace;
    record.created_ms = (uint64_t) now->sec * 1000 + now->msec;

    len = ngx_http_codr_redis_name(redis, name, job->id, "");
    ngx_http_codr_save_head(redis, &command, job->pool, name, len, job->id,
                            &record);

    rc = ngx_http_codr_redis_send(redis, &command, handler, data);

    if (rc == NGX_OK) {
        ngx_http_codr_save_expire(redis, name, len, job->mcf->job_ttl);
    }

    return rc;
}


void
ngx_http_codr_redis_save(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_http_codr_redis_t  *redis;

    redis = ngx_http_codr_redis(mcf);

    if (redis && redis->up
        && ngx_http_codr_records_save(mcf, id) == NGX_OK)
    {
        ngx_http_codr_save_start(redis, id, 0);
    }
}


/* What runs may have begun, or gone on, while Redis was away. */

static void
ngx_http_codr_save_live(ngx_http_codr_redis_t *redis)
{
    u_char       *id;
    ngx_uint_t    i;
    ngx_pool_t   *pool;
    ngx_array_t   ids;

    pool = ngx_create_pool(NGX_HTTP_CODR_SAVE_POOL, ngx_cycle->log);

    if (pool == NULL) {
        return;
    }

    if (ngx_array_init(&ids, pool, 16, CODR_JOB_ID_LEN) == NGX_OK) {
        ngx_http_codr_records_live(redis->mcf, &ids);

        id = ids.elts;

        for (i = 0; i < ids.nelts; i++) {
            ngx_http_codr_redis_note(redis->mcf, id + i * CODR_JOB_ID_LEN);
        }
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_codr_save_late(ngx_http_codr_redis_t *redis)
{
    u_char  id[CODR_JOB_ID_LEN];

    if (redis->up
        && ngx_http_codr_records_unsaved(redis->mcf, id) == NGX_OK)
    {
        ngx_http_codr_save_start(redis, id, 1);
    }
}


void
ngx_http_codr_redis_catch_up(ngx_http_codr_redis_t *redis)
{
    ngx_http_codr_save_live(redis);
    ngx_http_codr_save_late(redis);
}


static void
ngx_http_codr_save_start(ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_uint_t late)
{
    ngx_pool_t                *pool;
    ngx_http_codr_save_t      *save;
    ngx_http_codr_question_t   question;

    pool = ngx_create_pool(NGX_HTTP_CODR_SAVE_POOL, ngx_cycle->log);
    save = pool ? ngx_pcalloc(pool, sizeof(ngx_http_codr_save_t)) : NULL;

    if (save == NULL) {
        if (pool) {
            ngx_destroy_pool(pool);
        }

        ngx_http_codr_records_saved(redis->mcf, id, 0);
        return;
    }

    save->redis = redis;
    save->pool = pool;
    save->late = late;
    ngx_memcpy(save->id, id, CODR_JOB_ID_LEN);

    ngx_http_codr_json_init(&save->streams[0], pool, 1024);
    ngx_http_codr_json_init(&save->streams[1], pool, 1024);

    ngx_memzero(&question, sizeof(ngx_http_codr_question_t));
    question.id = save->id;
    question.output = 1;
    question.size = NGX_HTTP_CODR_SAVE_STREAM;

    if (ngx_http_codr_fetch(redis->mcf, &question, &ngx_http_codr_save_fetch,
                            save, ngx_cycle->log)
        == NULL)
    {
        ngx_http_codr_save_write(save);
    }
}


static void
ngx_http_codr_save_output(void *data, codr_output_t *output)
{
    ngx_http_codr_save_t  *save = data;

    size_t                 len;
    ngx_http_codr_json_t  *stream;

    stream = &save->streams[output->stream - 1];
    len = NGX_HTTP_CODR_SAVE_STREAM - (stream->pos - stream->start);
    len = ngx_min(len, output->length);

    ngx_http_codr_json_put(stream, output->data, len);
}


static void
ngx_http_codr_save_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_save_t  *save = data;

    if (a->type == CODR_FRAME_RECORD) {
        save->known = 1;
    }
}


static void
ngx_http_codr_save_write(void *data)
{
    ngx_http_codr_save_t  *save = data;

    size_t                          len;
    u_char                          name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_json_t            j;
    ngx_http_codr_redis_t          *redis;
    ngx_http_codr_redis_command_t   command;

    redis = save->redis;

    if (ngx_http_codr_records_read(redis->mcf, save->pool, save->id,
                                   &save->record)
        != NGX_OK)
    {
        ngx_destroy_pool(save->pool);          /* its time is over */
        return;
    }

    len = ngx_http_codr_redis_name(redis, name, save->id, "");
    ngx_http_codr_save_head(redis, &command, save->pool, name, len, save->id,
                            &save->record);

    ngx_http_codr_save_result(save, &j);

    ngx_http_codr_redis_word(&command,
                             save->record.state == NGX_HTTP_CODR_RECORD_FAILED
                             ? "error" : "result");
    ngx_http_codr_redis_arg(&command, j.start, j.pos - j.start);

    if (j.failed
        || ngx_http_codr_redis_send(redis, &command,
                                    ngx_http_codr_save_written, save)
           != NGX_OK)
    {
        ngx_http_codr_records_saved(redis->mcf, save->id, 0);
        ngx_destroy_pool(save->pool);
        return;
    }

    ngx_http_codr_save_expire(redis, name, len, redis->mcf->job_ttl);
    ngx_http_codr_save_say(save);
}


static void
ngx_http_codr_save_result(ngx_http_codr_save_t *save, ngx_http_codr_json_t *j)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    static const char  *names[] = { "stdout", "stderr" };

    ngx_http_codr_json_init(j, save->pool, 4096);
    ngx_http_codr_json_open(j, NULL);

    if (save->record.result.len) {
        ngx_http_codr_json_put(j, save->record.result.data,
                               save->record.result.len);
        j->comma = 1;
    }

    for (i = 0; save->record.state == NGX_HTTP_CODR_RECORD_COMPLETED && i < 2;
         i++)
    {
        text.data = save->streams[i].start;
        text.len = save->streams[i].pos - save->streams[i].start;

        if (save->known && !save->streams[i].failed) {
            ngx_http_codr_json_text(j, names[i], &text);

        } else {
            ngx_http_codr_json_null(j, names[i]);
        }
    }

    ngx_http_codr_json_close(j);
}


/* The last message of the job, as its client had it. */

static void
ngx_http_codr_save_say(ngx_http_codr_save_t *save)
{
    ngx_http_codr_json_t  j;

    ngx_http_codr_json_init(&j, save->pool, 1024);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_name(&j, "type",
                            save->record.state == NGX_HTTP_CODR_RECORD_FAILED
                            ? "error" : "complete");

    if (save->record.result.len) {
        ngx_http_codr_json_put(&j, ",", 1);
        ngx_http_codr_json_put(&j, save->record.result.data,
                               save->record.result.len);
    }

    ngx_http_codr_json_close(&j);

    if (!j.failed) {
        ngx_http_codr_redis_publish(save->redis, save->id, ":complete",
                                    j.start, j.pos - j.start);
    }
}


static void
ngx_http_codr_save_written(void *data, redisReply *reply)
{
    ngx_http_codr_save_t  *save = data;

    ngx_uint_t  done;

    done = (reply && reply->type != REDIS_REPLY_ERROR);

    ngx_http_codr_records_saved(save->redis->mcf, save->id, done);

    if (reply == NULL) {
        ngx_destroy_pool(save->pool);
        return;
    }

    if (!done) {
        ngx_http_codr_redis_failed(save->redis, reply);
    }

    ngx_http_codr_save_next(save);
}


static void
ngx_http_codr_save_next(ngx_http_codr_save_t *save)
{
    ngx_uint_t              late;
    ngx_http_codr_redis_t  *redis;

    redis = save->redis;
    late = save->late;

    ngx_destroy_pool(save->pool);

    if (late) {
        ngx_http_codr_save_late(redis);
    }
}


void
ngx_http_codr_redis_publish(ngx_http_codr_redis_t *redis, const u_char *id,
    const char *suffix, const u_char *text, size_t len)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "PUBLISH");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_name(redis, name, id, suffix));
    ngx_http_codr_redis_arg(&command, text, len);

    (void) ngx_http_codr_redis_send(redis, &command, NULL, NULL);
}
