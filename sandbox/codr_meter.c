/*
 * Reads cgroup files through descriptors the spawner has passed.  Runs in the
 * broker, which could not open them itself.
 */

#define _GNU_SOURCE

#include "codr_meter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX    1024
#define OOM_SLACK   (1024 * 1024)   /* what failed was a smaller charge */


/* The number after a key at the start of a line of a v2 file, else 0. */
static uint64_t
number_after(const char *text, const char *key)
{
    const char *line = text;

    while (line && strncmp(line, key, strlen(key)) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }

    return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}


static bool
read_text(int fd, char text[TEXT_MAX])
{
    ssize_t n = pread(fd, text, TEXT_MAX - 1, 0);

    if (n <= 0) {
        return false;
    }

    text[n] = '\0';
    return true;
}


uint64_t
codr_meter_cpu_us(codr_meter_t meter)
{
    char text[TEXT_MAX];

    if (meter.fd == -1 || !read_text(meter.fd, text)) {
        return 0;
    }

    /* cpuacct.usage is one number of nanoseconds, cpu.stat a table */
    return meter.v2 ? number_after(text, "usage_usec ")
                    : strtoull(text, NULL, 10) / 1000;
}


uint64_t
codr_meter_bytes(codr_meter_t meter)
{
    char text[TEXT_MAX];

    return meter.fd != -1 && read_text(meter.fd, text)
           ? strtoull(text, NULL, 10) : 0;
}


bool
codr_meter_was_oom(codr_meter_t meter)
{
    char text[TEXT_MAX];

    if (!meter.v2) {            /* an eventfd, which counts nothing else */
        return read(meter.fd, text, sizeof(uint64_t)) > 0;
    }

    return read_text(meter.fd, text) && number_after(text, "oom_kill ") > 0;
}


bool
codr_meter_is_own_oom(codr_meter_t meter, codr_meter_t peak, uint64_t limit)
{
    uint64_t used = codr_meter_bytes(peak);

    return meter.v2 || used == 0 || used + OOM_SLACK >= limit;
}


bool
codr_meter_no_oom(codr_meter_t meter)
{
    return meter.fd == -1 || !codr_meter_was_oom(meter);
}
