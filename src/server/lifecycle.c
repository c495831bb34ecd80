/* In: signals, standard input, the parent's number. Out: events, in the order they come. Never does
 * more in a signal handler than to write a byte. */
#include "server/lifecycle.h"

#include "base/clock.h"
#include "base/error.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARENT_TICK_MS 500

/* A signal handler has no other way to its data than static memory. */
static int wake_fds[2] = {-1, -1}; /* read, write */
static volatile sig_atomic_t n_signals;
static bool watch_parent, watch_stdin, hangup_reloads;
static pid_t parent;

static void on_signal(int number);
static void on_hangup(int number);
static bool stdin_tells_of_parent(void);
static ed_event read_event(void);
static bool stdin_has_ended(void);

embedd_status ed_lifecycle_open(bool exit_with_parent, embedd_error *err)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction reload = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, hangup;
    n_signals = 0;
    if (pipe(wake_fds) != 0)
        return ed_fail(err, EMBEDD_IO, "no pipe for signals: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        fcntl(wake_fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(wake_fds[i], F_SETFL, O_NONBLOCK);
    }
    parent = getppid();
    watch_parent = exit_with_parent;
    watch_stdin = exit_with_parent && stdin_tells_of_parent();
    sigemptyset(&stop.sa_mask);
    sigemptyset(&reload.sa_mask);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler == SIG_DFL && !isatty(STDIN_FILENO))
        hangup_reloads = sigaction(SIGHUP, &reload, NULL) == 0;
    sigaction(SIGPIPE, &ignore, NULL);
    return EMBEDD_OK;
}

void ed_lifecycle_close(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGTERM, &standard, NULL);
    sigaction(SIGINT, &standard, NULL);
    if (hangup_reloads)
        sigaction(SIGHUP, &standard, NULL);
    for (int i = 0; i < 2; i++) {
        if (wake_fds[i] >= 0)
            close(wake_fds[i]);
        wake_fds[i] = -1;
    }
}

void ed_lifecycle_tell(ed_event event)
{
    char byte = (char)event;
    int reason = errno;
    (void)!write(wake_fds[1], &byte, 1);
    errno = reason;
}

ed_event ed_lifecycle_wait(int timeout_ms)
{
    uint64_t began_ns = ed_clock_ns();
    for (;;) {
        int tick_ms = timeout_ms;
        if (timeout_ms >= 0) {
            uint64_t waited_ms = (ed_clock_ns() - began_ns) / 1000000;
            tick_ms = waited_ms < (uint64_t)timeout_ms ? timeout_ms - (int)waited_ms : 0;
        }
        if (watch_parent && (tick_ms < 0 || tick_ms > PARENT_TICK_MS))
            tick_ms = PARENT_TICK_MS;
        struct pollfd fds[2] = {{.fd = wake_fds[0], .events = POLLIN},
                                {.fd = watch_stdin ? STDIN_FILENO : -1, .events = POLLIN}};
        int n_ready = poll(fds, 2, tick_ms);
        ed_event event = read_event();
        if (event != ED_EVENT_NONE)
            return event;
        if ((fds[1].revents && stdin_has_ended()) || (watch_parent && getppid() != parent)) {
            watch_parent = watch_stdin = false; /* told once */
            return ED_EVENT_STOP;
        }
        if (n_ready == 0 && timeout_ms >= 0 &&
            ed_clock_ns() - began_ns >= (uint64_t)timeout_ms * 1000000)
            return ED_EVENT_NONE;
    }
}

static void on_signal(int number)
{
    (void)number;
    n_signals = n_signals + 1;
    if (n_signals > 1)
        _exit(ED_EXIT_FAILURE);
    ed_lifecycle_tell(ED_EVENT_STOP);
}

static void on_hangup(int number)
{
    (void)number;
    ed_lifecycle_tell(ED_EVENT_RELOAD);
}

static bool stdin_tells_of_parent(void)
{
    struct stat info;
    return fstat(STDIN_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

static ed_event read_event(void)
{
    char byte;
    return read(wake_fds[0], &byte, 1) == 1 ? (ed_event)byte : ED_EVENT_NONE;
}

/* What a parent writes is of no interest. */
static bool stdin_has_ended(void)
{
    char ignored[4096];
    ssize_t n = read(STDIN_FILENO, ignored, sizeof ignored);
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}
