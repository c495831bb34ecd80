/* In: what each connection does, told by the HTTP thread. Out: cut-off sockets, cancelled jobs.
 * Never touches a socket that the HTTP thread may have closed: both hold the mutex. */
#include "server/connections.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "server/dialect.h"
#include "server/timed_wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NS_PER_MS          1000000ull
#define WORK_TICK_NS       (50 * NS_PER_MS)    /* a client that goes is noticed so soon */
#define OTHER_TICK_NS      (250 * NS_PER_MS)   /* a slow one */
#define PAUSE_NS           (1000 * NS_PER_MS)  /* between two looks: we were stopped */
#define NO_LIMIT_MS        ((uint64_t)1 << 40) /* the hub's silence is noticed elsewhere */
#define BODY_BYTES_PER_MS  64                  /* the least that a sender must keep up: 64 KiB/s */
#define REPLY_BYTES_PER_MS 1024                /* and a reader, who has idle_ms on top */

typedef enum phase { RESTING, HEADER, BODY, WORKING, SENDING } phase;

struct ed_connection {
    int fd;
    phase phase;
    bool fresh;           /* no request has come yet */
    bool cut;             /* we have shut the socket down */
    uint64_t began_ns;    /* of the phase */
    uint64_t deadline_ns; /* when the phase must have ended */
    size_t n_bytes;       /* of the body, so far */
    ed_job *job;          /* WORKING */
    ed_connection *previous, *next;
};

struct ed_connections {
    ed_connections_options options;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards everything below and all connections */
    pthread_cond_t changed;
    bool stop;
    ed_connection *first;
    size_t n_working;
};

static void *watch(void *context);
static void look_at(ed_connection *c, uint64_t now_ns);
static void say_timeout(int fd);
static void cut_off(ed_connection *c);
static bool has_gone(int fd);
static bool enter(ed_connections *cs, ed_connection *c, phase entered, uint64_t limit_ms);
static void set_phase(ed_connections *cs, ed_connection *c, phase entered, uint64_t limit_ms);

embedd_status ed_connections_open(ed_connections **out, const ed_connections_options *options,
                                  embedd_error *err)
{
    ed_connections *cs = ed_calloc(1, sizeof *cs);
    if (!cs)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the connections");
    cs->options = *options;
    pthread_mutex_init(&cs->mutex, NULL);
    ed_timed_condition_init(&cs->changed);
    cs->started = pthread_create(&cs->thread, NULL, watch, cs) == 0;
    if (!cs->started) {
        ed_connections_close(cs);
        return ed_fail(err, EMBEDD_MEMORY, "the watching thread could not be started");
    }
    *out = cs;
    return EMBEDD_OK;
}

void ed_connections_close(ed_connections *cs)
{
    if (!cs)
        return;
    if (cs->started) {
        pthread_mutex_lock(&cs->mutex);
        cs->stop = true;
        pthread_cond_signal(&cs->changed);
        pthread_mutex_unlock(&cs->mutex);
        pthread_join(cs->thread, NULL);
    }
    pthread_cond_destroy(&cs->changed);
    pthread_mutex_destroy(&cs->mutex);
    ed_free(cs);
}

ed_connection *ed_connections_add(ed_connections *cs, int fd)
{
    ed_connection *c = ed_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->fresh = true;
    pthread_mutex_lock(&cs->mutex);
    set_phase(cs, c, RESTING, cs->options.header_ms);
    c->next = cs->first;
    if (c->next)
        c->next->previous = c;
    cs->first = c;
    pthread_cond_signal(&cs->changed);
    pthread_mutex_unlock(&cs->mutex);
    return c;
}

void ed_connections_remove(ed_connections *cs, ed_connection *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&cs->mutex);
    set_phase(cs, c, RESTING, 0);
    if (c->previous)
        c->previous->next = c->next;
    else
        cs->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    pthread_mutex_unlock(&cs->mutex);
    ed_free(c);
}

/* The first request's header has the time since the connection was made. */
bool ed_connection_reads_header(ed_connections *cs, ed_connection *c)
{
    if (!c)
        return false;
    pthread_mutex_lock(&cs->mutex);
    uint64_t deadline_ns = c->deadline_ns;
    set_phase(cs, c, HEADER, cs->options.header_ms);
    if (c->fresh)
        c->deadline_ns = deadline_ns;
    c->fresh = false;
    bool ok = !c->cut;
    pthread_mutex_unlock(&cs->mutex);
    return ok;
}

bool ed_connection_reads_body(ed_connections *cs, ed_connection *c, size_t n_more)
{
    if (!c)
        return false;
    pthread_mutex_lock(&cs->mutex);
    if (c->phase != BODY) {
        set_phase(cs, c, BODY, 0);
        c->n_bytes = 0;
    }
    c->n_bytes += n_more;
    c->deadline_ns =
        c->began_ns + (cs->options.body_ms + (uint64_t)c->n_bytes / BODY_BYTES_PER_MS) * NS_PER_MS;
    bool ok = !c->cut;
    pthread_mutex_unlock(&cs->mutex);
    return ok;
}

bool ed_connection_works(ed_connections *cs, ed_connection *c, ed_job *job)
{
    if (!c)
        return false;
    bool pulls = job->request.dialect->answer == ED_ANSWER_PULL;
    pthread_mutex_lock(&cs->mutex);
    set_phase(cs, c, WORKING, pulls ? NO_LIMIT_MS : cs->options.deadline_ms);
    c->job = job;
    if (cs->n_working == 1)
        pthread_cond_signal(&cs->changed);
    bool ok = !c->cut;
    pthread_mutex_unlock(&cs->mutex);
    return ok;
}

bool ed_connection_sends(ed_connections *cs, ed_connection *c, size_t n_bytes)
{
    return enter(cs, c, SENDING, cs->options.idle_ms + (uint64_t)n_bytes / REPLY_BYTES_PER_MS);
}

void ed_connections_end_work(ed_connections *cs, const ed_job *job, size_t n_bytes)
{
    uint64_t limit_ms = cs->options.idle_ms + (uint64_t)n_bytes / REPLY_BYTES_PER_MS;
    pthread_mutex_lock(&cs->mutex);
    for (ed_connection *c = cs->first; c; c = c->next)
        if (c->job == job)
            set_phase(cs, c, SENDING, limit_ms);
    pthread_mutex_unlock(&cs->mutex);
}

bool ed_connection_rests(ed_connections *cs, ed_connection *c)
{
    return enter(cs, c, RESTING, cs->options.idle_ms);
}

static bool enter(ed_connections *cs, ed_connection *c, phase entered, uint64_t limit_ms)
{
    if (!c)
        return false;
    pthread_mutex_lock(&cs->mutex);
    set_phase(cs, c, entered, limit_ms);
    bool ok = !c->cut;
    pthread_mutex_unlock(&cs->mutex);
    return ok;
}

/* With the mutex. */
static void set_phase(ed_connections *cs, ed_connection *c, phase entered, uint64_t limit_ms)
{
    cs->n_working += (size_t)(entered == WORKING) - (size_t)(c->phase == WORKING);
    c->phase = entered;
    c->job = NULL;
    c->began_ns = ed_clock_ns();
    c->deadline_ns = c->began_ns + limit_ms * NS_PER_MS;
}

void ed_connections_cancel_all(ed_connections *cs, ed_cancel reason)
{
    pthread_mutex_lock(&cs->mutex);
    for (ed_connection *c = cs->first; c; c = c->next)
        if (c->job)
            ed_pipeline_cancel(c->job, reason);
    pthread_mutex_unlock(&cs->mutex);
}

/* ---- the watching thread --------------------------------------------------------------------- */

static void *watch(void *context)
{
    ed_connections *cs = context;
    uint64_t last_ns = ed_clock_ns();
    pthread_mutex_lock(&cs->mutex);
    while (!cs->stop) {
        if (!cs->first) {
            pthread_cond_wait(&cs->changed, &cs->mutex);
            last_ns = ed_clock_ns();
            continue;
        }
        uint64_t now_ns = ed_clock_ns();
        /* A process that was stopped gives back the time that its clients have lost. */
        uint64_t lost_ns = now_ns - last_ns > PAUSE_NS ? now_ns - last_ns : 0;
        last_ns = now_ns;
        for (ed_connection *c = cs->first; c; c = c->next) {
            c->deadline_ns += lost_ns;
            c->began_ns += lost_ns;
            look_at(c, now_ns);
        }
        /* Work that begins meanwhile is looked at a tick late at most. */
        ed_timed_wait(&cs->changed, &cs->mutex, cs->n_working > 0 ? WORK_TICK_NS : OTHER_TICK_NS);
    }
    pthread_mutex_unlock(&cs->mutex);
    return NULL;
}

static void look_at(ed_connection *c, uint64_t now_ns)
{
    bool late = now_ns >= c->deadline_ns;
    if (c->cut)
        return;
    if (c->phase == WORKING) {
        if (has_gone(c->fd))
            ed_pipeline_cancel(c->job, ED_CANCEL_GONE);
        else if (late)
            ed_pipeline_cancel(c->job, ED_CANCEL_DEADLINE);
    } else if (late) {
        if (c->phase == HEADER || c->phase == BODY || c->fresh)
            say_timeout(c->fd);
        cut_off(c);
    } else if (c->phase != SENDING && has_gone(c->fd)) {
        /* libmicrohttpd 0.9.75 with epoll overlooks an end that comes together with data. */
        cut_off(c);
    }
}

/* The HTTP thread has sent nothing in these phases, so that this cannot fall into the middle of
 * another answer. */
static void say_timeout(int fd)
{
    static const char timeout[] = "HTTP/1.1 408 Request Timeout\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 90\r\n"
                                  "Connection: close\r\n\r\n"
                                  "{\"error\":{\"code\":\"request_timeout\","
                                  "\"message\":\"the request came too slowly\",\"index\":null}}\n";
    (void)!send(fd, timeout, sizeof timeout - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The HTTP thread sees the end of the stream and closes the socket. */
static void cut_off(ed_connection *c)
{
    shutdown(c->fd, SHUT_RDWR);
    c->cut = true;
}

/* The end of its stream, and nothing before it that is not read yet. A client that waits for its
 * reply has nothing to say: the end means it has gone. */
static bool has_gone(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}
