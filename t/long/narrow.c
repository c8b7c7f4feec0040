/*
 * Preloaded into nginx by t/long/short.t: the sockets between a worker and the
 * helper hold as little as the kernel allows, so that whoever writes more
 * gets rid of a part.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <sys/socket.h>


int
socketpair(int domain, int type, int protocol, int pair[2])
{
    int   i, result, least = 1;
    int (*next)(int, int, int, int *);

    *(void **) &next = dlsym(RTLD_NEXT, "socketpair");
    result = next(domain, type, protocol, pair);

    for (i = 0; result == 0 && i < 2 && (type & 0xf) == SOCK_STREAM; i++) {
        (void) setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &least,
                          sizeof(least));
    }

    return result;
}
