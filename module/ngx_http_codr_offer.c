
/*
 * Which offer of permessage-deflate is taken.  We keep no context between
 * messages, whatever a client would allow, and read what was made with any
 * window: of all the parameters only the size of our own window is a promise
 * that an offer can ask for.  Pure: it must never look beyond what it was
 * given.  Runs in workers.
 */

#include "ngx_http_codr_offer.h"

#include <string.h>
#include <strings.h>


#define OFFER_BITS_MAX  15


typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
} offer_text_t;

typedef struct {
    const unsigned char  *p;
    size_t                len;
} offer_word_t;

typedef enum {
    offer_bare = 0,                            /* no value */
    offer_hint,                                /* with or without one */
    offer_value                                /* a value */
} offer_shape_t;

typedef struct {
    const char     *name;
    offer_shape_t   shape;
    int             ours;                      /* the value is our window */
} offer_row_t;


static const offer_row_t  offer_rows[] = {
    { "server_no_context_takeover", offer_bare,  0 },
    { "client_no_context_takeover", offer_bare,  0 },
    { "server_max_window_bits",     offer_value, 1 },
    { "client_max_window_bits",     offer_hint,  0 },
    { NULL, offer_bare, 0 }
};


static int offer_one(offer_text_t *text, ngx_http_codr_offer_t *offer);
static int offer_parameter(ngx_http_codr_offer_t *offer, unsigned *seen,
    const offer_word_t *name, const offer_word_t *value);
static unsigned offer_bits(const offer_word_t *value);
static int offer_is(const offer_word_t *word, const char *name);
static int offer_token(offer_text_t *text, offer_word_t *word);
static int offer_quoted(offer_text_t *text, offer_word_t *word);
static int offer_next(offer_text_t *text, unsigned char c);
static void offer_space(offer_text_t *text);


int
ngx_http_codr_offer_read(const unsigned char *p, size_t len,
    ngx_http_codr_offer_t *ret)
{
    int                     rc;
    offer_text_t            text;
    ngx_http_codr_offer_t   offer;

    text.p = p;
    text.end = p + len;

    for ( ;; ) {
        while (offer_next(&text, ',')) { /* void */ }

        rc = offer_one(&text, &offer);

        if (rc == -1 || (text.p < text.end && *text.p != ',')) {
            return -1;
        }

        if (rc == 0) {
            *ret = offer;
            return 0;
        }
    }
}


/* 0 for one that can be taken, 1 for another, -1 for what is no extension. */

static int
offer_one(offer_text_t *text, ngx_http_codr_offer_t *offer)
{
    int            rc;
    unsigned       seen;
    offer_word_t   name, value;

    if (offer_token(text, &name) != 0) {
        return -1;
    }

    rc = offer_is(&name, "permessage-deflate") ? 0 : 1;

    offer->bits = OFFER_BITS_MAX;
    offer->named = 0;
    seen = 0;

    while (offer_next(text, ';')) {

        value.p = NULL;
        value.len = 0;

        if (offer_token(text, &name) != 0
            || (offer_next(text, '=') && offer_token(text, &value) != 0
                && offer_quoted(text, &value) != 0))
        {
            return -1;
        }

        if (rc == 0) {
            rc = offer_parameter(offer, &seen, &name, &value);
        }
    }

    return rc;
}


/* 0 for one that is right, else 1. */

static int
offer_parameter(ngx_http_codr_offer_t *offer, unsigned *seen,
    const offer_word_t *name, const offer_word_t *value)
{
    unsigned            bit, bits;
    const offer_row_t  *row;

    for (row = offer_rows; row->name; row++) {
        if (offer_is(name, row->name)) {
            break;
        }
    }

    bit = 1u << (row - offer_rows);

    if (row->name == NULL || (*seen & bit)) {
        return 1;
    }

    *seen |= bit;

    if (value->p == NULL) {
        return row->shape == offer_value;
    }

    bits = offer_bits(value);

    if (row->shape == offer_bare || bits == 0) {
        return 1;
    }

    if (row->ours) {
        offer->bits = bits;
        offer->named = 1;
    }

    return 0;
}


/* A number of 8 to 15, without a zero before it; else 0. */

static unsigned
offer_bits(const offer_word_t *value)
{
    if (value->len == 1 && value->p[0] >= '8' && value->p[0] <= '9') {
        return value->p[0] - '0';
    }

    if (value->len == 2 && value->p[0] == '1'
        && value->p[1] >= '0' && value->p[1] <= '5')
    {
        return 10 + value->p[1] - '0';
    }

    return 0;
}


static int
offer_is(const offer_word_t *word, const char *name)
{
    return word->len == strlen(name)
           && strncasecmp((const char *) word->p, name, word->len) == 0;
}


static int
offer_token(offer_text_t *text, offer_word_t *word)
{
    unsigned char         c;
    const unsigned char  *start;

    offer_space(text);
    start = text->p;

    while (text->p < text->end) {
        c = *text->p;

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c)) {
            break;
        }

        text->p++;
    }

    if (text->p == start) {
        return -1;
    }

    word->p = start;
    word->len = (size_t) (text->p - start);
    offer_space(text);

    return 0;
}


/* Its inside as it stands: no value of ours needs an escape. */

static int
offer_quoted(offer_text_t *text, offer_word_t *word)
{
    if (!offer_next(text, '"')) {
        return -1;
    }

    word->p = text->p;

    while (text->p < text->end && *text->p != '"') {
        text->p += (*text->p == '\\' && text->end - text->p > 1) ? 2 : 1;
    }

    if (text->p == text->end) {
        return -1;
    }

    word->len = (size_t) (text->p - word->p);
    text->p++;
    offer_space(text);

    return 0;
}


static int
offer_next(offer_text_t *text, unsigned char c)
{
    offer_space(text);

    if (text->p == text->end || *text->p != c) {
        return 0;
    }

    text->p++;

    return 1;
}


static void
offer_space(offer_text_t *text)
{
    while (text->p < text->end && (*text->p == ' ' || *text->p == '\t')) {
        text->p++;
    }
}
