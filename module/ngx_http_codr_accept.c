
/*
 * Accept of RFC 9110, section 12.5.1, as far as two media types go.  What
 * cannot be read is not named: the answer is JSON then.  Pure: it must never
 * look beyond what it was given.  Runs in workers.
 */

#include "ngx_http_codr_accept.h"

#include <string.h>
#include <strings.h>


typedef struct {
    const unsigned char  *p;
    size_t                len;
} accept_part_t;


static const unsigned char *accept_part(const unsigned char *p,
    const unsigned char *end, accept_part_t *part);
static int accept_is(const accept_part_t *part, const char *name);
static int accept_weight(const accept_part_t *part);


void
ngx_http_codr_accept_init(ngx_http_codr_accept_t *accept)
{
    accept->events = -1;
    accept->json = -1;
    accept->any = -1;
}


void
ngx_http_codr_accept_read(ngx_http_codr_accept_t *accept,
    const unsigned char *p, size_t len)
{
    int                   weight, *named;
    accept_part_t         type, part;
    const unsigned char  *end;

    end = p + len;

    while (p < end) {
        p = accept_part(p, end, &type);
        weight = 1000;

        while (p < end && *p == ';') {
            p = accept_part(p + 1, end, &part);

            if (part.len >= 2 && (part.p[0] | 0x20) == 'q'
                && part.p[1] == '=')
            {
                weight = accept_weight(&part);
            }
        }

        if (p < end) {
            p++;                               /* a comma */
        }

        named = accept_is(&type, "text/event-stream") ? &accept->events
                : accept_is(&type, "application/json") ? &accept->json
                : accept_is(&type, "application/*") ? &accept->any
                : accept_is(&type, "*/*") ? &accept->any : NULL;

        if (named && weight > *named) {
            *named = weight;
        }
    }
}


int
ngx_http_codr_accept_events(const ngx_http_codr_accept_t *accept)
{
    if (accept->events <= 0) {
        return 0;
    }

    return (accept->json >= 0) ? accept->events > accept->json
                               : accept->events >= accept->any;
}


/* What stands before the next semicolon or comma that is not quoted, without
   the white space around it; returns where that is. */

static const unsigned char *
accept_part(const unsigned char *p, const unsigned char *end,
    accept_part_t *part)
{
    int                   quoted;
    const unsigned char  *last;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    part->p = p;
    last = p;
    quoted = 0;

    for ( /* void */ ; p < end; p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (quoted && *p == '\\' && end - p > 1) {
            p++;

        } else if (!quoted && (*p == ';' || *p == ',')) {
            break;
        }

        if (*p != ' ' && *p != '\t') {
            last = p + 1;
        }
    }

    part->len = (size_t) (last - part->p);

    return p;
}


static int
accept_is(const accept_part_t *part, const char *name)
{
    return part->len == strlen(name)
           && strncasecmp((const char *) part->p, name, part->len) == 0;
}


/* "q=" and 0 to 1 with up to three digits; -1 for anything else. */

static int
accept_weight(const accept_part_t *part)
{
    int     weight, unit;
    size_t  i;

    if (part->len < 3 || part->len > 7 || part->p[2] < '0' || part->p[2] > '1'
        || (part->len > 3 && part->p[3] != '.'))
    {
        return -1;
    }

    weight = (part->p[2] - '0') * 1000;
    unit = 100;

    for (i = 4; i < part->len; i++) {

        if (part->p[i] < '0' || part->p[i] > '9') {
            return -1;
        }

        weight += (part->p[i] - '0') * unit;
        unit /= 10;
    }

    return (weight <= 1000) ? weight : -1;
}
