/* In: an address, a path, or a socket of systemd's. Out: a socket that listens. Never binds an
 * address that other machines reach unless that was asked for twice. */
#include "server/listen.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024 /* connections the system keeps until they are accepted */

#define FIRST_INHERITED 3 /* the first file that systemd hands over */

static ed_exit take_inherited(ed_listener *listener, bool remote_ok, embedd_error *err);
static ed_exit open_path(ed_listener *listener, const char *path, embedd_error *err);
static bool remove_stale(const struct sockaddr_un *address);
static ed_exit open_address(ed_listener *listener, const char *host, unsigned port, bool remote_ok,
                            embedd_error *err);
static bool is_loopback(const struct sockaddr *address);
static ed_exit refuse_remote(const char *host, embedd_error *err);
static ed_exit listen_on(ed_listener *listener, const struct addrinfo *info, embedd_error *err);
static bool read_back(ed_listener *listener);
static void set_flags(int fd);

ed_exit ed_listener_open(ed_listener *listener, const ed_server_options *options, embedd_error *err)
{
    const char *pid = getenv("LISTEN_PID");
    bool remote_ok = options->allow_remote && options->api_key;
    *listener = (ed_listener){.fd = -1};
    if (pid && strtol(pid, NULL, 10) == (long)getpid())
        return take_inherited(listener, remote_ok, err);
    if (options->unix_path)
        return open_path(listener, options->unix_path, err);
    return open_address(listener, options->host, options->port, remote_ok, err);
}

void ed_listener_close(ed_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->owns_path)
        unlink(listener->path);
    *listener = (ed_listener){.fd = -1};
}

void ed_listener_url(const ed_listener *listener, char *out, size_t out_cap)
{
    bool six = strchr(listener->host, ':') != NULL;
    if (listener->path[0])
        snprintf(out, out_cap, "unix:%s", listener->path);
    else
        snprintf(out, out_cap, "http://%s%s%s:%u", six ? "[" : "", listener->host, six ? "]" : "",
                 listener->port);
}

/* Protocol: sd_listen_fds(3). */
static ed_exit take_inherited(ed_listener *listener, bool remote_ok, embedd_error *err)
{
    const char *n_files = getenv("LISTEN_FDS");
    struct sockaddr_storage address;
    socklen_t n_address = sizeof address, n_listens = sizeof(int);
    int listens = 0;
    bool one = n_files && strcmp(n_files, "1") == 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (!one || getsockopt(FIRST_INHERITED, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n_listens) != 0 ||
        !listens || getsockname(FIRST_INHERITED, (struct sockaddr *)&address, &n_address) != 0) {
        ed_fail(err, EMBEDD_ARGUMENT, "LISTEN_FDS is set, but not to one socket that listens");
        return ED_EXIT_USAGE;
    }
    set_flags(FIRST_INHERITED);
    listener->fd = FIRST_INHERITED;
    if (!read_back(listener)) {
        ed_fail(err, EMBEDD_ARGUMENT, "the socket handed over has an address of another kind");
        return ED_EXIT_USAGE;
    }
    if (!remote_ok && !is_loopback((const struct sockaddr *)&address))
        return refuse_remote(listener->host, err);
    return ED_EXIT_OK;
}

/* Only this user may connect. */
static ed_exit open_path(ed_listener *listener, const char *path, embedd_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path) {
        ed_fail(err, EMBEDD_ARGUMENT, "--unix: a path has 1 to %zu bytes",
                sizeof address.sun_path - 1);
        return ED_EXIT_USAGE;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0) {
        set_flags(fd);
        mode_t mask = umask(0177);
        bool ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
        if (!ok && errno == EADDRINUSE && remove_stale(&address))
            ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
        int reason = errno;
        umask(mask);
        errno = reason;
        if (ok) {
            snprintf(listener->path, sizeof listener->path, "%s", path);
            listener->owns_path = true;
            listener->fd = fd;
            if (listen(fd, BACKLOG) == 0)
                return ED_EXIT_OK;
        }
    }
    ed_fail(
        err, EMBEDD_IO, "%s: %s", path,
        errno == EADDRINUSE ? "another program listens there, or it is a file" : strerror(errno));
    if (fd >= 0 && listener->fd < 0)
        close(fd);
    return ED_EXIT_ADDRESS;
}

/* A server that was killed leaves its socket; a file or a socket in use is left alone. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat file;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool stale = fd >= 0 && lstat(address->sun_path, &file) == 0 && S_ISSOCK(file.st_mode) &&
                 connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                 errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    errno = EADDRINUSE;
    return stale && unlink(address->sun_path) == 0;
}

static ed_exit open_address(ed_listener *listener, const char *host, unsigned port, bool remote_ok,
                            embedd_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    char service[16];
    snprintf(service, sizeof service, "%u", port);
    if (port > 65535 || getaddrinfo(host, service, &hints, &info) != 0) {
        ed_fail(err, EMBEDD_ARGUMENT, "%s, port %u: not an address to listen on", host, port);
        return ED_EXIT_USAGE;
    }
    ed_exit result = !remote_ok && !is_loopback(info->ai_addr) ? refuse_remote(host, err)
                                                               : listen_on(listener, info, err);
    freeaddrinfo(info);
    return result;
}

static ed_exit refuse_remote(const char *host, embedd_error *err)
{
    ed_fail(err, EMBEDD_ARGUMENT,
            "%s can be reached from other machines; if that is meant, give --allow-remote and set "
            "EMBEDD_API_KEY to a key for them",
            host);
    return ED_EXIT_USAGE;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return address->sa_family == AF_UNIX;
}

static ed_exit listen_on(ed_listener *listener, const struct addrinfo *info, embedd_error *err)
{
    static const int yes = 1;
    unsigned port =
        ntohs(info->ai_family == AF_INET6 ? ((const struct sockaddr_in6 *)info->ai_addr)->sin6_port
                                          : ((const struct sockaddr_in *)info->ai_addr)->sin_port);
    int fd = socket(info->ai_family, SOCK_STREAM, 0);
    if (fd >= 0) {
        set_flags(fd);
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
    struct sockaddr_storage address = {0};
    socklen_t n_bytes = sizeof address;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &n_bytes) != 0)
        return false;
    if (address.ss_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
        _Static_assert(sizeof listener->path > sizeof local->sun_path, "it ends with NUL");
        memcpy(listener->path, local->sun_path, sizeof local->sun_path);
        return listener->path[0] != '\0';
    }
    const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
    bool is_six = address.ss_family == AF_INET6;
    listener->port = ntohs(is_six ? six->sin6_port : four->sin_port);
    return inet_ntop(address.ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr,
                     listener->host, sizeof listener->host) != NULL;
}

static void set_flags(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
}
