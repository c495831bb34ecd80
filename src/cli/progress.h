/* Progress on standard error: a bar on a terminal, a plain line every few seconds elsewhere. */
#ifndef ED_PROGRESS_H
#define ED_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum ed_progress_style {
    ED_PROGRESS_NONE,
    ED_PROGRESS_BAR,  /* redrawn in place */
    ED_PROGRESS_LINES /* for logs */
} ed_progress_style;

/* What is counted: "12.3/90.9 MB" or "1,200 texts". */
typedef enum ed_progress_unit { ED_PROGRESS_BYTES, ED_PROGRESS_TEXTS } ed_progress_unit;

typedef struct ed_progress {
    ed_progress_style style;
    ed_progress_unit unit;
    char label[64];
    double fraction; /* done, 0 .. 1; < 0 = not known */
    uint64_t n_done;
    uint64_t n_total;  /* 0 = not known */
    uint64_t n_before; /* done before the clock started: not counted in the rate */
    uint64_t n_tokens; /* 0 = not shown */
    uint64_t start_ns;
    uint64_t shown_ns; /* when it was drawn last */
    bool drawn;        /* there is a bar on the line */
} ed_progress;

/* `given` and `on` are the --progress switch: without it a bar where standard error is a terminal,
 * and otherwise lines if lines_by_default. */
ed_progress_style ed_progress_choose(bool given, bool on, bool lines_by_default);

void ed_progress_start(ed_progress *progress, ed_progress_style style, ed_progress_unit unit,
                       const char *label, uint64_t n_before, uint64_t n_total);
/* Draws if it is time to. `fraction` < 0 = n_done of n_total. */
void ed_progress_update(ed_progress *progress, uint64_t n_done, uint64_t n_tokens, double fraction);
/* Draws the end, then a line break. */
void ed_progress_finish(ed_progress *progress);
/* Removes the bar, before something else is printed; the next update draws it again. */
void ed_progress_hide(ed_progress *progress);

/* "90.9 MB", "612 B": at most 15 characters and the NUL. */
void ed_size_text(uint64_t n_bytes, char out[16]);

#endif
