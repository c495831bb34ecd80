/* In: a model's files and a number type. Out: its transformer, on mapped weights where that is
 * possible. Never lets a fault of the cache become one of the model, and never believes a file that
 * is not whole or of other weights. */
#include "engine/packed_cache.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "engine/packed_folder.h"

static embedd_status open_from(ed_transformer *transformer, const ed_packed_source *source,
                               ed_packed_store *store, embedd_error *err);
static bool map_file(ed_packed_cache *cache, const char *path, const char *key, bool check);
static bool open_mapped(ed_packed_cache *cache, ed_transformer *transformer,
                        const ed_packed_source *source);
static bool write_file(const char *path, const char *key, const ed_packed_source *source);

embedd_status ed_packed_cache_open(ed_packed_cache *cache, ed_transformer *transformer,
                                   const ed_packed_source *source,
                                   const embedd_model_options *options, embedd_error *err)
{
    char key[ED_PACKED_KEY_MAX];
    char *path = NULL;
    bool opened = false;

    *cache = (ed_packed_cache){.path = NULL};
    if (options->cache_folder && ed_packed_key_write(source, key))
        path = ed_packed_folder_path(
            options->cache_folder,
            &(ed_packed_name){source->where, source->dtype, source->kernels->level, key});
    if (path)
        opened = (map_file(cache, path, key, options->cache_check) &&
                  open_mapped(cache, transformer, source)) ||
                 (write_file(path, key, source) && map_file(cache, path, key, true) &&
                  open_mapped(cache, transformer, source));
    if (opened)
        ed_packed_folder_touch(path);
    ed_free(path);
    return opened ? EMBEDD_OK : open_from(transformer, source, NULL, err);
}

void ed_packed_cache_remove(ed_packed_cache *cache)
{
    (void)unlink(cache->path);
}

void ed_packed_cache_close(ed_packed_cache *cache)
{
    ed_file_map_close(&cache->map);
    ed_free(cache->path);
    *cache = (ed_packed_cache){.path = NULL};
}

static embedd_status open_from(ed_transformer *transformer, const ed_packed_source *source,
                               ed_packed_store *store, embedd_error *err)
{
    return ed_transformer_open(transformer, source->config, source->text_tokens_max,
                               source->tensors, source->kernels, source->gemm, store, source->where,
                               err);
}

/* ---- whose weights these are ----------------------------------------------------------------- */

#define PROBE_DEPTH ((size_t)200)
#define PROBE_COLS  ((size_t)70)

/* The checksum of a small matrix as this kernel packs it: it changes with the layout. */
static bool probe_layout(const ed_gemm *gemm, uint64_t *out)
{
    size_t n_bytes = gemm->weights_bytes(PROBE_COLS, PROBE_DEPTH);
    float *weights = ed_calloc(PROBE_COLS * PROBE_DEPTH, sizeof *weights);
    unsigned char *packed = ed_aligned_alloc(n_bytes);

    if (weights && packed) {
        uint32_t random = 1;
        for (size_t i = 0; i < PROBE_COLS * PROBE_DEPTH; i++) {
            random = random * 1664525U + 1013904223U;
            weights[i] = (float)(random >> 8) / 16777216.0F - 0.5F;
        }
        memset(packed, 0, n_bytes);
        gemm->pack_weights(packed, weights, PROBE_COLS, PROBE_DEPTH);
        *out = ed_checksum(packed, n_bytes, 0);
    }
    bool probed = weights && packed;
    ed_free(weights);
    ed_aligned_free(packed, n_bytes);
    return probed;
}

bool ed_packed_key_write(const ed_packed_source *source, char key[ED_PACKED_KEY_MAX])
{
    uint64_t layout;

    if (!probe_layout(source->gemm, &layout))
        return false;
    int n = snprintf(key, ED_PACKED_KEY_MAX,
                     "embedd %s\nlevel %s\nproduct %s\nlayout %016llx\nweights %016llx\n"
                     "config %016llx\n",
                     embedd_version(), source->kernels->level, source->gemm->name,
                     (unsigned long long)layout,
                     (unsigned long long)ed_tensors_fingerprint(source->tensors),
                     (unsigned long long)ed_config_fingerprint(source->config));
    return n > 0 && (size_t)n < ED_PACKED_KEY_MAX;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool map_file(ed_packed_cache *cache, const char *path, const char *key, bool check)
{
    embedd_status status = ed_file_map_open(&cache->map, path, SIZE_MAX, NULL);

    if (status == EMBEDD_OK)
        status =
            ed_packed_file_parse(&cache->file, cache->map.data, cache->map.n_bytes, path, NULL);
    if (status == EMBEDD_OK && check)
        status = ed_packed_file_check(&cache->file, path, NULL);
    if (status == EMBEDD_OK && strcmp(cache->file.header.key, key) == 0)
        cache->path = ed_strdup(path);
    if (!cache->path)
        ed_packed_cache_close(cache);
    return cache->path != NULL;
}

static bool open_mapped(ed_packed_cache *cache, ed_transformer *transformer,
                        const ed_packed_source *source)
{
    ed_packed_store store = {.file = &cache->file};
    embedd_status status = open_from(transformer, source, &store, NULL);

    if (status == EMBEDD_OK && !store.differs && store.n_taken == cache->file.header.n_sections)
        return true;
    if (status == EMBEDD_OK)
        ed_transformer_close(transformer);
    ed_packed_cache_close(cache);
    return false;
}

/* The transformer is opened for the sake of its matrices, which go to the file one by one. */
static bool write_file(const char *path, const char *key, const ed_packed_source *source)
{
    ed_packed_writer writer;
    ed_packed_store store = {.writer = &writer};
    ed_transformer transformer;
    embedd_status status;

    if (!ed_packed_folder_prepare(path))
        return false;
    status = ed_packed_writer_open(&writer, path, NULL);
    if (status == EMBEDD_OK) {
        status = open_from(&transformer, source, &store, NULL);
        if (status == EMBEDD_OK) {
            ed_transformer_close(&transformer);
            status = ed_tensors_check(source->tensors, NULL);
        }
        if (status == EMBEDD_OK) {
            status = ed_packed_writer_commit(&writer, key, NULL);
        }
    }
    ed_packed_writer_close(&writer);
    if (status == EMBEDD_OK)
        ed_packed_folder_clean(path);
    return status == EMBEDD_OK;
}
