/*
 * What there is to talk to: every socket family, protocols, filters, hosts,
 * interfaces.  One line of JSON a check; bench.t compares a job's lines with
 * t/sandbox/golden and with those of the same program outside, which is told
 * so by its first argument.
 *
 *     probe_net [--control]
 */

#define _GNU_SOURCE

#include "probe.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FAMILIES        64
#define LENGTH(array)   (sizeof(array) / sizeof((array)[0]))



/* Sockets.  Outside only families that load no module are tried. */

static const int tried_outside[] = {
    AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK,
};

static const int kinds[] = {
    SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET,
};

static int kind;


static long
make_socket(long family)
{
    return socket((int) family, kind, 0);
}


static long
make_pair(long family)
{
    int pair[2];

    return socketpair((int) family, SOCK_STREAM, 0, pair);
}


static long
make_protocol(long protocol)
{
    return socket(AF_INET, kind, (int) protocol);
}


static bool
is_tried(int family)
{
    size_t i;

    for (i = 0; probe_control && i < LENGTH(tried_outside); i++) {
        if (tried_outside[i] == family) {
            return true;
        }
    }

    return !probe_control;
}


static void
family(int number)
{
    size_t i, len = 0;
    char   name[32], result[128] = "";

    for (i = 0; i < LENGTH(kinds); i++) {
        kind = kinds[i];
        len += (size_t) snprintf(result + len, sizeof(result) - len, "%s%s",
                                 i ? " " : "",
                                 probe_try(make_socket, number));
    }
    (void) snprintf(name, sizeof(name), "family %d", number);
    probe_say(name, result);
}


static long
make_raw(long protocol)
{
    return socket(AF_INET, SOCK_RAW, (int) protocol);
}


static long
attach_filter(long option)
{
    int                fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0xffff);
    struct sock_fprog  program = { 1, &allow };

    return setsockopt(fd, SOL_SOCKET, (int) option, &program,
                      sizeof(program)) == -1
           && errno == EPERM ? -1 : 0;
}


static const probe_row_t sockets[] = {
    { "pair unix", make_pair, AF_UNIX },
    { "pair vsock", make_pair, AF_VSOCK },
    { "pair netlink", make_pair, AF_NETLINK },
    { "raw icmp", make_raw, 1 },
    { "socket filter", attach_filter, SO_ATTACH_FILTER },
    { "socket program", attach_filter, SO_ATTACH_BPF },
};


static void
all_sockets(void)
{
    int  i;
    char name[32];

    for (i = 0; i < FAMILIES; i++) {
        if (is_tried(i)) {
            family(i);
        }
    }

    kind = SOCK_STREAM;
    for (i = 0; !probe_control && i < 300; i++) {
        if (i == 0 || i == 6 || i == 17 || i == 33 || i == 132 || i == 262) {
            (void) snprintf(name, sizeof(name), "protocol %d", i);
            probe_say(name, probe_try(make_protocol, i));
        }
    }

    probe_rows(sockets, LENGTH(sockets));
}


/* The network. */

static const char *const hosts[] = {
    "127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "8.8.8.8",
    "169.254.169.254", "2001:4860:4860::8888",
};


static long
connects(long number)
{
    int                 fd;
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = 80 };
    struct sockaddr_in  four = { .sin_family = AF_INET, .sin_port = 80 };

    if (inet_pton(AF_INET, hosts[number], &four.sin_addr) == 1) {
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        return connect(fd, (struct sockaddr *) &four, sizeof(four));
    }

    (void) inet_pton(AF_INET6, hosts[number], &six.sin6_addr);
    fd = socket(AF_INET6, SOCK_DGRAM, 0);
    return connect(fd, (struct sockaddr *) &six, sizeof(six));
}


static void
network(void)
{
    int          fd = socket(AF_INET, SOCK_DGRAM, 0);
    long         i;
    char         name[64];
    unsigned     n;
    struct ifreq request;

    for (i = 0; i < (long) LENGTH(hosts); i++) {
        (void) snprintf(name, sizeof(name), "connect %s", hosts[i]);
        probe_say(name, probe_try(connects, i));
    }

    for (n = 1; n < 64; n++) {
        if (if_indextoname(n, request.ifr_name) == NULL) {
            continue;
        }
        (void) snprintf(name, sizeof(name), "interface %s", request.ifr_name);
        probe_say(name, ioctl(fd, SIOCGIFFLAGS, &request) == 0
                  && (request.ifr_flags & IFF_UP) ? "up" : "down");
    }
}


int
main(int argc, char **argv)
{
    probe_control = argc > 1 && strcmp(argv[1], "--control") == 0;

    all_sockets();
    network();
    probe_say("end", "done");

    return 0;
}
