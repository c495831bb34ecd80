/* In: the store as Ollama lays it out, and names of users. Out: paths of blobs. No part of a name
 * or a manifest becomes part of a path before it was checked. */
#include "formats/ollama_store.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/gguf.h"
#include "formats/json.h"
#include "formats/model_folder.h"

#include <dirent.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_BYTES_MAX ((size_t)1 << 20)
#define NAME_BYTES_MAX     ((size_t)640)
#define PART_BYTES_MAX     ((size_t)80)
#define HOST_BYTES_MAX     ((size_t)350)
#define N_LEVELS           4 /* host, namespace, model, tag */
#define DEFAULT_HOST       "registry.ollama.ai"
#define DEFAULT_NAMESPACE  "library"
#define DEFAULT_TAG        "latest"
#define SERVICE_ROOT       "/usr/share/ollama/.ollama/models"
#define MODEL_LAYER        "application/vnd.ollama.image.model"
#define DIGEST_DIGITS      64

typedef struct full_name {
    char parts[N_LEVELS][HOST_BYTES_MAX + 1];
} full_name;

/* Called with the names of a manifest's folders and its path; false = enough. */
typedef bool (*visit_function)(void *context, const full_name *name, const char *path);

static bool parse_name(const char *name, full_name *out);
static void visit_manifests(const char *root, void *context, visit_function visit);
static embedd_status read_manifest(ed_ollama_manifest *manifest, const char *path,
                                   embedd_error *err);

char *ed_ollama_store_root(void)
{
    char *root = ed_path_variable("OLLAMA_MODELS", NULL);

    if (root)
        return root;
    root = ed_path_variable("HOME", ".ollama/models");
    if ((root && ed_folder_exists(root)) || !ed_folder_exists(SERVICE_ROOT))
        return root;
    ed_free(root);
    return ed_strdup(SERVICE_ROOT);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Begins with a letter, a digit or '_', so that it is neither "." nor "..". */
static bool part_is_valid(const char *part, size_t n_bytes, size_t level)
{
    if (n_bytes == 0 || n_bytes > (level == 0 ? HOST_BYTES_MAX : PART_BYTES_MAX))
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        char c = part[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        bool sign = c == '-' || (c == '.' && level != 1) || (c == ':' && level == 0);
        if (!letter && (i == 0 || !sign))
            return false;
    }
    return true;
}

static bool set_part(full_name *name, size_t level, const char *part, size_t n_bytes)
{
    if (!part_is_valid(part, n_bytes, level))
        return false;
    memcpy(name->parts[level], part, n_bytes);
    name->parts[level][n_bytes] = '\0';
    return true;
}

/* "[host/][namespace/]model[:tag]" */
static bool parse_name(const char *name, full_name *out)
{
    const char *last = strrchr(name, '/');
    const char *model = last ? last + 1 : name;
    size_t n_model = strcspn(model, ":");
    const char *tag = model[n_model] ? model + n_model + 1 : DEFAULT_TAG;
    const char *space = DEFAULT_NAMESPACE, *host = DEFAULT_HOST;
    size_t n_space = strlen(space), n_host = strlen(host);

    if (last) {
        const char *slash = memchr(name, '/', (size_t)(last - name));
        space = slash ? slash + 1 : name;
        n_space = (size_t)(last - space);
        if (slash) {
            host = name;
            n_host = (size_t)(slash - name);
        }
    }
    return set_part(out, 0, host, n_host) && set_part(out, 1, space, n_space) &&
           set_part(out, 2, model, n_model) && set_part(out, 3, tag, strlen(tag));
}

/* As Ollama writes it, with the prefix. */
static char *short_name(const full_name *name)
{
    bool own_host = strcmp(name->parts[0], DEFAULT_HOST) == 0;
    bool library = own_host && strcmp(name->parts[1], DEFAULT_NAMESPACE) == 0;

    return ed_new_path(ED_OLLAMA_PREFIX "%s%s%s%s%s:%s", own_host ? "" : name->parts[0],
                       own_host ? "" : "/", library ? "" : name->parts[1], library ? "" : "/",
                       name->parts[2], name->parts[3]);
}

/* ---- finding one ----------------------------------------------------------------------------- */

typedef struct search {
    full_name wanted;
    char *path; /* of the manifest */
} search;

static bool compare_manifest(void *context, const full_name *name, const char *path)
{
    search *search_for = context;

    for (size_t i = 0; i < N_LEVELS; i++)
        if (strcasecmp(name->parts[i], search_for->wanted.parts[i]) != 0)
            return true;
    search_for->path = ed_strdup(path);
    return false;
}

embedd_status ed_ollama_store_find(const char *root, const char *name, char **blob,
                                   embedd_error *err)
{
    search search_for = {.path = NULL};
    ed_ollama_manifest manifest;
    embedd_status status;
    char *path = NULL;

    *blob = NULL;
    if (!parse_name(name, &search_for.wanted))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "'%.100s' is no name of Ollama's; a name is [HOST/][NAMESPACE/]MODEL[:TAG]",
                       name);
    visit_manifests(root, &search_for, compare_manifest);
    if (!search_for.path)
        return ed_fail(err, EMBEDD_NOT_FOUND,
                       "there is no model %s in Ollama's store %s; get it with: ollama pull %s",
                       name, root, name);
    status = read_manifest(&manifest, search_for.path, err);
    if (status == EMBEDD_OK && !(path = ed_new_path("%s/blobs/%s", root, manifest.blob)))
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (status == EMBEDD_OK && !ed_file_exists(path))
        status = ed_fail(err, EMBEDD_NOT_FOUND,
                         "%s is missing, which Ollama's model %s consists of; get it again with: "
                         "ollama pull %s",
                         path, name, name);
    if (status == EMBEDD_OK) {
        *blob = path;
        path = NULL;
    }
    ed_free(path);
    ed_free(search_for.path);
    return status;
}

/* ---- listing --------------------------------------------------------------------------------- */

typedef struct listing {
    const char *root;
    void *context;
    void (*add)(void *context, char *name, char *blob, size_t n_bytes);
} listing;

/* Ollama's store holds mostly models that write text. Those that embed say how they pool. */
static bool is_embedding_model(const char *blob)
{
    ed_gguf gguf;
    embedd_text architecture = {"", 0};
    char key[96] = "";

    if (ed_gguf_open(&gguf, blob, NULL) != EMBEDD_OK)
        return false;
    if (ed_gguf_get_string(&gguf, "general.architecture", &architecture, NULL) == EMBEDD_OK &&
        architecture.n_bytes + sizeof ".pooling_type" <= sizeof key) {
        memcpy(key, architecture.bytes, architecture.n_bytes);
        memcpy(key + architecture.n_bytes, ".pooling_type", sizeof ".pooling_type");
    }
    bool found = ed_gguf_find(&gguf, key) != NULL;
    ed_gguf_close(&gguf);
    return found;
}

static bool list_manifest(void *context, const full_name *name, const char *path)
{
    const listing *list = context;
    ed_ollama_manifest manifest;

    if (read_manifest(&manifest, path, NULL) != EMBEDD_OK)
        return true;
    char *blob = ed_new_path("%s/blobs/%s", list->root, manifest.blob);
    if (blob && is_embedding_model(blob))
        list->add(list->context, short_name(name), blob, manifest.n_bytes);
    else
        ed_free(blob);
    return true;
}

void ed_ollama_store_each(const char *root, void *context,
                          void (*add)(void *context, char *name, char *blob, size_t n_bytes))
{
    listing list = {root, context, add};

    visit_manifests(root, &list, list_manifest);
}

/* ---- the tree of manifests ------------------------------------------------------------------- */

/* The next entry of a folder that can be part of a name; NULL = no more. */
static const char *next_entry(DIR *dir, size_t level)
{
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL)
        if (part_is_valid(entry->d_name, strlen(entry->d_name), level))
            return entry->d_name;
    return NULL;
}

/* Four levels exactly, walked with a stack of open folders. */
static void visit_manifests(const char *root, void *context, visit_function visit)
{
    char *paths[N_LEVELS + 1] = {ed_new_path("%s/manifests", root)};
    DIR *dirs[N_LEVELS] = {paths[0] ? opendir(paths[0]) : NULL};
    full_name name;
    size_t level = 0;
    bool more = true;

    while (dirs[0]) {
        const char *entry = more ? next_entry(dirs[level], level) : NULL;
        if (!entry) {
            closedir(dirs[level]);
            ed_free(paths[level]);
            dirs[level] = NULL;
            if (level-- == 0)
                return;
            continue;
        }
        (void)set_part(&name, level, entry, strlen(entry));
        paths[level + 1] = ed_path_join(paths[level], entry);
        if (level + 1 < N_LEVELS && paths[level + 1] &&
            (dirs[level + 1] = opendir(paths[level + 1]))) {
            level++;
            continue;
        }
        if (level + 1 == N_LEVELS && paths[level + 1] && ed_file_exists(paths[level + 1]))
            more = visit(context, &name, paths[level + 1]);
        ed_free(paths[level + 1]);
    }
    ed_free(paths[0]);
}

/* ---- manifests ------------------------------------------------------------------------------- */

static embedd_status read_manifest(ed_ollama_manifest *manifest, const char *path,
                                   embedd_error *err)
{
    char *json = NULL;
    size_t n_bytes = 0;
    embedd_status status = ed_file_read(path, MANIFEST_BYTES_MAX, &json, &n_bytes, err);

    if (status == EMBEDD_OK)
        status = ed_ollama_manifest_parse(manifest, json, n_bytes, path, err);
    ed_free(json);
    return status;
}

/* "sha256:" or "sha256-", and 64 hexadecimal digits. */
static bool copy_digest(const char *digest, char blob[72])
{
    size_t n_prefix = strlen("sha256-");

    if (!digest || strncmp(digest, "sha256", n_prefix - 1) != 0 ||
        (digest[n_prefix - 1] != ':' && digest[n_prefix - 1] != '-') ||
        strlen(digest) != n_prefix + DIGEST_DIGITS ||
        strspn(digest + n_prefix, "0123456789abcdefABCDEF") != DIGEST_DIGITS)
        return false;
    memcpy(blob, digest, n_prefix + DIGEST_DIGITS + 1);
    blob[n_prefix - 1] = '-';
    return true;
}

static embedd_status read_layer(ed_ollama_manifest *manifest, struct json_object *layer,
                                const char *where, embedd_error *err)
{
    const char *type = NULL, *digest = NULL;
    size_t n_bytes = 0;
    embedd_status status = EMBEDD_OK;

    if (!json_object_is_type(layer, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: a layer is not an object", where);
    status = ed_json_get_string(layer, "mediaType", &type, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(layer, "digest", &digest, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(layer, "size", &n_bytes, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!ed_add_size(manifest->n_bytes, n_bytes, &manifest->n_bytes))
        return ed_fail(err, EMBEDD_FORMAT, "%s: size is out of range", where);
    if (!type || strcmp(type, MODEL_LAYER) != 0)
        return EMBEDD_OK;
    if (manifest->blob[0])
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: a model in more than one file", where);
    if (!copy_digest(digest, manifest->blob))
        return ed_fail(err, EMBEDD_FORMAT, "%s: the model's digest is no SHA-256", where);
    return EMBEDD_OK;
}

embedd_status ed_ollama_manifest_parse(ed_ollama_manifest *manifest, const char *json,
                                       size_t n_bytes, const char *where, embedd_error *err)
{
    struct json_object *root = NULL, *layers = NULL;
    embedd_status status = ed_json_parse(json, n_bytes, where, &root, err);

    *manifest = (ed_ollama_manifest){.n_bytes = 0};
    if (status == EMBEDD_OK && !json_object_is_type(root, json_type_object))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: not an object", where);
    if (status == EMBEDD_OK)
        status = ed_json_get_array(root, "layers", &layers, where, err);
    for (size_t i = 0; status == EMBEDD_OK && layers && i < json_object_array_length(layers); i++)
        status = read_layer(manifest, json_object_array_get_idx(layers, i), where, err);
    if (status == EMBEDD_OK && !manifest->blob[0])
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: no layer holds a GGUF model", where);
    json_object_put(root);
    return status;
}
