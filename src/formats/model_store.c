/* In: a name or a path, and the environment. Out: a folder, or the list of all. It reads folders
 * and creates nothing, and no part of a name reaches a path before it was checked. */
#include "formats/model_store.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES_MAX  ((size_t)8192)
#define NAME_BYTES_MAX  96 /* the hub's limit for "org/name" */
#define DEFAULT_OWNER   "sentence-transformers"
#define CACHE_PREFIX    "models--"
#define REF_BYTES_MAX   ((size_t)128)
#define LIST_MODELS_MAX ((size_t)10000)

typedef struct folder_size {
    size_t n_bytes;
    bool has_weights; /* *.safetensors at the top or in a module's folder */
} folder_size;

static char *cache_root(void);
static char *cache_snapshot(const char *root, const char *name);
static bool is_usable(const char *folder, folder_size *size);
static embedd_status fail_not_found(const char *name, const char *full_name, const char *store,
                                    const char *cache, embedd_error *err);

/* printf into new memory; NULL if out of memory or longer than any path. */
static char *new_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- names ----------------------------------------------------------------------------------- */

/* The hub's rules for one part of a name: letters, digits, '-', '_', '.', but no '-' or '.' at the
 * ends and neither ".." nor "--" (the cache's separator). */
static bool is_name_part(const char *part, size_t n)
{
    if (n == 0 || part[0] == '-' || part[0] == '.' || part[n - 1] == '-' || part[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = part[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '_' && c != '.')
            return false;
        if (i > 0 && (c == '.' || c == '-') && part[i - 1] == c)
            return false;
    }
    return true;
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    size_t n_owner = strcspn(name, "/");

    if (n > NAME_BYTES_MAX)
        return false;
    if (n_owner == n)
        return is_name_part(name, n);
    return is_name_part(name, n_owner) && is_name_part(name + n_owner + 1, n - n_owner - 1);
}

embedd_status ed_model_store_full_name(const char *name, char **full_name, embedd_error *err)
{
    if (!is_name(name))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "'%s' is no model name; a name is ORG/NAME in letters, digits, '-', '_' "
                       "and '.'",
                       name);
    *full_name = strchr(name, '/') ? ed_strdup(name) : new_path("%s/%s", DEFAULT_OWNER, name);
    return *full_name ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
}

/* ---- finding one ----------------------------------------------------------------------------- */

embedd_status ed_model_store_find(const char *name, char **folder, embedd_error *err)
{
    char *full_name = NULL;
    char *store = NULL;
    char *cache = NULL;
    char *found = NULL;
    folder_size size;
    embedd_status status;

    *folder = NULL;
    if (ed_folder_exists(name)) {
        *folder = ed_strdup(name);
        return *folder ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    if (!is_name(name))
        return ed_fail(err, EMBEDD_NOT_FOUND, "%s: no such folder", name);
    status = ed_model_store_full_name(name, &full_name, err);
    if (status != EMBEDD_OK)
        return status;
    store = ed_model_store_root();
    cache = cache_root();
    if (store)
        found = ed_path_join(store, full_name);
    if (found && !is_usable(found, &size)) {
        ed_free(found);
        found = NULL;
    }
    if (!found && cache)
        found = cache_snapshot(cache, full_name);
    if (!found && cache && strcmp(full_name, name) != 0)
        found = cache_snapshot(cache, name); /* such as bert-base-uncased, which has no owner */
    if (!found)
        status = fail_not_found(name, full_name, store, cache, err);
    *folder = found;
    ed_free(full_name);
    ed_free(store);
    ed_free(cache);
    return status;
}

static embedd_status fail_not_found(const char *name, const char *full_name, const char *store,
                                    const char *cache, embedd_error *err)
{
    return ed_fail(err, EMBEDD_NOT_FOUND,
                   "there is no model %s: no folder of that name here, not in %s, not in %s; "
                   "get it with: embedd pull %s",
                   name, store ? store : "embedd's store ($HOME is not set)",
                   cache ? cache : "the Hugging Face cache", full_name);
}

/* ---- where to look --------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* "~/x" as the hub's own tools read it. */
static char *expand_home(const char *path)
{
    const char *home = variable("HOME");
    if (path[0] == '~' && path[1] == '/' && home)
        return ed_path_join(home, path + 2);
    return ed_strdup(path);
}

char *ed_model_store_root(void)
{
    if (variable("EMBEDD_MODELS"))
        return expand_home(variable("EMBEDD_MODELS"));
    if (variable("XDG_DATA_HOME"))
        return ed_path_join(variable("XDG_DATA_HOME"), "embedd/models");
    if (variable("HOME"))
        return ed_path_join(variable("HOME"), ".local/share/embedd/models");
    return NULL;
}

/* Source: huggingface_hub/constants.py. */
static char *cache_root(void)
{
    const char *direct = variable("HF_HUB_CACHE");
    if (!direct)
        direct = variable("HUGGINGFACE_HUB_CACHE"); /* its older name */
    if (direct)
        return expand_home(direct);
    if (variable("HF_HOME")) {
        char *home = expand_home(variable("HF_HOME"));
        char *root = home ? ed_path_join(home, "hub") : NULL;
        ed_free(home);
        return root;
    }
    if (variable("XDG_CACHE_HOME"))
        return ed_path_join(variable("XDG_CACHE_HOME"), "huggingface/hub");
    return variable("HOME") ? ed_path_join(variable("HOME"), ".cache/huggingface/hub") : NULL;
}

static char *new_path(const char *format, ...)
{
    char text[PATH_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return n >= 0 && (size_t)n < sizeof text ? ed_strdup(text) : NULL;
}

/* ---- what is in a folder --------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* Adds up the files of `folder` and of `levels` levels of folders in it. */
static void measure_folder(const char *folder, int levels, folder_size *size)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat info;

    while (dir && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        char *path = name[0] == '.' ? NULL : ed_path_join(folder, name);
        if (path && stat(path, &info) == 0) {
            if (S_ISDIR(info.st_mode) && levels > 0) {
                measure_folder(path, levels - 1, size);
            } else if (S_ISREG(info.st_mode)) {
                size->n_bytes += (size_t)info.st_size;
                size->has_weights |= ends_in(name, ".safetensors");
            }
        }
        ed_free(path);
    }
    if (dir)
        closedir(dir);
}

static bool has_file(const char *folder, const char *name)
{
    char *path = ed_path_join(folder, name);
    bool has = path && ed_file_exists(path);
    ed_free(path);
    return has;
}

/* A download that was cut, or one with other weights only, is no model yet. */
static bool is_usable(const char *folder, folder_size *size)
{
    *size = (folder_size){0};
    if (!has_file(folder, "config.json") && !has_file(folder, "modules.json"))
        return false;
    measure_folder(folder, 1, size);
    return size->has_weights;
}

/* ---- the Hugging Face cache ------------------------------------------------------------------ */

/* The commit that refs/main names, or NULL. */
static char *read_main_ref(const char *root, const char *entry)
{
    char *path = new_path("%s/%s/refs/main", root, entry);
    char *text = NULL;
    size_t n_bytes;

    if (path && ed_file_read(path, REF_BYTES_MAX, &text, &n_bytes, NULL) == EMBEDD_OK)
        text[strcspn(text, " \r\n")] = '\0';
    ed_free(path);
    if (text && !is_name_part(text, strlen(text))) {
        ed_free(text);
        text = NULL;
    }
    return text;
}

/* models--org--name/snapshots/COMMIT of the folder `entry` in the cache: refs/main's, else the one
 * that was changed last. */
static char *entry_snapshot(const char *root, const char *entry)
{
    char *commit = read_main_ref(root, entry);
    char *best = commit ? new_path("%s/%s/snapshots/%s", root, entry, commit) : NULL;
    char *snapshots = new_path("%s/%s/snapshots", root, entry);
    DIR *dir = NULL;
    struct dirent *item;
    struct stat info;
    time_t newest = 0;
    folder_size size;

    if (best && is_usable(best, &size))
        goto done;
    ed_free(best);
    best = NULL;
    dir = snapshots ? opendir(snapshots) : NULL;
    while (dir && (item = readdir(dir)) != NULL) {
        char *path = item->d_name[0] == '.' ? NULL : ed_path_join(snapshots, item->d_name);
        if (path && stat(path, &info) == 0 && (!best || info.st_mtime > newest) &&
            is_usable(path, &size)) {
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

static char *cache_snapshot(const char *root, const char *name)
{
    size_t n_owner = strcspn(name, "/");
    char *entry = name[n_owner]
                      ? new_path(CACHE_PREFIX "%.*s--%s", (int)n_owner, name, name + n_owner + 1)
                      : new_path(CACHE_PREFIX "%s", name);
    char *snapshot = entry ? entry_snapshot(root, entry) : NULL;
    ed_free(entry);
    return snapshot;
}

/* "models--org--name" -> "org/name" in new memory, or NULL if it is none. */
static char *entry_name(const char *entry)
{
    if (strncmp(entry, CACHE_PREFIX, strlen(CACHE_PREFIX)) != 0)
        return NULL;
    entry += strlen(CACHE_PREFIX);
    const char *separator = strstr(entry, "--");
    char *name = separator ? new_path("%.*s/%s", (int)(separator - entry), entry, separator + 2)
                           : ed_strdup(entry);
    if (name && !is_name(name)) {
        ed_free(name);
        name = NULL;
    }
    return name;
}

/* ---- listing --------------------------------------------------------------------------------- */

typedef struct model_list {
    ed_stored_model *models;
    size_t n_models;
    size_t cap;
    bool no_memory;
} model_list;

/* Takes name and folder, which may be NULL. */
static void add_model(model_list *list, char *name, char *folder, const char *source,
                      size_t n_bytes)
{
    char *source_copy = ed_strdup(source);

    if (list->n_models == list->cap && list->n_models < LIST_MODELS_MAX) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        ed_stored_model *grown = ed_realloc(list->models, cap, sizeof *grown);
        if (grown) {
            list->models = grown;
            list->cap = cap;
        }
    }
    if (name && folder && source_copy && list->n_models < list->cap) {
        list->models[list->n_models++] = (ed_stored_model){name, folder, source_copy, n_bytes};
        return;
    }
    list->no_memory = true;
    ed_free(name);
    ed_free(folder);
    ed_free(source_copy);
}

static void list_owner(model_list *list, const char *root, const char *owner)
{
    char *path = ed_path_join(root, owner);
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *entry;
    folder_size size;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *folder = ed_path_join(path, entry->d_name);
        /* An unfinished download has a name that no model can have: org/.name.partial. */
        if (folder && is_name_part(entry->d_name, strlen(entry->d_name)) &&
            is_usable(folder, &size)) {
            add_model(list, new_path("%s/%s", owner, entry->d_name), folder, "embedd",
                      size.n_bytes);
            folder = NULL;
        }
        ed_free(folder);
    }
    if (dir)
        closedir(dir);
    ed_free(path);
}

static void list_store(model_list *list, const char *root)
{
    DIR *dir = root ? opendir(root) : NULL;
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL)
        if (is_name_part(entry->d_name, strlen(entry->d_name)))
            list_owner(list, root, entry->d_name);
    if (dir)
        closedir(dir);
}

static void list_cache(model_list *list, const char *root)
{
    DIR *dir = root ? opendir(root) : NULL;
    struct dirent *entry;
    folder_size size;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *name = entry_name(entry->d_name);
        char *folder = name ? entry_snapshot(root, entry->d_name) : NULL;
        if (folder && is_usable(folder, &size)) {
            add_model(list, name, folder, "huggingface", size.n_bytes);
        } else {
            ed_free(name);
            ed_free(folder);
        }
    }
    if (dir)
        closedir(dir);
}

/* By name; of two with one name the one that find takes comes first. */
static int compare_models(const void *a, const void *b)
{
    const ed_stored_model *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->source, y->source);
}

embedd_status ed_model_store_list(ed_stored_model **out, size_t *n_out, embedd_error *err)
{
    model_list list = {0};
    char *store = ed_model_store_root();
    char *cache = cache_root();

    list_store(&list, store);
    list_cache(&list, cache);
    ed_free(store);
    ed_free(cache);
    if (list.no_memory) {
        ed_model_store_free_list(list.models, list.n_models);
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    if (list.n_models > 0)
        qsort(list.models, list.n_models, sizeof *list.models, compare_models);
    *out = list.models;
    *n_out = list.n_models;
    return EMBEDD_OK;
}

void ed_model_store_free_list(ed_stored_model *models, size_t n_models)
{
    for (size_t i = 0; i < n_models; i++) {
        ed_free(models[i].name);
        ed_free(models[i].folder);
        ed_free(models[i].source);
    }
    ed_free(models);
}
