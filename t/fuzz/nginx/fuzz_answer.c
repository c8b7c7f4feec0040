/*
 * Frames of the broker, as a worker reads them: the first byte is the type,
 * the rest the payload.  Whatever is accepted must come out as JSON that
 * another parser reads.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_answer.h"
#include "../../../module/ngx_http_codr_job.h"
#include "../../../module/ngx_http_codr_json.h"

#include <jansson.h>


static void
check_json(const ngx_http_codr_json_t *j)
{
    json_t  *value;

    must(!j->failed);
    value = json_loadb((const char *) j->start, j->pos - j->start,
                       JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    must(json_is_object(value));
    json_decref(value);
}


static void
write_whole(host_t *host, ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job)
{
    ngx_http_codr_json_t  j;

    ngx_http_codr_json_init(&j, host->pool, 16);
    ngx_http_codr_json_answer(&j, a, job);
    check_json(&j);
}


static void
write_fields(host_t *host, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    ngx_http_codr_json_t  j;

    ngx_http_codr_json_init(&j, host->pool, 16);
    ngx_http_codr_json_open(&j, NULL);

    if (ngx_http_codr_answer_compiler(a)) {
        ngx_http_codr_json_uncompiled(&j, a, job);

    } else if (a->type == CODR_FRAME_COMPLETE) {
        ngx_http_codr_json_complete(&j, a, job);

    } else {
        ngx_http_codr_json_error(&j, a, job);
    }

    ngx_http_codr_json_close(&j);
    check_json(&j);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                   host;
    codr_frame_t             frame;
    ngx_http_codr_job_t      job;
    ngx_http_codr_answer_t   a;
    u_char                  *payload;

    memset(&frame, 0, sizeof(frame));
    frame.type = fuzz_byte(&data, &size);
    frame.length = (uint32_t) size;
    payload = fuzz_copy(data, size);

    host_begin(&host);
    memset(&job, 0, sizeof(job));
    ngx_str_set(&job.tag, "a \"tag\"");

    if (ngx_http_codr_answer_decode(&a, &frame, payload) == NGX_OK
        && frame.type >= CODR_FRAME_QUEUED && frame.type != CODR_FRAME_OUTPUT
        && frame.type <= CODR_FRAME_NOTICE)
    {
        write_whole(&host, &a, &job);
        write_whole(&host, &a, NULL);

        if (frame.type == CODR_FRAME_COMPLETE
            || frame.type == CODR_FRAME_ERROR)
        {
            write_fields(&host, &a, &job);
        }
    }

    host_end(&host);
    free(payload);

    return 0;
}
