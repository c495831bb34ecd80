/* In: an address. Out: a socket that listens. Never binds an address that other machines reach
 * unless that was asked for twice. */
#include "server/listen.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024 /* connections the system keeps until they are accepted */

static bool is_loopback(const struct sockaddr *address);
static ed_exit listen_on(ed_listener *listener, const struct addrinfo *info, embedd_error *err);
static bool read_back(ed_listener *listener);

ed_exit ed_listener_open(ed_listener *listener, const char *host, unsigned port, bool allow_remote,
                         embedd_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    char service[16];
    *listener = (ed_listener){.fd = -1};
    snprintf(service, sizeof service, "%u", port);
    if (port > 65535 || getaddrinfo(host, service, &hints, &info) != 0) {
        ed_fail(err, EMBEDD_ARGUMENT, "%s, port %u: not an address to listen on", host, port);
        return ED_EXIT_USAGE;
    }
    ed_exit result = ED_EXIT_USAGE;
    if (!allow_remote && !is_loopback(info->ai_addr))
        ed_fail(err, EMBEDD_ARGUMENT,
                "%s can be reached from other machines; give --allow-remote if that is meant",
                host);
    else
        result = listen_on(listener, info, err);
    freeaddrinfo(info);
    return result;
}

void ed_listener_url(const ed_listener *listener, char *out, size_t out_cap)
{
    bool six = strchr(listener->host, ':') != NULL;
    snprintf(out, out_cap, "http://%s%s%s:%u", six ? "[" : "", listener->host, six ? "]" : "",
             listener->port);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return false;
}

static ed_exit listen_on(ed_listener *listener, const struct addrinfo *info, embedd_error *err)
{
    static const int yes = 1;
    unsigned port =
        ntohs(info->ai_family == AF_INET6 ? ((const struct sockaddr_in6 *)info->ai_addr)->sin6_port
                                          : ((const struct sockaddr_in *)info->ai_addr)->sin_port);
    int fd = socket(info->ai_family, SOCK_STREAM, 0);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        /* A server that has just ended leaves its port in TIME_WAIT. */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
            listener->fd = fd;
            if (read_back(listener))
                return ED_EXIT_OK;
        }
    }
    int reason = errno;
    ed_fail(err, EMBEDD_IO, "port %u: %s", port,
            reason == EADDRINUSE ? "another program is listening there; choose another with "
                                   "--port, or 0 for any free one"
                                 : strerror(reason));
    if (fd >= 0)
        close(fd);
    listener->fd = -1;
    return ED_EXIT_ADDRESS;
}

static bool read_back(ed_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t n_bytes = sizeof address;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &n_bytes) != 0)
        return false;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
    bool is_six = address.ss_family == AF_INET6;
    listener->port = ntohs(is_six ? six->sin6_port : four->sin_port);
    return inet_ntop(address.ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr,
                     listener->host, sizeof listener->host) != NULL;
}
