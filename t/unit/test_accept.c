/*
 * Accept headers: who gets events and who gets JSON.  The file is included: it
 * belongs to nginx's modules, but needs nothing of nginx.
 */

#include "tap.h"

#include "../../module/ngx_http_codr_accept.c"

#include <stdlib.h>


/* From copies of exactly their sizes: a sanitizer sees a byte beyond. */
static int
events(const char *text, size_t len, const char *second)
{
    size_t                   i;
    unsigned char           *copy;
    ngx_http_codr_accept_t   accept;
    const char              *texts[2] = { text, second };
    size_t                   sizes[2] = { len, strlen(second) };

    ngx_http_codr_accept_init(&accept);

    for (i = 0; i < 2; i++) {
        copy = malloc(sizes[i] ? sizes[i] : 1);
        if (copy == NULL) {
            abort();
        }

        memcpy(copy, texts[i], sizes[i]);
        ngx_http_codr_accept_read(&accept, copy, sizes[i]);
        free(copy);
    }

    return ngx_http_codr_accept_events(&accept);
}


#define EVENTS(text)                                                          \
    tap_number(events(text, sizeof(text) - 1, ""), 1, "events: " text)
#define JSON(text)                                                            \
    tap_number(events(text, sizeof(text) - 1, ""), 0, "JSON: " text)


static void
test_headers(void)
{
    EVENTS("text/event-stream");
    EVENTS("Text/Event-Stream");
    EVENTS("text/event-stream; charset=utf-8");
    EVENTS(" , text/event-stream ,");
    EVENTS("text/event-stream, */*");
    EVENTS("text/event-stream, text/html");
    EVENTS("text/event-stream, application/json;q=0.5");
    EVENTS("application/json;q=0, text/event-stream;q=0.001");
    EVENTS("application/json; q=0.899, text/event-stream; Q=0.9");
    EVENTS("x/y; a=\"\\\",\", text/event-stream;q=1.000");
    EVENTS("text/event-stream, application/json;q=x");

    JSON("");
    JSON("*/*");
    JSON("text/*");
    JSON("application/json");
    JSON("text/event-stream;q=0");
    JSON("text/event-stream;q=0.000");
    JSON("text/event-streams");
    JSON("text/event-stream/x");
    JSON("xtext/event-stream");
    JSON("text/event-stream x");
    JSON("application/json, text/event-stream");
    JSON("text/event-stream, application/json");
    JSON("application/json, text/event-stream;q=0.5");
    JSON("text/event-stream;q=0.5, */*;q=0.6");
    JSON("x/y; a=\", text/event-stream\"");
    JSON("x/y; a=\", text/event-stream");
    JSON("text/event-stream;q=1.001");
    JSON("text/event-stream;q=2");
    JSON("text/event-stream;q=");
    JSON("text/event-stream;q=0.5555");
    JSON("text/event-stream;q=x");
    JSON(";q=1");
    JSON("\"");
    JSON("\\");

    tap_number(events("text/event-stream", 17, "application/json"), 0,
               "two headers are one list");
    tap_number(events("text/html", 9, "text/event-stream"), 1,
               "in which all count");
}


/* Any bytes: those that mean something, in any order. */
static void
test_noise(void)
{
    char               text[64];
    size_t             i, len;
    unsigned           round;
    static const char  some[] = ",;=\"\\ \tq01./*x\x80";

    srand(1);

    for (round = 0; round < 100000; round++) {
        len = (size_t) (rand() % 40);
        for (i = 0; i < len; i++) {
            text[i] = some[(size_t) rand() % (sizeof(some) - 1)];
        }
        if (events(text, len, "")) {
            break;
        }
    }

    tap_number(round, 100000, "noise is no wish for events");
}


int
main(void)
{
    test_headers();
    test_noise();

    return tap_done();
}
