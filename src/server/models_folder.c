/* In: a folder of models. Out: their names and paths. A model that is corrupt is found, too: its
 * requests are told why. */
#include "server/models_folder.h"

#include "base/file_map.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 2 /* ORG/NAME */

typedef struct scan {
    bool (*found)(void *context, const char *id, const char *path);
    void *context;
} scan;

static bool scan_level(const scan *s, const char *folder, const char *prefix, int depth);
static bool look_at(const scan *s, const char *path, const char *id, int depth);
static int order(const struct dirent **a, const struct dirent **b);

bool ed_models_folder_scan(const char *folder,
                           bool (*found)(void *context, const char *id, const char *path),
                           void *context)
{
    const scan s = {found, context};
    return scan_level(&s, folder, "", 1);
}

/* Two levels at most call each other. */
static bool scan_level(const scan *s, const char *folder, const char *prefix, int depth)
{
    struct dirent **entries = NULL;
    int n_entries = scandir(folder, &entries, NULL, order);
    bool ok = n_entries >= 0;
    for (int i = 0; i < n_entries; i++) {
        const char *name = entries[i]->d_name;
        if (ok && name[0] != '.') {
            char *path = ed_path_join(folder, name);
            char *id = *prefix ? ed_path_join(prefix, name) : ed_strdup(name);
            ok = path && id && look_at(s, path, id, depth);
            ed_free(path);
            ed_free(id);
        }
        ed_free(entries[i]);
    }
    ed_free(entries);
    return ok;
}

static bool look_at(const scan *s, const char *path, const char *id, int depth)
{
    size_t n = strlen(id);
    if (!ed_folder_exists(path)) {
        if (n <= 5 || strcmp(id + n - 5, ".gguf") != 0 || !ed_file_exists(path))
            return true;
        char *bare = ed_strndup(id, n - 5);
        bool ok = bare && s->found(s->context, bare, path);
        ed_free(bare);
        return ok;
    }
    char *config = ed_path_join(path, "config.json");
    bool is_model = config && ed_file_exists(config);
    ed_free(config);
    if (is_model)
        return s->found(s->context, id, path);
    if (depth < DEPTH_MAX)
        (void)scan_level(s, path, id, depth + 1);
    return true;
}

static int order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}
