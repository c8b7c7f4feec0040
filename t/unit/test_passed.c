/*
 * What has passed is found again, and nothing else is.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_passed.h"

static codr_review_request_t request;
static codr_passed_t         passed;


static int
image_of(const char *text)
{
    int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1 || codr_io_write_all(fd, text, strlen(text)) != 0
        || codr_io_seal(fd) != 0)
    {
        return -1;
    }

    return fd;
}


static codr_passed_key_t
key_of(const char *text)
{
    int               fd = image_of(text);
    codr_passed_key_t key;

    tap_ok(codr_passed_key(&key, &request, fd), "a key");
    (void) close(fd);
    return key;
}


static bool
same(const codr_passed_key_t *a, const codr_passed_key_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}


static void
keys(void)
{
    codr_passed_key_t one, other;

    request.sources = 2;
    request.source[0] = (codr_review_source_t) { 2, 3 };
    request.source[1] = (codr_review_source_t) { 5, 1 };

    one = key_of("??abcd");
    other = key_of("!!abcd");
    tap_ok(same(&one, &other), "what is no source does not count");
    other = key_of("??abce");
    tap_ok(!same(&one, &other), "a byte of the last source does");

    request.source[0].length = 2;
    request.source[1] = (codr_review_source_t) { 4, 2 };
    other = key_of("??abcd");
    tap_ok(!same(&one, &other), "so does where one ends and the next begins");

    request.source[0].length = 3;
    request.source[1] = (codr_review_source_t) { 5, 1 };

    request.bytes = 6;
    memcpy(request.data, "??abcd", 6);
    tap_ok(codr_passed_key(&other, &request, -1) && same(&one, &other),
           "the same when the request has them");
    request.data[5] = 'e';
    tap_ok(codr_passed_key(&other, &request, -1) && !same(&one, &other),
           "and a byte counts there, too");
    request.bytes = 5;
    tap_ok(!codr_passed_key(&other, &request, -1), "or none at all");
    request.bytes = 0;

    request.level++;
    other = key_of("??abcd");
    tap_ok(!same(&one, &other), "and the level");
    request.level--;
    request.language++;
    other = key_of("??abcd");
    tap_ok(!same(&one, &other), "and the language");
    request.language--;
    request.nodes++;
    other = key_of("??abcd");
    tap_ok(!same(&one, &other), "and the limit of nodes");
    request.nodes--;
}


static void
refuses(void)
{
    int               fd = image_of("??abcd");
    codr_passed_key_t key;

    request.source[1].length = 2;
    tap_ok(!codr_passed_key(&key, &request, fd), "a range beyond the image");
    request.source[1] = (codr_review_source_t) { 7, 0 };
    tap_ok(!codr_passed_key(&key, &request, fd), "or behind it");
    request.source[1] = (codr_review_source_t) { 5, 1 };
    (void) close(fd);

    fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    tap_ok(ftruncate(fd, 100) == 0
           && !codr_passed_key(&key, &request, fd), "an image not sealed");
    (void) close(fd);
    tap_ok(!codr_passed_key(&key, &request, -1), "none");
}


static void
remembers(void)
{
    codr_passed_key_t one = key_of("??abcd"), other = key_of("??abce");

    tap_ok(!codr_passed_has(&passed, &one), "nothing at first");
    codr_passed_add(&passed, &one);
    tap_ok(codr_passed_has(&passed, &one), "what was added");
    tap_ok(!codr_passed_has(&passed, &other), "and only that");

    memcpy(other.bytes, one.bytes, 2);
    codr_passed_add(&passed, &other);
    tap_ok(codr_passed_has(&passed, &other)
           && !codr_passed_has(&passed, &one), "a newer one takes its place");
    codr_passed_clear(&passed);
    tap_ok(!codr_passed_has(&passed, &other), "other policies: nothing");
}


int
main(void)
{
    keys();
    refuses();
    remembers();

    return tap_done();
}
