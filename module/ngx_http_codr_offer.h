
/*
 * What a client offers in Sec-WebSocket-Extensions (RFC 6455, section 9.1),
 * and which of it we take: permessage-deflate (RFC 7692), nothing else.
 *
 * Pure: libc only, no allocation, no nginx; every byte may be hostile.
 */

#ifndef _NGX_HTTP_CODR_OFFER_H_INCLUDED_
#define _NGX_HTTP_CODR_OFFER_H_INCLUDED_


#include <stddef.h>


typedef struct {
    unsigned   bits;                           /* of our window, 8 to 15 */
    int        named;                          /* so the answer names them */
} ngx_http_codr_offer_t;


/*
 * 0 and the first offer of a header's value that can be taken, else -1 with
 * ret untouched.  An offer with a parameter that is unknown, repeated or wrong
 * is passed over; what is no list of extensions is not read on.
 */

int ngx_http_codr_offer_read(const unsigned char *p, size_t len,
    ngx_http_codr_offer_t *ret);


#endif /* _NGX_HTTP_CODR_OFFER_H_INCLUDED_ */
