/* In: the hub's JSON. Out: the files to get, with their sizes and checksums. No name that could
 * leave the model's folder gets past this file. */
#include "hub/listing.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define FILES_MAX      ((size_t)10000)
#define FILE_BYTES_MAX ((size_t)1 << 40)

static embedd_status read_files(ed_listing *listing, struct json_object *siblings,
                                const char *where, embedd_error *err);
static embedd_status read_file(ed_listed_file *file, const char *name, struct json_object *sibling,
                               const char *where, embedd_error *err);
static bool leaves_folder(const char *name);
static bool is_wanted(const char *name);
static bool is_hex(const char *text, size_t n_digits);
static embedd_status choose_weights(ed_listing *listing, const char *where, embedd_error *err);

embedd_status ed_listing_read(ed_listing *listing, const char *json, size_t n_bytes,
                              const char *where, embedd_error *err)
{
    struct json_object *root = NULL;
    struct json_object *siblings = NULL;
    const char *commit = "";

    *listing = (ed_listing){0};
    embedd_status status = ed_json_parse(json, n_bytes, where, &root, err);
    if (status != EMBEDD_OK)
        return status;
    status = ed_json_get_string(root, "sha", &commit, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_array(root, "siblings", &siblings, where, err);
    if (status == EMBEDD_OK && (!is_hex(commit, 40) || siblings == NULL))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: names no commit or no files", where);
    if (status == EMBEDD_OK) {
        snprintf(listing->commit, sizeof listing->commit, "%s", commit);
        status = read_files(listing, siblings, where, err);
    }
    if (status == EMBEDD_OK)
        status = choose_weights(listing, where, err);
    json_object_put(root);
    if (status != EMBEDD_OK)
        ed_listing_clear(listing);
    return status;
}

void ed_listing_clear(ed_listing *listing)
{
    for (size_t i = 0; i < listing->n_files; i++)
        ed_free(listing->files[i].name);
    ed_free(listing->files);
    *listing = (ed_listing){0};
}

static embedd_status read_files(ed_listing *listing, struct json_object *siblings,
                                const char *where, embedd_error *err)
{
    size_t n_siblings = json_object_array_length(siblings);

    if (n_siblings > FILES_MAX)
        return ed_fail(err, EMBEDD_LIMIT, "%s: %zu files, more than %zu", where, n_siblings,
                       FILES_MAX);
    listing->files = ed_calloc(n_siblings, sizeof *listing->files);
    if (listing->files == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; i < n_siblings; i++) {
        struct json_object *sibling = json_object_array_get_idx(siblings, i);
        const char *name = "";
        embedd_status status = ed_json_get_string(sibling, "rfilename", &name, where, err);
        if (status != EMBEDD_OK)
            return status;
        if (leaves_folder(name))
            return ed_fail(err, EMBEDD_FORMAT,
                           "%s: file %zu has a name that leads out of the model's folder", where,
                           i);
        if (!is_wanted(name))
            continue;
        ed_listed_file *file = &listing->files[listing->n_files];
        status = read_file(file, name, sibling, where, err);
        if (status != EMBEDD_OK)
            return status;
        listing->n_files++;
        listing->n_bytes += file->n_bytes;
    }
    return EMBEDD_OK;
}

static embedd_status read_file(ed_listed_file *file, const char *name, struct json_object *sibling,
                               const char *where, embedd_error *err)
{
    struct json_object *lfs = NULL;
    const char *checksum = "";
    size_t n_bytes = SIZE_MAX;

    embedd_status status = ed_json_get_object(sibling, "lfs", &lfs, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(sibling, "size", &n_bytes, where, err);
    if (status == EMBEDD_OK && lfs != NULL)
        status = ed_json_get_size(lfs, "size", &n_bytes, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(lfs ? lfs : sibling, lfs ? "sha256" : "blobId", &checksum,
                                    where, err);
    if (status != EMBEDD_OK)
        return status;
    if (n_bytes > FILE_BYTES_MAX || !is_hex(checksum, lfs ? 64 : 40))
        return ed_fail(err, EMBEDD_FORMAT, "%s: no size or no checksum of %s", where, name);
    file->name = ed_strdup(name);
    if (file->name == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    file->n_bytes = n_bytes;
    file->checksum_kind = lfs ? ED_SHA_256 : ED_SHA_1;
    snprintf(file->checksum, sizeof file->checksum, "%s", checksum);
    return EMBEDD_OK;
}

static bool is_hex(const char *text, size_t n_digits)
{
    return strlen(text) == n_digits && strspn(text, "0123456789abcdef") == n_digits;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* True for what no honest repository holds: absolute paths, "..", backslashes, control bytes. */
static bool leaves_folder(const char *name)
{
    if (name[0] == '\0' || name[0] == '/')
        return true;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\')
            return true;
    for (const char *part = name; *part; part += strcspn(part, "/"), part += *part == '/') {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return true;
    }
    return false;
}

static bool is_word(const char *text, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    return n > 0 && text[0] != '.' && strspn(text, letters) >= n;
}

/* `text` begins with `start`, ends in `end`, and has a plain word between them. */
static bool matches(const char *text, const char *start, const char *end)
{
    size_t n = strlen(text);
    size_t n_start = strlen(start);
    size_t n_end = strlen(end);

    return n > n_start + n_end && strncmp(text, start, n_start) == 0 &&
           strcmp(text + n - n_end, end) == 0 && is_word(text + n_start, n - n_start - n_end);
}

/* "1_Pooling/": the folder of a module, as modules.json numbers them. */
static size_t module_prefix(const char *name)
{
    size_t n_digits = strspn(name, "0123456789");
    size_t n = strcspn(name, "/");

    if (n_digits == 0 || name[n_digits] != '_' || name[n] != '/' || !is_word(name, n))
        return 0;
    return n + 1;
}

/* What a sentence-transformers folder needs. Pickled weights, ONNX, OpenVINO and other frameworks'
 * files are never among it. */
static bool is_wanted(const char *name)
{
    static const char *const names[] = {"config.json",
                                        "modules.json",
                                        "config_sentence_transformers.json",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.txt",
                                        "vocab.json",
                                        "merges.txt",
                                        "model.safetensors",
                                        "model.safetensors.index.json",
                                        "README.md",
                                        "LICENSE",
                                        "LICENSE.md",
                                        "LICENSE.txt",
                                        "NOTICE"};

    name += module_prefix(name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return matches(name, "sentence_", "_config.json") || /* sentence_bert_config.json */
           matches(name, "model-", ".safetensors") ||    /* model-00001-of-00002.safetensors */
           matches(name, "", ".model");                  /* sentencepiece.bpe.model */
}

/* Weights in one file make shards of the same weights needless; without any there is no model. */
static embedd_status choose_weights(ed_listing *listing, const char *where, embedd_error *err)
{
    bool single = false;
    bool any = false;
    size_t n_kept = 0;

    for (size_t i = 0; i < listing->n_files; i++)
        single |= strcmp(listing->files[i].name, "model.safetensors") == 0;
    for (size_t i = 0; i < listing->n_files; i++) {
        ed_listed_file *file = &listing->files[i];
        bool shard = matches(file->name, "model-", ".safetensors") ||
                     strcmp(file->name, "model.safetensors.index.json") == 0;
        if (single && shard) {
            listing->n_bytes -= file->n_bytes;
            ed_free(file->name);
            continue;
        }
        /* Old folders keep the first module's weights in 0_Transformer. */
        const char *base = file->name + module_prefix(file->name);
        any |= (base == file->name || file->name[0] == '0') && strstr(base, ".safetensors");
        listing->files[n_kept++] = *file;
    }
    listing->n_files = n_kept;
    if (any)
        return EMBEDD_OK;
    return ed_fail(err, EMBEDD_UNSUPPORTED,
                   "%s: the model has no model.safetensors, and embedd reads no other weights",
                   where);
}
