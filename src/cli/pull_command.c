/* embedd pull: shows what the hub's download does. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/progress.h"
#include "hub/hub.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

typedef struct display {
    ed_progress_style style;
    ed_progress progress;
    char file[256]; /* whose progress is shown */
    bool open;      /* it is not finished */
} display;

/* A file's first call starts its bar, the last ends it. One that was whole before is not shown. */
static void show_progress(void *context, const char *file, const char *digest, uint64_t n_done,
                          uint64_t n_bytes)
{
    display *shown = context;

    (void)digest;

    if (strcmp(shown->file, file) != 0) {
        snprintf(shown->file, sizeof shown->file, "%s", file);
        ed_progress_start(&shown->progress, shown->style, ED_PROGRESS_BYTES, file, n_done, n_bytes);
        shown->open = n_done < n_bytes;
    }
    if (!shown->open)
        return;
    ed_progress_update(&shown->progress, n_done, 0, -1);
    if (n_done == n_bytes) {
        ed_progress_finish(&shown->progress);
        shown->open = false;
    }
}

static void show_note(void *context, const char *sentence)
{
    display *shown = context;

    if (shown->style == ED_PROGRESS_NONE)
        return;
    ed_progress_hide(&shown->progress);
    fprintf(stderr, "embedd: %s\n", sentence);
}

int ed_command_pull(const ed_arguments *arguments)
{
    const ed_value *progress = &arguments->values[ED_OPTION_PROGRESS];
    display shown = {.style = ed_progress_choose(progress->given, progress->on, true)};
    ed_hub_watcher watcher = {.context = &shown, .progress = show_progress, .note = show_note};
    ed_hub_result result;
    embedd_error err;
    char size[16];

    if (arguments->n_operands == 0) {
        ed_fail(&err, EMBEDD_ARGUMENT, "say which model: embedd pull ORG/NAME");
        return ed_complain(&err);
    }
    embedd_status status = ed_hub_pull(arguments->operands[0], NULL, &watcher, &result, &err);
    ed_progress_hide(&shown.progress);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    ed_size_text(result.n_bytes, size);
    if (result.already_here)
        printf("%s is already here: %s\n", arguments->operands[0], result.folder);
    else
        printf("%s is here: %s (%zu files, %s)\n", arguments->operands[0], result.folder,
               result.n_files, size);
    ed_hub_result_clear(&result);
    return ED_EXIT_OK;
}
