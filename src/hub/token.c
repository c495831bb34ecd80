/* In: variables, and a file of the user's. Out: a token or none; what it is good for the hub says.
 * Source of the places: huggingface_hub/constants.py, huggingface_hub/utils/_auth.py. */
#include "hub/token.h"

#include "base/file_map.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES_MAX ((size_t)4096)
#define PATH_BYTES_MAX  ((size_t)4096)

static const struct {
    const char *variable; /* a folder, or the file itself */
    const char *below;
} places[] = {
    {"HF_TOKEN_PATH", ""},
    {"HF_HOME", "/token"},
    {"XDG_CACHE_HOME", "/huggingface/token"},
    {"HOME", "/.cache/huggingface/token"},
};

/* "~/x" is of the user's home, as it is for huggingface_hub. */
static bool find_file(char *path)
{
    const char *home = getenv("HOME");

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = getenv(places[i].variable);
        if (!value || !value[0])
            continue;
        bool at_home = value[0] == '~' && value[1] == '/' && home;
        int n = snprintf(path, PATH_BYTES_MAX, "%s%s%s", at_home ? home : "",
                         at_home ? value + 1 : value, places[i].below);
        return n > 0 && (size_t)n < PATH_BYTES_MAX;
    }
    return false;
}

char *ed_hub_token(void)
{
    const char *given = getenv("HF_TOKEN");
    char path[PATH_BYTES_MAX];
    char *text = NULL;
    size_t n_bytes;

    if (given && given[0])
        return ed_strdup(given);
    if (!find_file(path) || ed_file_read(path, TOKEN_BYTES_MAX, &text, &n_bytes, NULL) != EMBEDD_OK)
        return NULL;
    size_t begin = strspn(text, " \t\r\n");
    size_t n = strcspn(text + begin, " \t\r\n");
    memmove(text, text + begin, n);
    text[n] = '\0';
    if (n == 0) {
        ed_free(text);
        text = NULL;
    }
    return text;
}
