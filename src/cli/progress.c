/* In: how much is done. Out: a line on standard error, never more often than the eye or a log
 * needs, and never wider than the terminal. */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_PERIOD_NS    100000000ull
#define LINES_PERIOD_NS  5000000000ull
#define BAR_CELLS        16
#define RATE_SECONDS_MIN 0.5 /* below it a rate is noise */
#define COLUMNS_DEFAULT  80
#define LINE_BYTES_MAX   ((size_t)1024)

ed_progress_style ed_progress_choose(bool given, bool on, bool lines_by_default)
{
    if (given && !on)
        return ED_PROGRESS_NONE;
    if (isatty(STDERR_FILENO))
        return ED_PROGRESS_BAR;
    return given || lines_by_default ? ED_PROGRESS_LINES : ED_PROGRESS_NONE;
}

void ed_progress_start(ed_progress *progress, ed_progress_style style, ed_progress_unit unit,
                       const char *label, uint64_t n_before, uint64_t n_total)
{
    *progress = (ed_progress){.style = style,
                              .unit = unit,
                              .fraction = -1,
                              .n_done = n_before,
                              .n_before = n_before,
                              .n_total = n_total,
                              .start_ns = ed_clock_ns()};
    progress->shown_ns = progress->start_ns;
    snprintf(progress->label, sizeof progress->label, "%s", label);
}

void ed_size_text(uint64_t n_bytes, char out[16])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double size = (double)n_bytes;
    int unit = -1;

    while (size >= 999.95 && unit < 3) {
        size /= 1000;
        unit++;
    }
    if (unit < 0)
        snprintf(out, 16, "%" PRIu64 " B", n_bytes);
    else
        snprintf(out, 16, "%.1f %s", size, units[unit]);
}

/* 1234567 -> "1,234,567". */
static void count_text(uint64_t n, char out[32])
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%" PRIu64, n);
    int n_out = 0;

    for (int i = 0; i < n_digits; i++) {
        if (i > 0 && (n_digits - i) % 3 == 0)
            out[n_out++] = ',';
        out[n_out++] = digits[i];
    }
    out[n_out] = '\0';
}

/* 75 -> "1:15"; 4000 -> "1:06:40". */
static void time_text(double seconds, char out[24])
{
    unsigned long s = seconds < 0 || seconds > 3600000 ? 3600000 : (unsigned long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(out, 24, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 24, "%lu:%02lu", s / 60, s % 60);
}

static size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return COLUMNS_DEFAULT;
}

/* What an earlier run did took none of these seconds. */
static double seconds_left(const ed_progress *progress, double fraction, double seconds)
{
    uint64_t n_new = progress->n_done - progress->n_before;

    if (progress->n_before > 0 && progress->n_total > progress->n_done && n_new > 0)
        return seconds * (double)(progress->n_total - progress->n_done) / (double)n_new;
    return seconds * (1 - fraction) / fraction;
}

/* "model.safetensors  42% [#######         ] 38.1 MB of 90.9 MB, 12.3 MB/s, 0:04 left" */
static void compose(const ed_progress *progress, bool end, ed_buf *line)
{
    double seconds = (double)(ed_clock_ns() - progress->start_ns) / 1e9;
    double rate = seconds > 0 ? (double)(progress->n_done - progress->n_before) / seconds : 0;
    double fraction = end ? -1 : progress->fraction;
    char done[32], total[32], speed[16], time[24];

    if (fraction < 0 && !end && progress->n_total > 0)
        fraction = (double)progress->n_done / (double)progress->n_total;
    if (fraction > 1)
        fraction = 1;
    ed_buf_printf(line, "%s ", progress->label);
    if (fraction >= 0)
        ed_buf_printf(line, "%3.0f%% ", 100 * fraction);
    if (fraction >= 0 && progress->style == ED_PROGRESS_BAR) {
        int cells = (int)(fraction * BAR_CELLS + 0.5);
        ed_buf_printf(line, "[%.*s%*s] ", cells, "################", BAR_CELLS - cells, "");
    }
    if (progress->unit == ED_PROGRESS_BYTES) {
        ed_size_text(progress->n_done, done);
        ed_size_text(progress->n_total, total);
        ed_size_text((uint64_t)rate, speed);
        ed_buf_printf(line, "%s%s%s", done, end ? "" : " of ", end ? "" : total);
        if (seconds >= RATE_SECONDS_MIN)
            ed_buf_printf(line, ", %s/s", speed);
    } else {
        count_text(progress->n_done, done);
        ed_buf_printf(line, "%s text%s", done, progress->n_done == 1 ? "" : "s");
        if (seconds >= RATE_SECONDS_MIN)
            ed_buf_printf(line, ", %.*f texts/s", rate < 10 ? 1 : 0, rate);
    }
    if (seconds >= RATE_SECONDS_MIN && end) {
        time_text(seconds, time);
        ed_buf_printf(line, ", in %s", time);
    } else if (seconds >= RATE_SECONDS_MIN && fraction > 0 && fraction < 1) {
        time_text(seconds_left(progress, fraction, seconds), time);
        ed_buf_printf(line, ", %s left", time);
    }
    if (progress->n_tokens > 0) {
        count_text(progress->n_tokens, done);
        ed_buf_printf(line, ", %s tokens", done);
    }
}

static void draw(ed_progress *progress, bool end)
{
    ed_buf line;

    ed_buf_init(&line, LINE_BYTES_MAX);
    compose(progress, end, &line);
    if (progress->style == ED_PROGRESS_BAR) {
        size_t columns = terminal_columns();
        size_t n = line.n_bytes < columns ? line.n_bytes : columns - 1;
        fprintf(stderr, "\r%.*s\033[K", (int)n, line.data ? line.data : "");
        fflush(stderr);
        progress->drawn = true;
    } else {
        fprintf(stderr, "%.*s\n", (int)line.n_bytes, line.data ? line.data : "");
    }
    ed_buf_clear(&line);
    progress->shown_ns = ed_clock_ns();
}

void ed_progress_update(ed_progress *progress, uint64_t n_done, uint64_t n_tokens, double fraction)
{
    uint64_t period = progress->style == ED_PROGRESS_BAR ? BAR_PERIOD_NS : LINES_PERIOD_NS;

    if (n_done < progress->n_before) { /* it began again */
        progress->n_before = 0;
        progress->start_ns = ed_clock_ns();
    }
    progress->n_done = n_done;
    progress->n_tokens = n_tokens;
    progress->fraction = fraction;
    if (progress->style != ED_PROGRESS_NONE && ed_clock_ns() - progress->shown_ns >= period)
        draw(progress, false);
}

void ed_progress_finish(ed_progress *progress)
{
    if (progress->style == ED_PROGRESS_NONE)
        return;
    draw(progress, true);
    if (progress->style == ED_PROGRESS_BAR)
        fputc('\n', stderr);
    progress->drawn = false;
}

void ed_progress_hide(ed_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
