/* In: the cache as huggingface_hub lays it out. Out: folders of models. Reads only. */
#include "formats/hugging_face_cache.h"

#include "base/file_map.h"
#include "base/memory.h"
#include "formats/model_folder.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PREFIX        "models--"
#define REF_BYTES_MAX ((size_t)128)

/* Source: huggingface_hub/constants.py; HUGGINGFACE_HUB_CACHE is the older name. */
char *ed_hugging_face_cache_root(void)
{
    static const struct {
        const char *variable;
        const char *below;
    } places[] = {{"HF_HUB_CACHE", NULL},
                  {"HUGGINGFACE_HUB_CACHE", NULL},
                  {"HF_HOME", "hub"},
                  {"XDG_CACHE_HOME", "huggingface/hub"},
                  {"HOME", ".cache/huggingface/hub"}};
    char *root = NULL;

    for (size_t i = 0; !root && i < sizeof places / sizeof places[0]; i++)
        root = ed_path_variable(places[i].variable, places[i].below);
    return root;
}

/* The commit that refs/main names, or NULL. */
static char *read_main_ref(const char *root, const char *entry)
{
    char *path = ed_new_path("%s/%s/refs/main", root, entry);
    char *text = NULL;
    size_t n_bytes;

    if (path && ed_file_read(path, REF_BYTES_MAX, &text, &n_bytes, NULL) == EMBEDD_OK)
        text[strcspn(text, " \r\n")] = '\0';
    ed_free(path);
    if (text && !ed_model_name_part_is_valid(text, strlen(text))) {
        ed_free(text);
        text = NULL;
    }
    return text;
}

char *ed_hugging_face_cache_snapshot(const char *root, const char *entry)
{
    char *commit = read_main_ref(root, entry);
    char *best = commit ? ed_new_path("%s/%s/snapshots/%s", root, entry, commit) : NULL;
    char *snapshots = ed_new_path("%s/%s/snapshots", root, entry);
    DIR *dir = NULL;
    struct dirent *item;
    struct stat info;
    time_t newest = 0;
    size_t n_bytes;

    if (best && ed_model_folder_measure(best, &n_bytes))
        goto done;
    ed_free(best);
    best = NULL;
    dir = snapshots ? opendir(snapshots) : NULL;
    while (dir && (item = readdir(dir)) != NULL) {
        char *path = item->d_name[0] == '.' ? NULL : ed_path_join(snapshots, item->d_name);
        if (path && stat(path, &info) == 0 && (!best || info.st_mtime > newest) &&
            ed_model_folder_measure(path, &n_bytes)) {
            ed_free(best);
            best = path;
            path = NULL;
            newest = info.st_mtime;
        }
        ed_free(path);
    }
done:
    if (dir)
        closedir(dir);
    ed_free(snapshots);
    ed_free(commit);
    return best;
}

char *ed_hugging_face_cache_find(const char *root, const char *name)
{
    size_t n_owner = strcspn(name, "/");
    char *entry = name[n_owner]
                      ? ed_new_path(PREFIX "%.*s--%s", (int)n_owner, name, name + n_owner + 1)
                      : ed_new_path(PREFIX "%s", name);
    char *snapshot = entry ? ed_hugging_face_cache_snapshot(root, entry) : NULL;
    ed_free(entry);
    return snapshot;
}

char *ed_hugging_face_cache_name(const char *entry)
{
    if (strncmp(entry, PREFIX, strlen(PREFIX)) != 0)
        return NULL;
    entry += strlen(PREFIX);
    const char *separator = strstr(entry, "--");
    char *name = separator ? ed_new_path("%.*s/%s", (int)(separator - entry), entry, separator + 2)
                           : ed_strdup(entry);
    if (name && !ed_model_name_is_valid(name)) {
        ed_free(name);
        name = NULL;
    }
    return name;
}
