/*
 * What a worker may send to the broker about a job: first EXECUTE's fields,
 * then, as far as they are well-formed, a file's.  What is decoded lies within
 * its bounds.
 */

#include "../../../sandbox/codr_request.h"
#include "../../../sandbox/codr_source.h"

#include "../fuzz.h"


static void
check(const codr_request_t *request)
{
    codr_limit_id_t  i;

    must(memchr(request->language, '\0', sizeof(request->language)) != NULL
         && request->language[0] != '\0');
    must(memchr(request->tag, '\0', sizeof(request->tag)) != NULL);
    must(memchr(request->job_id, '\0', sizeof(request->job_id)) != NULL);
    must(request->owner_len <= sizeof(request->owner));
    must(request->cols >= 1 && request->cols <= 1000);
    must(request->rows >= 1 && request->rows <= 1000);
    must(request->args.count <= CODR_ARGS_MAX);
    must(request->quotas <= CODR_QUOTAS_MAX
         && request->cpu_quotas <= CODR_QUOTAS_MAX);
    must(request->invalid >= -1 && request->invalid < (int) CODR_LIMIT_COUNT);
    must(request->policy_mode < CODR_POLICY_MODES
         && request->policy_level < CODR_POLICY_LEVELS);

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        must(request->asked.value[i] == 0
             || codr_limit_info(i)->client != NULL);
    }
}


/* A name of so many bytes, a size, data; again and again. */
static void
build(const uint8_t *data, size_t size)
{
    size_t                len, used = 0;
    uint64_t              wanted;
    codr_limits_t         limits;
    codr_source_t         source = CODR_SOURCE_EMPTY;
    codr_language_t       language = { .source = (char *) "main.c" };
    codr_source_result_t  result = codr_source_open(&source);

    memset(&limits, 0, sizeof(limits));
    limits.value[CODR_LIMIT_FILE_COUNT] = 4;
    limits.value[CODR_LIMIT_FILES] = 200;
    limits.value[CODR_LIMIT_CODE] = 100;

    while (result == CODR_SOURCE_OK && size > 0) {
        len = fuzz_byte(&data, &size) % 64;
        len = len < size ? len : size;
        wanted = fuzz_byte(&data, &size);
        len = len < size ? len : size;
        result = codr_source_file(&source, &language, &limits,
                                  (const char *) data, len, wanted);
        data += len;
        size -= len;
        if (result != CODR_SOURCE_OK) {
            break;
        }

        len = wanted < size ? (size_t) wanted : size;
        result = codr_source_data(&source, data, len);
        must(result == CODR_SOURCE_OK);
        used += len;
        data += len;
        size -= len;
    }

    must(used <= 200 && source.names.count <= 5 && source.awaited <= 200);
    if (result == CODR_SOURCE_OK) {
        result = codr_source_end(&source);
        if (result == CODR_SOURCE_OK) {
            result = codr_source_seal(&source);
        }
        must((result == CODR_SOURCE_OK)
             == (source.names.count > 0 && source.awaited == 0));
    }

    codr_source_free(&source);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    codr_request_t  request;

    memset(&request, 0, sizeof(request));
    if (codr_request_decode(&request, data, size) == 0) {
        check(&request);
    }
    codr_request_free(&request);

    build(data, size);

    return 0;
}
