/*
 * Offers of permessage-deflate: which are taken, and that no bytes at all lead
 * the reader beyond them.  The file is included: it belongs to nginx's
 * modules, but needs nothing of nginx.
 */

#include "tap.h"

#include "../../module/ngx_http_codr_offer.c"

#include <stdlib.h>

#define DEFLATE  "permessage-deflate"


/* 8 to 15 for an offer that is taken, negative when the answer names it; 0 for
   none.  From a copy of exactly its size: a sanitizer sees a byte beyond. */
static int
taken(const char *text, size_t len)
{
    int                     rc;
    unsigned char          *copy;
    ngx_http_codr_offer_t   offer;

    copy = malloc(len ? len : 1);
    if (copy == NULL) {
        abort();
    }

    memcpy(copy, text, len);
    rc = ngx_http_codr_offer_read(copy, len, &offer);
    free(copy);

    if (rc != 0) {
        return 0;
    }

    return offer.named ? -(int) offer.bits : (int) offer.bits;
}


#define TAKEN(text, bits)                                                     \
    tap_number(taken(text, sizeof(text) - 1), bits, "offer: " text)


static void
test_offers(void)
{
    TAKEN(DEFLATE, 15);
    TAKEN(DEFLATE "; client_max_window_bits", 15);
    TAKEN(DEFLATE ";server_max_window_bits=10", -10);
    TAKEN(DEFLATE "; SERVER_MAX_WINDOW_BITS = \"8\"\t", -8);
    TAKEN("a; b=\"\\\"," DEFLATE "\", " DEFLATE "; server_max_window_bits=15",
          -15);
    TAKEN(DEFLATE "; server_max_window_bits, " DEFLATE, 15);
    TAKEN(DEFLATE "; server_max_window_bits=07", 0);
    TAKEN(DEFLATE "; server_max_window_bits=16", 0);
    TAKEN(DEFLATE "; server_max_window_bits=1:", 0);
    TAKEN(DEFLATE "; server_max_window_bits=\"1\\5\"", 0);
    TAKEN(DEFLATE "; server_max_window_bits=\"15", 0);
    TAKEN(DEFLATE "; server_max_window_bits=\"15\\", 0);
    TAKEN(DEFLATE "; client_max_window_bits=", 0);
    TAKEN(DEFLATE "\0", 0);
    TAKEN(DEFLATE " x", 0);
    TAKEN("", 0);
    TAKEN(" , ,", 0);
}


/* Any bytes: those that mean something, in any order. */
static void
test_noise(void)
{
    int                bits, odd;
    char               text[64];
    size_t             i, len;
    unsigned           round;
    static const char  some[] = ",;=\"\\ \tax8915p\x80";

    srand(1);
    odd = 0;

    for (round = 0; round < 100000; round++) {
        len = (size_t) (rand() % 40);
        for (i = 0; i < len; i++) {
            text[i] = some[(size_t) rand() % (sizeof(some) - 1)];
        }
        if (rand() % 2 && len > 20) {
            memcpy(text, DEFLATE, sizeof(DEFLATE) - 1);
        }
        bits = abs(taken(text, len));
        odd += bits != 0 && (bits < 8 || bits > 15);
    }

    tap_number(odd, 0, "noise is never taken for a window that there is not");
}


int
main(void)
{
    test_offers();
    test_noise();

    return tap_done();
}
