/*
 * The handshake that makes a WebSocket of a connection (RFC 6455, section 4).
 * The server's bytes are bounded and looked at; its reasons for a refusal are
 * shown without what a terminal would obey.
 */

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "cli_upgrade.h"

#define GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


static void
expected_accept(const char *nonce, char *ret_accept)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int  len = 0;
    char          text[128];

    snprintf(text, sizeof(text), "%s" GUID, nonce);
    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1) {
        cli_die("no SHA-1");
    }
    EVP_EncodeBlock((unsigned char *) ret_accept, digest, (int) len);
}


static void
send_request(cli_stream_t *stream, const cli_url_t *url, const char *key,
             const char *protocol, const char *nonce)
{
    char   request[CLI_HEAD_MAX];
    size_t sent = 0, size;
    int    len;

    len = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: %s\r\n"
                   "Sec-WebSocket-Protocol: %s\r\n"
                   "User-Agent: codr/" CODR_VERSION "\r\n%s%s%s\r\n",
                   url->path, url->authority, nonce, protocol,
                   key ? "X-API-Key: " : "", key ? key : "",
                   key ? "\r\n" : "");
    if (len < 0 || (size_t) len >= sizeof(request)) {
        cli_die("the server's URL or the key is too long");
    }

    for (size = (size_t) len; sent < size; ) {
        ssize_t n = cli_stream_write(stream, request + sent, size - sent);

        if (n <= 0) {
            cli_die("%s: %s", url->authority, strerror(errno));
        }
        sent += (size_t) n;
    }
}


/* Reads the head; what follows it stays in early.  Returns the head's end. */
static char *
read_head(cli_stream_t *stream, const cli_url_t *url, cli_early_t *early)
{
    char *end;

    early->len = 0;
    for (;;) {
        ssize_t n = cli_stream_read(stream, early->bytes + early->len,
                                    sizeof(early->bytes) - 1 - early->len);

        if (n <= 0) {
            cli_die("%s ended the connection without an answer",
                    url->authority);
        }
        early->len += (size_t) n;
        early->bytes[early->len] = '\0';
        end = strstr(early->bytes, "\r\n\r\n");
        if (end) {
            return end + 4;
        }
        if (early->len == sizeof(early->bytes) - 1) {
            cli_die("%s answers what is no HTTP", url->authority);
        }
    }
}


/* The value of a header, or NULL; head ends with an empty line. */
static const char *
header(const char *head, const char *name, size_t *ret_len)
{
    size_t      len = strlen(name);
    const char *line = strstr(head, "\r\n");

    for (; line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            line += 3 + len;
            line += strspn(line, " \t");
            *ret_len = strcspn(line, "\r");
            return line;
        }
    }
    return NULL;
}


/* As much of a refusal's body as is there: its "message", or nothing. */
static void
read_reason(cli_stream_t *stream, cli_early_t *early, const char *body,
            char *ret_reason, size_t size)
{
    json_t     *value;
    const char *message = NULL;
    ssize_t     n;

    while (early->len < sizeof(early->bytes) - 1
           && !memchr(body, '}',
                      (size_t) (early->bytes + early->len - body))) {
        n = cli_stream_read(stream, early->bytes + early->len,
                            sizeof(early->bytes) - 1 - early->len);
        if (n <= 0) {
            break;
        }
        early->len += (size_t) n;
    }

    value = json_loadb(body, (size_t) (early->bytes + early->len - body),
                       JSON_DISABLE_EOF_CHECK, NULL);
    message = json_string_value(json_object_get(value, "message"));
    snprintf(ret_reason, size, "%s", message ? message : "");
    json_decref(value);

    for (char *p = ret_reason; *p; p++) {
        if (iscntrl((unsigned char) *p)) {
            *p = '?';
        }
    }
}


static _Noreturn void
refused(cli_stream_t *stream, const cli_url_t *url, cli_early_t *early,
        const char *body, int status)
{
    char        reason[512];
    const char *hint = "";

    read_reason(stream, early, body, reason, sizeof(reason));
    if (status == 401) {
        hint = " (give a key: CODR_KEY or --key FILE)";
    } else if (status == 404 || status == 200) {
        hint = " (is it the URL of a codr_exec location? see --server)";
    } else if (status == 429 || status == 503) {
        hint = " (try again in a moment)";
    }
    cli_die("%s%s refused: HTTP %d%s%s%s", url->authority, url->path, status,
            *reason ? ", " : "", reason, hint);
}


/* Dies unless the header has exactly this value. */
static void
demand(const cli_url_t *url, const cli_early_t *early, const char *name,
       const char *wanted)
{
    size_t      len;
    const char *value = header(early->bytes, name, &len);

    if (!value || len != strlen(wanted) || memcmp(value, wanted, len) != 0) {
        cli_die("%s makes no WebSocket of codr's", url->authority);
    }
}


void
cli_upgrade(cli_stream_t *stream, const cli_url_t *url, const char *key,
            const char *protocol, cli_early_t *early)
{
    unsigned char random[16];
    char          nonce[32], accept[64], *end;
    int           status = 0;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        cli_die("no random numbers");
    }
    EVP_EncodeBlock((unsigned char *) nonce, random, sizeof(random));
    send_request(stream, url, key, protocol, nonce);

    end = read_head(stream, url, early);
    if (sscanf(early->bytes, "HTTP/1.%*1[01] %3d", &status) != 1) {
        cli_die("%s answers what is no HTTP", url->authority);
    }
    if (status != 101) {
        refused(stream, url, early, end, status);
    }

    expected_accept(nonce, accept);
    demand(url, early, "Sec-WebSocket-Accept", accept);
    demand(url, early, "Sec-WebSocket-Protocol", protocol);

    early->len -= (size_t) (end - early->bytes);
    memmove(early->bytes, end, early->len);
}
