/* In: connections and their headers. Out: clients with the number of their requests. Never trusts
 * what another machine says of itself. */
#include "server/client.h"

#include "base/checksum.h"
#include "base/memory.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

void ed_clients_init(ed_clients *clients)
{
    *clients = (ed_clients){0};
    pthread_mutex_init(&clients->mutex, NULL);
}

void ed_clients_clear(ed_clients *clients)
{
    pthread_mutex_destroy(&clients->mutex);
}

ed_client *ed_clients_enter(ed_clients *clients, uint64_t id, size_t requests_max)
{
    pthread_mutex_lock(&clients->mutex);
    ed_client *client = clients->first;
    while (client && client->id != id)
        client = client->next;
    size_t n_own = client ? client->n_requests : 0;
    size_t n_clients = atomic_load(&clients->n_clients) + !client;
    if (!ed_is_fair(n_own, 1, clients->n_requests, requests_max, n_clients)) {
        client = NULL;
    } else if (!client && (client = ed_calloc(1, sizeof *client))) {
        client->id = id;
        client->next = clients->first;
        clients->first = client;
        atomic_store(&clients->n_clients, n_clients);
    }
    if (client) {
        client->n_requests++;
        clients->n_requests++;
    }
    pthread_mutex_unlock(&clients->mutex);
    return client;
}

void ed_clients_leave(ed_clients *clients, ed_client *client)
{
    if (!client)
        return;
    pthread_mutex_lock(&clients->mutex);
    clients->n_requests--;
    if (--client->n_requests == 0) {
        ed_client **link = &clients->first;
        while (*link != client)
            link = &(*link)->next;
        *link = client->next;
        atomic_fetch_sub(&clients->n_clients, 1);
        ed_free(client);
    }
    pthread_mutex_unlock(&clients->mutex);
}

/* ---- who it is ------------------------------------------------------------------------------- */

/* True on this machine, where it says little; else *id is of the address, of IPv6 of its network.
 */
static bool is_near(const struct sockaddr *address, uint64_t *id)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* IPv4 in IPv6 */
    if (address->sa_family == AF_INET) {
        uint32_t four = ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
        *id = ed_checksum(&four, sizeof four, *id);
        return ntohl(four) >> 24 == 127;
    }
    if (address->sa_family != AF_INET6)
        return true;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    bool is_mapped = memcmp(six, mapped, sizeof mapped) == 0;
    *id = ed_checksum(six, is_mapped ? 16 : 8, *id);
    return IN6_IS_ADDR_LOOPBACK(six) || (is_mapped && six->s6_addr[12] == 127);
}

/* 0 where the system does not tell. */
static int64_t process_behind(int fd)
{
#if defined(SO_PEERCRED) && defined(__linux__)
    struct ucred peer;
    socklen_t n_bytes = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n_bytes) == 0)
        return peer.pid;
#elif defined(LOCAL_PEERPID)
    pid_t pid;
    socklen_t n_bytes = sizeof pid;
    if (getsockopt(fd, 0 /* SOL_LOCAL */, LOCAL_PEERPID, &pid, &n_bytes) == 0)
        return pid;
#else
    (void)fd;
#endif
    return 0;
}

uint64_t ed_client_id(struct MHD_Connection *connection)
{
    static const char *const names[] = {"X-Client-Id", "Authorization", "User-Agent", "Origin",
                                        "X-Forwarded-For"};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    uint64_t id = 0;
    if (info && info->client_addr && !is_near(info->client_addr, &id))
        return id;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int64_t process = info ? process_behind(info->connect_fd) : 0;
    id = ed_checksum(&process, sizeof process, id);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]);
        id = ed_checksum(value ? value : "", value ? strlen(value) + 1 : 0, id);
    }
    return id;
}
