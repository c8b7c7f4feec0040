/*
 * What a broker can ask for.  Pure; runs in the spawner.
 */

#include "codr_spawn_request.h"

#include "codr_limits.h"

#define CPU_SECONDS_MAX     (366 * 86400)
#define FLAGS                                                               \
    ((uint32_t) (CODR_SPAWN_TERMINAL | CODR_SPAWN_SPARE | CODR_SPAWN_TRACE  \
                 | CODR_SPAWN_HOW))


static bool
within(uint64_t value, uint64_t max)
{
    return value > 0 && value <= max;
}


static uint64_t
maximum(codr_limit_id_t limit)
{
    return codr_limit_info(limit)->maximum;
}


bool
codr_spawn_request_is_sane(const codr_spawn_request_t *request)
{
    uint64_t memory = maximum(CODR_LIMIT_MEMORY);

    if (memory < maximum(CODR_LIMIT_COMPILE_MEMORY)) {
        memory = maximum(CODR_LIMIT_COMPILE_MEMORY);
    }

    return request->id != 0 && request->slot > 0
           && (request->flags & ~FLAGS) == 0
           && codr_spawn_kind(request->flags) < CODR_INTERPRETER_COUNT
           && codr_spawn_parked(request->flags) < CODR_INTERPRETER_COUNT
           && within(request->memory, memory)
           && within(request->stack, maximum(CODR_LIMIT_STACK))
           && within(request->disk, maximum(CODR_LIMIT_DISK))
           && within(request->inodes, maximum(CODR_LIMIT_INODES))
           && within(request->file_size, maximum(CODR_LIMIT_DISK))
           && within(request->cpu_seconds, CPU_SECONDS_MAX)
           && within(request->processes, maximum(CODR_LIMIT_PROCESSES))
           && within(request->open_files, maximum(CODR_LIMIT_OPEN_FILES));
}
