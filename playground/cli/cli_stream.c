/*
 * A connection to the server: TCP, with TLS for https and wss.  One a process,
 * for its whole life, so nothing of it is ever freed.
 */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"
#include "cli_stream.h"

struct cli_stream {
    int  fd;
    SSL *ssl;                   /* NULL: plain TCP */
};


static char *
copy(const char *from, size_t len)
{
    char *text = strndup(from, len);

    if (!text) {
        cli_die("out of memory");
    }
    return text;
}


/* "[::1]:8080", "example.org:8080", "example.org" */
static void
split_authority(cli_url_t *url)
{
    const char *text = url->authority;
    const char *end, *port;

    if (*text == '[') {
        end = strchr(text, ']');
        if (!end) {
            cli_die("no server address: \"%s\"", text);
        }
        url->host = copy(text + 1, (size_t) (end - text - 1));
        end++;
    } else {
        end = text + strcspn(text, ":");
        url->host = copy(text, (size_t) (end - text));
    }

    port = *end == ':' ? end + 1 : url->tls ? "443" : "80";
    url->port = copy(port, strlen(port));
    if (!*url->host || !*port || port[strspn(port, "0123456789")]) {
        cli_die("no server address: \"%s\"", text);
    }
}


void
cli_url_parse(cli_url_t *url, const char *text)
{
    static const struct { const char *scheme; bool tls; } known[] = {
        { "http://", false }, { "https://", true },
        { "ws://", false }, { "wss://", true }
    };
    size_t i, len;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        len = strlen(known[i].scheme);
        if (strncmp(text, known[i].scheme, len) == 0) {
            break;
        }
    }
    if (i == sizeof(known) / sizeof(known[0])
        || text[strcspn(text, " \r\n#@")]) {
        cli_die("the server must be an http, https, ws or wss URL: \"%s\"",
                text);
    }

    url->tls = known[i].tls;
    text += len;
    len = strcspn(text, "/");
    url->authority = copy(text, len);
    url->path = text[len] ? copy(text + len, strlen(text + len))
                : copy("/run", 4);
    split_authority(url);
}


static int
dial(const cli_url_t *url)
{
    struct addrinfo  hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *at;
    int              rc, fd = -1, error = 0;

    rc = getaddrinfo(url->host, url->port, &hints, &list);
    if (rc != 0) {
        cli_die("%s: %s", url->host, gai_strerror(rc));
    }

    for (at = list; at; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            break;
        }
        error = errno;
        if (fd >= 0) {
            (void) close(fd);                       /* never connected */
        }
        fd = -1;
    }
    freeaddrinfo(list);

    if (fd < 0) {
        cli_die("no server at %s: %s (is it running? see --server)",
                url->authority, strerror(error));
    }
    return fd;
}


static _Noreturn void
tls_failed(const cli_url_t *url, const SSL *ssl)
{
    long        result = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    const char *reason = result != X509_V_OK
                         ? X509_verify_cert_error_string(result)
                         : ERR_reason_error_string(ERR_get_error());

    cli_die("TLS with %s: %s", url->authority, reason ? reason : "it ended");
}


static SSL *
start_tls(const cli_url_t *url, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL     *ssl = NULL;

    if (!context || SSL_CTX_set_default_verify_paths(context) != 1
        || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        tls_failed(url, NULL);
    }

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        tls_failed(url, NULL);
    }

    /* An address is checked as one; only a name is told in the hello. */
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url->host) != 1
        && (SSL_set1_host(ssl, url->host) != 1
            || SSL_set_tlsext_host_name(ssl, url->host) != 1)) {
        tls_failed(url, NULL);
    }
    if (SSL_connect(ssl) != 1) {
        tls_failed(url, ssl);
    }
    return ssl;
}


cli_stream_t *
cli_stream_open(const cli_url_t *url)
{
    cli_stream_t *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        cli_die("out of memory");
    }
    stream->fd = dial(url);
    if (url->tls) {
        stream->ssl = start_tls(url, stream->fd);
    }
    return stream;
}


/* What SSL_read and SSL_write answer, as read and write would. */
static ssize_t
tls_result(const cli_stream_t *stream, int rc)
{
    if (rc > 0) {
        return rc;
    }

    switch (SSL_get_error(stream->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        errno = EPIPE;
        return -1;
    }
}


static int
int_size(size_t size)
{
    return size > 1 << 20 ? 1 << 20 : (int) size;
}


ssize_t
cli_stream_read(cli_stream_t *stream, void *buf, size_t size)
{
    ssize_t got;

    if (stream->ssl) {
        ERR_clear_error();
        return tls_result(stream, SSL_read(stream->ssl, buf, int_size(size)));
    }
    do {
        got = recv(stream->fd, buf, size, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}


ssize_t
cli_stream_write(cli_stream_t *stream, const void *buf, size_t size)
{
    ssize_t sent;

    if (stream->ssl) {
        ERR_clear_error();
        return tls_result(stream,
                          SSL_write(stream->ssl, buf, int_size(size)));
    }
    do {
        sent = send(stream->fd, buf, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}


int
cli_stream_fd(const cli_stream_t *stream)
{
    return stream->fd;
}


void
cli_stream_unblock(cli_stream_t *stream)
{
    int flags = fcntl(stream->fd, F_GETFL);

    if (flags < 0 || fcntl(stream->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        cli_die("fcntl: %s", strerror(errno));
    }
    if (stream->ssl) {
        SSL_set_mode(stream->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE
                                  | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
}
