/* In: a path, and a signal at any time. Out: the file is gone and the program ends as the signal
 * would have ended it, so that a shell sees an interrupt. The handler calls unlink and raise only.
 */
#include "cli/unfinished_file.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX ((size_t)4096)

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
static char guarded[PATH_BYTES_MAX];

static void remove_and_end(int number)
{
    unlink(guarded);
    raise(number); /* SA_RESETHAND: its own end again */
}

void ed_unfinished_file_guard(const char *path)
{
    size_t n_bytes = path ? strlen(path) + 1 : 0;
    struct sigaction action = {.sa_handler = SIG_DFL}, before;

    if (n_bytes > sizeof guarded)
        return;
    if (path) {
        memcpy(guarded, path, n_bytes);
        action.sa_handler = remove_and_end;
        action.sa_flags = (int)SA_RESETHAND;
    }
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        /* What nohup or a shell told the program to ignore stays ignored. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
}
