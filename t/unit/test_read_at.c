/*
 * A kernel may give less of a file than there is, or be interrupted: what is
 * read whole is read whole.  Here it gives a byte or two at a time.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sandbox/codr_config.h"
#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_review_ipc.h"
#include "../../sandbox/codr_rules.h"
#include "../../sandbox/codr_util.h"

#define SIZE    1024

static unsigned  calls;
static bool      broken;


/* Instead of the C library's. */
ssize_t
pread(int fd, void *data, size_t len, off_t at)
{
    calls++;
    if (broken) {
        errno = EIO;
        return -1;
    }
    if (calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }

    return syscall(SYS_pread64, fd, data, len < 2 ? len : calls % 3, at);
}


static int
sealed(const void *data, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    calls = 0;
    if (fd == -1 || codr_io_write_all(fd, data, len) < 0
        || codr_io_seal(fd) < 0)
    {
        perror("memfd");
        _exit(1);
    }
    return fd;
}


static void
bytes(void)
{
    int  fd = sealed("some bytes", 10);
    char text[16] = "";

    tap_number(codr_io_read_at(fd, text, 10, 0), 0, "all bytes");
    tap_text(text, "some bytes", "as they are");
    tap_number(codr_io_read_at(fd, text, 5, 5), 0, "from the middle");
    tap_ok(memcmp(text, "bytes", 5) == 0, "as well");
    tap_number(codr_io_read_at(fd, text, 0, 0), 0, "none at all");
    tap_number(codr_io_read_at(fd, text, 11, 0), -EIO,
               "more than there is");
    broken = true;
    tap_number(codr_io_read_at(fd, text, 10, 0), -EIO, "a disk that is gone");
    broken = false;
    codr_close(&fd);
}


static void
configuration(void)
{
    int             fd;
    uint8_t         image[SIZE];
    codr_writer_t   writer;
    codr_config_t  *config = NULL;

    codr_writer_init(&writer, image, sizeof(image));
    codr_put_number(&writer, CODR_FIELD_MAX_BATCH, 8);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "sh");
    codr_put_text(&writer, CODR_FIELD_SOURCE, "main.sh");
    codr_put_text(&writer, CODR_FIELD_RUN_ARG, "/bin/sh");

    fd = sealed(image, (size_t) (writer.pos - writer.start));
    tap_number(codr_config_read(&config, fd, 1), 0, "a configuration");
    tap_ok(calls > 9, "in pieces");
    tap_number(config ? config->max_batch : 0, 8, "says what it says");
    codr_config_unref(config);
    codr_close(&fd);
}


static void
rules(void)
{
    int            fd;
    uint8_t        image[SIZE];
    codr_writer_t  writer;
    codr_rules_t  *table = NULL;

    codr_writer_init(&writer, image, sizeof(image));
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "python");
    codr_put_text(&writer, CODR_FIELD_RULE, "python.eval");
    codr_put_text(&writer, CODR_FIELD_RULE_MESSAGE, "no eval");
    codr_put_text(&writer, CODR_FIELD_SEVERITY, "error");

    fd = sealed(image, (size_t) (writer.pos - writer.start));
    tap_number(codr_rules_read(&table, fd), 0, "a table of rules");
    tap_ok(calls > 9, "in pieces");
    tap_text(table ? table->rule[0].severity : "", "error", "to its end");
    codr_rules_unref(table);
    codr_close(&fd);
}


int
main(void)
{
    bytes();
    configuration();
    rules();

    return tap_done();
}
