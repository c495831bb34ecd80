/* In: a sentence. Out: a line on standard error, or one more dropped. Never blocks, and never makes
 * standard error non-blocking: other processes share that setting. */
#include "server/log.h"

#include "base/memory.h"
#include "server/json_text.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024 /* a pipe takes so much whole, or none of it */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool as_json;
static unsigned long n_dropped;

static bool write_line(ed_log_level level, const char *sentence);
static bool write_now(const ed_buf *line);

void ed_log_init(bool json)
{
    pthread_mutex_lock(&mutex);
    as_json = json;
    pthread_mutex_unlock(&mutex);
}

void ed_log(ed_log_level level, const char *format, ...)
{
    char sentence[LINE_BYTES_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);

    pthread_mutex_lock(&mutex);
    if (n_dropped > 0) {
        char note[64];
        snprintf(note, sizeof note, "%lu log lines were dropped", n_dropped);
        if (write_line(ED_LOG_WARNING, note))
            n_dropped = 0;
    }
    if (!write_line(level, sentence))
        n_dropped++;
    pthread_mutex_unlock(&mutex);
}

static bool write_line(ed_log_level level, const char *sentence)
{
    static const char *const names[] = {"info", "warning", "error"};
    struct timespec now;
    struct tm utc;
    char stamp[32];
    ed_buf line;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    ed_buf_init(&line, 8 * LINE_BYTES_MAX);
    if (as_json) {
        ed_buf_printf(&line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":", stamp,
                      now.tv_nsec / 1000000, names[level]);
        ed_json_text_string(&line, sentence, strlen(sentence));
        ed_buf_append_text(&line, "}\n");
    } else {
        ed_buf_printf(&line, "%s.%03ldZ embedd %s: %s\n", stamp, now.tv_nsec / 1000000,
                      names[level], sentence);
    }
    bool written = !line.failed && write_now(&line);
    ed_buf_clear(&line);
    return written;
}

/* "Ready" means a pipe has room for a line of this size. A file is always ready. */
static bool write_now(const ed_buf *line)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT) || (out.revents & (POLLERR | POLLHUP)))
        return false;
    return write(STDERR_FILENO, line->data, line->n_bytes) == (ssize_t)line->n_bytes;
}
