/* In: a name or a path, and the environment. Out: a folder or GGUF file, or the list of all. It
 * reads folders and creates nothing, and no part of a name reaches a path before it was checked. */
#include "formats/model_store.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/gguf.h"
#include "formats/hugging_face_cache.h"
#include "formats/model_folder.h"
#include "formats/ollama_store.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_OWNER   "sentence-transformers"
#define LIST_MODELS_MAX ((size_t)10000)

static embedd_status find_in_ollama(const char *name, char **blob, embedd_error *err);
static bool find_without_owner(const char *name, const char *full_name, char **folder);
static embedd_status fail_not_found(const char *name, const char *full_name, embedd_error *err);

/* ---- names ----------------------------------------------------------------------------------- */

embedd_status ed_model_store_full_name(const char *name, char **full_name, embedd_error *err)
{
    if (!ed_model_name_is_valid(name))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "'%s' is no model name; a name is ORG/NAME in letters, digits, '-', '_' "
                       "and '.'",
                       name);
    *full_name = strchr(name, '/') ? ed_strdup(name) : ed_new_path("%s/%s", DEFAULT_OWNER, name);
    return *full_name ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
}

/* ---- finding one ----------------------------------------------------------------------------- */

embedd_status ed_model_store_find(const char *name, char **folder, embedd_error *err)
{
    char *full_name = NULL;
    embedd_status status;

    *folder = NULL;
    if (ed_folder_exists(name) || ed_gguf_is(name)) {
        *folder = ed_strdup(name);
        return *folder ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    if (ed_file_exists(name))
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: neither a folder nor a GGUF file", name);
    if (strncmp(name, ED_OLLAMA_PREFIX, strlen(ED_OLLAMA_PREFIX)) == 0)
        return find_in_ollama(name + strlen(ED_OLLAMA_PREFIX), folder, err);
    if (!ed_model_name_is_valid(name) && find_in_ollama(name, folder, NULL) == EMBEDD_OK)
        return EMBEDD_OK; /* "nomic-embed-text:v1.5" */
    if (!ed_model_name_is_valid(name))
        return ed_fail(err, EMBEDD_NOT_FOUND, "%s: no such folder", name);
    status = ed_model_store_full_name(name, &full_name, err);
    if (status != EMBEDD_OK)
        return status;
    if (!ed_model_store_find_pulled(full_name, folder) &&
        !find_without_owner(name, full_name, folder) &&
        find_in_ollama(name, folder, NULL) != EMBEDD_OK)
        status = fail_not_found(name, full_name, err);
    ed_free(full_name);
    return status;
}

bool ed_model_store_find_pulled(const char *full_name, char **folder)
{
    char *store = ed_model_store_root();
    char *found = store ? ed_path_join(store, full_name) : NULL;
    size_t n_bytes;

    if (found && !ed_model_folder_measure(found, &n_bytes)) {
        ed_free(found);
        found = NULL;
    }
    if (!found) {
        char *cache = ed_hugging_face_cache_root();
        found = cache ? ed_hugging_face_cache_find(cache, full_name) : NULL;
        ed_free(cache);
    }
    *folder = found;
    ed_free(store);
    return found != NULL;
}

/* Old names such as bert-base-uncased. */
static bool find_without_owner(const char *name, const char *full_name, char **folder)
{
    char *cache = strcmp(full_name, name) != 0 ? ed_hugging_face_cache_root() : NULL;

    if (cache)
        *folder = ed_hugging_face_cache_find(cache, name);
    ed_free(cache);
    return *folder != NULL;
}

static embedd_status find_in_ollama(const char *name, char **blob, embedd_error *err)
{
    char *root = ed_ollama_store_root();
    embedd_status status =
        root ? ed_ollama_store_find(root, name, blob, err)
             : ed_fail(err, EMBEDD_NOT_FOUND, "there is no Ollama's store: $HOME is not set");

    ed_free(root);
    return status;
}

static embedd_status fail_not_found(const char *name, const char *full_name, embedd_error *err)
{
    char *store = ed_model_store_root();
    char *cache = ed_hugging_face_cache_root();
    embedd_status status =
        ed_fail(err, EMBEDD_NOT_FOUND,
                "there is no model %s: no folder of that name here, not in %s, not in %s; "
                "get it with: embedd pull %s",
                name, store ? store : "embedd's store ($HOME is not set)",
                cache ? cache : "the Hugging Face cache", full_name);

    ed_free(store);
    ed_free(cache);
    return status;
}

/* ---- where to look --------------------------------------------------------------------------- */

char *ed_model_store_root(void)
{
    char *root = ed_path_variable("EMBEDD_MODELS", NULL);
    if (!root)
        root = ed_path_variable("XDG_DATA_HOME", "embedd/models");
    if (!root)
        root = ed_path_variable("HOME", ".local/share/embedd/models");
    return root;
}

char *ed_model_cache_root(void)
{
    char *root = ed_path_variable("XDG_CACHE_HOME", "embedd/packed");

    return root ? root : ed_path_variable("HOME", ".cache/embedd/packed");
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
    size_t n_bytes;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *folder = ed_path_join(path, entry->d_name);
        /* An unfinished download has a name that no model can have: org/.name.partial. */
        if (folder && ed_model_name_part_is_valid(entry->d_name, strlen(entry->d_name)) &&
            ed_model_folder_measure(folder, &n_bytes)) {
            add_model(list, ed_new_path("%s/%s", owner, entry->d_name), folder, "embedd", n_bytes);
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
        if (ed_model_name_part_is_valid(entry->d_name, strlen(entry->d_name)))
            list_owner(list, root, entry->d_name);
    if (dir)
        closedir(dir);
}

static void list_cache(model_list *list, const char *root)
{
    DIR *dir = root ? opendir(root) : NULL;
    struct dirent *entry;
    size_t n_bytes;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *name = ed_hugging_face_cache_name(entry->d_name);
        char *folder = name ? ed_hugging_face_cache_snapshot(root, entry->d_name) : NULL;
        if (folder && ed_model_folder_measure(folder, &n_bytes)) {
            add_model(list, name, folder, "huggingface", n_bytes);
        } else {
            ed_free(name);
            ed_free(folder);
        }
    }
    if (dir)
        closedir(dir);
}

static void add_ollama_model(void *context, char *name, char *blob, size_t n_bytes)
{
    add_model(context, name, blob, "ollama", n_bytes);
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
    char *cache = ed_hugging_face_cache_root();
    char *ollama = ed_ollama_store_root();

    list_store(&list, store);
    list_cache(&list, cache);
    if (ollama)
        ed_ollama_store_each(ollama, &list, add_ollama_model);
    ed_free(store);
    ed_free(cache);
    ed_free(ollama);
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
