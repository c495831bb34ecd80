/* In: a model folder. Out: its tensors, found by name, read as float32. Never opens a file outside
 * the folder, never keeps a tensor whose bytes are not all there. */
#include "formats/tensors.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "formats/safetensors.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_BYTES_MAX ((size_t)16 << 20)

struct ed_tensors {
    ed_tensor *tensors; /* [n_tensors], sorted by name */
    size_t n_tensors;
    ed_safetensors *files; /* [n_files]; own the names and the bytes */
    size_t n_files;
    const ed_file_map *viewed; /* of open_views, the caller's */
    char *names;               /* of open_views */
};

/* One line of the index; the strings belong to the JSON tree. */
typedef struct index_entry {
    const char *tensor;
    const char *shard;
} index_entry;

static embedd_status open_index(ed_tensors **out, const char *folder, const char *path,
                                embedd_error *err);
static embedd_status read_entries(struct json_object *map, const char *path, index_entry *entries,
                                  embedd_error *err);
static embedd_status open_shards(ed_tensors *tensors, const char *folder, const char *path,
                                 const index_entry *entries, size_t n_entries, embedd_error *err);
static embedd_status gather(ed_tensors *tensors, const char *where, embedd_error *err);
static embedd_status sort(ed_tensors *tensors, const char *where, embedd_error *err);
static const ed_tensor *find(const ed_tensor *tensors, size_t n_tensors, const char *name);

embedd_status ed_tensors_open(ed_tensors **out, const char *folder, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    char *single = ed_path_join(folder, "model.safetensors");
    char *index = ed_path_join(folder, "model.safetensors.index.json");
    char *pickle = ed_path_join(folder, "pytorch_model.bin");
    *out = NULL;
    if (!single || !index || !pickle)
        status = ed_fail(err, EMBEDD_MEMORY, "%s: no memory", folder);
    else if (ed_file_exists(single))
        status = ed_tensors_open_file(out, single, err);
    else if (ed_file_exists(index))
        status = open_index(out, folder, index, err);
    else if (ed_file_exists(pickle))
        status =
            ed_fail(err, EMBEDD_UNSUPPORTED,
                    "%s: weights in PyTorch's pickle form only; safetensors are needed", pickle);
    else
        status = ed_fail(err, EMBEDD_NOT_FOUND,
                         "%s: neither model.safetensors nor model.safetensors.index.json", folder);
    ed_free(single);
    ed_free(index);
    ed_free(pickle);
    return status;
}

embedd_status ed_tensors_open_file(ed_tensors **out, const char *path, embedd_error *err)
{
    *out = NULL;
    ed_tensors *tensors = ed_calloc(1, sizeof *tensors);
    if (!tensors || !(tensors->files = ed_calloc(1, sizeof *tensors->files))) {
        ed_free(tensors);
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory", path);
    }
    embedd_status status = ed_safetensors_open(&tensors->files[0], path, err);
    if (status == EMBEDD_OK) {
        tensors->n_files = 1;
        status = gather(tensors, path, err);
    }
    if (status == EMBEDD_OK)
        *out = tensors;
    else
        ed_tensors_close(tensors);
    return status;
}

embedd_status ed_tensors_open_views(ed_tensors **out, const ed_tensor *views, size_t n_views,
                                    const ed_file_map *map, const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_tensors *tensors = ed_calloc(1, sizeof *tensors);
    size_t n_name_bytes = 0;

    *out = NULL;
    for (size_t i = 0; i < n_views; i++)
        n_name_bytes += strlen(views[i].name) + 1;
    if (tensors) {
        tensors->viewed = map;
        tensors->tensors = ed_calloc(n_views, sizeof *tensors->tensors);
        tensors->names = ed_calloc(n_name_bytes, 1);
    }
    if (!tensors || !tensors->tensors || !tensors->names) {
        status = ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu tensors", where, n_views);
        goto done;
    }
    for (char *name = tensors->names; tensors->n_tensors < n_views;) {
        ed_tensor *tensor = &tensors->tensors[tensors->n_tensors];
        *tensor = views[tensors->n_tensors++];
        size_t n_bytes = strlen(tensor->name) + 1;
        tensor->name = memcpy(name, tensor->name, n_bytes);
        name += n_bytes;
    }
    status = sort(tensors, where, err);
    if (status == EMBEDD_OK) {
        *out = tensors;
        tensors = NULL;
    }
done:
    ed_tensors_close(tensors);
    return status;
}

void ed_tensors_close(ed_tensors *tensors)
{
    if (!tensors)
        return;
    for (size_t i = 0; i < tensors->n_files; i++)
        ed_safetensors_close(&tensors->files[i]);
    ed_free(tensors->files);
    ed_free(tensors->names);
    ed_free(tensors->tensors);
    ed_free(tensors);
}

void ed_tensors_drop_pages(const ed_tensors *tensors)
{
    for (size_t i = 0; i < tensors->n_files; i++)
        ed_file_map_drop_pages(&tensors->files[i].map);
    if (tensors->viewed)
        ed_file_map_drop_pages(tensors->viewed);
}

embedd_status ed_tensors_check(const ed_tensors *tensors, embedd_error *err)
{
    embedd_status status = tensors->viewed ? ed_file_map_check(tensors->viewed, err) : EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < tensors->n_files; i++)
        status = ed_file_map_check(&tensors->files[i].map, err);
    return status;
}

uint64_t ed_tensors_fingerprint(const ed_tensors *tensors)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < tensors->n_files; i++)
        sum = ed_file_map_fingerprint(&tensors->files[i].map, sum);
    return tensors->viewed ? ed_file_map_fingerprint(tensors->viewed, sum) : sum;
}

/* ---- shards ---------------------------------------------------------------------------------- */

static int compare_shards(const void *a, const void *b)
{
    return strcmp(((const index_entry *)a)->shard, ((const index_entry *)b)->shard);
}

/* {"weight_map": {"tensor": "shard file", ...}} */
static embedd_status open_index(ed_tensors **out, const char *folder, const char *path,
                                embedd_error *err)
{
    struct json_object *root = NULL, *map = NULL;
    index_entry *entries = NULL;
    size_t n_entries = 0;
    ed_tensors *tensors = ed_calloc(1, sizeof *tensors);
    embedd_status status = ed_json_read_file(path, INDEX_BYTES_MAX, &root, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_object(root, "weight_map", &map, path, err);
    if (status != EMBEDD_OK)
        goto done;
    if (!map) {
        status = ed_fail(err, EMBEDD_FORMAT, "%s: weight_map is missing", path);
        goto done;
    }
    n_entries = (size_t)json_object_object_length(map);
    entries = ed_calloc(n_entries, sizeof *entries);
    if (!tensors || !entries) {
        status = ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu tensors", path, n_entries);
        goto done;
    }
    status = read_entries(map, path, entries, err);
    if (status == EMBEDD_OK && n_entries > 0)
        qsort(entries, n_entries, sizeof *entries, compare_shards);
    if (status == EMBEDD_OK)
        status = open_shards(tensors, folder, path, entries, n_entries, err);
    if (status == EMBEDD_OK)
        status = gather(tensors, path, err);
    if (status == EMBEDD_OK) {
        *out = tensors;
        tensors = NULL;
    }
done:
    ed_tensors_close(tensors);
    ed_free(entries);
    json_object_put(root);
    return status;
}

/* A plain name: not a way to another folder. */
static bool is_shard_name(const char *name, size_t n_bytes)
{
    return n_bytes > 0 && n_bytes == strlen(name) && name[0] != '.' && !strpbrk(name, "/\\:");
}

static embedd_status read_entries(struct json_object *map, const char *path, index_entry *entries,
                                  embedd_error *err)
{
    struct json_object_iterator at = json_object_iter_begin(map);
    struct json_object_iterator end = json_object_iter_end(map);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at), entries++) {
        struct json_object *shard = json_object_iter_peek_value(&at);
        entries->tensor = json_object_iter_peek_name(&at);
        if (!json_object_is_type(shard, json_type_string))
            return ed_fail(err, EMBEDD_FORMAT, "%s: tensor %.100s: the shard is not a string", path,
                           entries->tensor);
        entries->shard = json_object_get_string(shard);
        if (!is_shard_name(entries->shard, (size_t)json_object_get_string_len(shard)))
            return ed_fail(err, EMBEDD_FORMAT,
                           "%s: tensor %.100s: \"%.100s\" is not the name of a file in the folder",
                           path, entries->tensor, entries->shard);
    }
    return EMBEDD_OK;
}

static embedd_status open_shards(ed_tensors *tensors, const char *folder, const char *path,
                                 const index_entry *entries, size_t n_entries, embedd_error *err)
{
    tensors->files = ed_calloc(n_entries, sizeof *tensors->files); /* as many as could be */
    if (!tensors->files)
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu shards", path, n_entries);
    const ed_safetensors *file = NULL;
    for (size_t i = 0; i < n_entries; i++) {
        if (i == 0 || compare_shards(&entries[i - 1], &entries[i]) != 0) {
            ed_safetensors *opened = &tensors->files[tensors->n_files];
            char *shard = ed_path_join(folder, entries[i].shard);
            embedd_status status = shard ? ed_safetensors_open(opened, shard, err)
                                         : ed_fail(err, EMBEDD_MEMORY, "%s: no memory", path);
            ed_free(shard);
            if (status != EMBEDD_OK)
                return status;
            tensors->n_files++;
            file = opened;
        }
        if (!find(file->tensors, file->n_tensors, entries[i].tensor))
            return ed_fail(err, EMBEDD_FORMAT, "%s: tensor %.100s is not in %.100s", path,
                           entries[i].tensor, entries[i].shard);
    }
    return EMBEDD_OK;
}

/* ---- the list -------------------------------------------------------------------------------- */

static embedd_status gather(ed_tensors *tensors, const char *where, embedd_error *err)
{
    size_t n_total = 0;
    for (size_t i = 0; i < tensors->n_files; i++)
        if (!ed_add_size(n_total, tensors->files[i].n_tensors, &n_total))
            return ed_fail(err, EMBEDD_MEMORY, "%s: too many tensors", where);
    tensors->tensors = ed_calloc(n_total, sizeof *tensors->tensors);
    if (!tensors->tensors)
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory for %zu tensors", where, n_total);
    for (size_t i = 0; i < tensors->n_files; i++) {
        const ed_safetensors *file = &tensors->files[i];
        if (file->n_tensors > 0)
            memcpy(tensors->tensors + tensors->n_tensors, file->tensors,
                   file->n_tensors * sizeof *file->tensors);
        tensors->n_tensors += file->n_tensors;
    }
    return sort(tensors, where, err);
}

static embedd_status sort(ed_tensors *tensors, const char *where, embedd_error *err)
{
    ed_tensor *list = tensors->tensors;

    if (tensors->n_tensors > 0)
        qsort(list, tensors->n_tensors, sizeof *list, ed_tensor_compare_names);
    for (size_t i = 1; i < tensors->n_tensors; i++)
        if (strcmp(list[i - 1].name, list[i].name) == 0)
            return ed_fail(err, EMBEDD_FORMAT, "%s: tensor %.100s is there twice", where,
                           list[i].name);
    return EMBEDD_OK;
}

static const ed_tensor *find(const ed_tensor *tensors, size_t n_tensors, const char *name)
{
    ed_tensor key = {.name = name};
    return n_tensors > 0 ? bsearch(&key, tensors, n_tensors, sizeof key, ed_tensor_compare_names)
                         : NULL;
}

const ed_tensor *ed_tensors_find(const ed_tensors *tensors, const char *name)
{
    return find(tensors->tensors, tensors->n_tensors, name);
}

size_t ed_tensors_count(const ed_tensors *tensors)
{
    return tensors->n_tensors;
}

const ed_tensor *ed_tensors_at(const ed_tensors *tensors, size_t tensor_index)
{
    return tensor_index < tensors->n_tensors ? &tensors->tensors[tensor_index] : NULL;
}
