/*
 * The file of --config.  What is read makes a configuration that the helper's
 * own decoder takes; what is refused is refused with a line.
 */

#define _GNU_SOURCE

#include <sys/mman.h>
#include <unistd.h>

#include "../../../sandbox/codr_conf_file.h"
#include "../../../sandbox/codr_conf_lex.h"
#include "../../../sandbox/codr_config.h"

#include "../fuzz.h"


/* A file that includes would read the files of this machine. */
static int
includes(const uint8_t *data, size_t size)
{
    return memmem(data, size, "include", 7) != NULL;
}


static void
values(const uint8_t *data, size_t size)
{
    char     *text = malloc(size + 1);
    uint64_t  n;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';

    (void) codr_conf_size(text, &n);
    (void) codr_conf_time(text, &n);
    (void) codr_conf_number(text, &n);
    (void) codr_conf_is_module(text);

    free(text);
}


static void
whole(const char *path)
{
    char              error[CODR_CONF_ERROR_MAX] = "";
    codr_config_t    *config = NULL;
    codr_conf_file_t  file;

    memset(&file, 0, sizeof(file));
    if (codr_conf_file_read(&file, path, error) == 0) {
        must(codr_config_decode(&config, file.image, file.length, 1) == 0);
        codr_config_unref(config);
    } else {
        must(strlen(error) > 0 && strlen(error) < sizeof(error));
    }

    codr_conf_file_free(&file);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int   fd;
    char  path[64];

    if (size < 64) {
        values(data, size);
    }
    if (includes(data, size)) {
        return 0;
    }

    fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    whole(path);
    (void) close(fd);

    return 0;
}
