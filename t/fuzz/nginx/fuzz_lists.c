/*
 * Headers that are lists: Accept, and the extensions a client offers.  Where
 * the rule of lists may cut one into two headers, both must say the same; what
 * follows an offer that was taken changes nothing, nor does what others offer
 * before it.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_accept.h"
#include "../../../module/ngx_http_codr_offer.h"


static void
check_weight(int weight)
{
    must(weight >= -1 && weight <= 1000);
}


/* The next comma from here on that stands outside quotes, or the end. */
static size_t
next_comma(const uint8_t *text, size_t from, size_t size)
{
    int  quoted = 0;

    for ( /* void */ ; from < size; from++) {
        if (text[from] == '"') {
            quoted = !quoted;
        } else if (quoted && text[from] == '\\' && from + 1 < size) {
            from++;
        } else if (!quoted && text[from] == ',') {
            break;
        }
    }

    return from;
}


static void
accepted(const uint8_t *text, size_t size)
{
    size_t                   cut = next_comma(text, 0, size);
    uint8_t                 *head = fuzz_copy(text, cut), *rest;
    ngx_http_codr_accept_t   whole, parts;

    ngx_http_codr_accept_init(&whole);
    ngx_http_codr_accept_read(&whole, text, size);
    check_weight(whole.events);
    check_weight(whole.json);
    check_weight(whole.any);
    must(!ngx_http_codr_accept_events(&whole) || whole.events > 0);

    ngx_http_codr_accept_init(&parts);
    ngx_http_codr_accept_read(&parts, head, cut);
    if (cut < size) {
        rest = fuzz_copy(text + cut + 1, size - cut - 1);
        ngx_http_codr_accept_read(&parts, rest, size - cut - 1);
        free(rest);
    }

    must(memcmp(&whole, &parts, sizeof(whole)) == 0);
    free(head);
}


static void
joined(const char *before, const uint8_t *text, size_t size,
    const char *after, const ngx_http_codr_offer_t *offer)
{
    size_t                  first = strlen(before), last = strlen(after);
    uint8_t                *list = malloc(first + size + last + 1);
    ngx_http_codr_offer_t   again;

    must(list != NULL);
    memcpy(list, before, first);
    memcpy(list + first, text, size);
    memcpy(list + first + size, after, last);
    memset(&again, 0, sizeof(again));

    must(ngx_http_codr_offer_read(list, first + size + last, &again) == 0);
    must(again.bits == offer->bits && again.named == offer->named);
    free(list);
}


static void
offered(const uint8_t *text, size_t size)
{
    ngx_http_codr_offer_t  offer;

    memset(&offer, 0xff, sizeof(offer));

    if (ngx_http_codr_offer_read(text, size, &offer) != 0) {
        must(offer.bits == UINT_MAX && offer.named == -1);
        return;
    }

    must(offer.bits >= 8 && offer.bits <= 15);
    must(offer.named == 0 || offer.named == 1);
    must(offer.named || offer.bits == 15);
    joined("", text, size, ", permessage-deflate; x", &offer);
    joined("other; a=\"\\\"\", ,", text, size, "", &offer);
    joined("permessage-deflate; server_max_window_bits,", text, size, "\t",
           &offer);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t  *text = fuzz_copy(data, size);

    accepted(text, size);
    offered(text, size);
    free(text);

    return 0;
}
