/* Packed weights kept on the disk from one start to the next. */
#ifndef ED_PACKED_CACHE_H
#define ED_PACKED_CACHE_H

#include "base/file_map.h"
#include "formats/packed_file.h"
#include "model/transformer.h"

typedef struct ed_packed_cache {
    char *path; /* of the file that is mapped, or NULL */
    ed_file_map map;
    ed_packed_file file;
} ed_packed_cache;

/* What a transformer is opened from: see ed_transformer_open. */
typedef struct ed_packed_source {
    const ed_config *config;
    size_t text_tokens_max;
    const ed_tensors *tensors;
    const ed_kernels *kernels;
    const ed_gemm *gemm;
    const char *dtype; /* of gemm */
    const char *where;
} ed_packed_source;

/* Text that names all that the packed weights depend on; false = out of memory. */
bool ed_packed_key_write(const ed_packed_source *source, char key[ED_PACKED_KEY_MAX]);

/* Opens the transformer on the mapped file of these very weights; writes that file first where
 * there is none, or a damaged one; and packs in memory where files are not wanted or fail. Fails as
 * ed_transformer_open only. */
embedd_status ed_packed_cache_open(ed_packed_cache *cache, ed_transformer *transformer,
                                   const ed_packed_source *source,
                                   const embedd_model_options *options, embedd_error *err);
/* So that the next open writes it again. The map stays. */
void ed_packed_cache_remove(ed_packed_cache *cache);
/* After the transformer. An empty one is allowed. */
void ed_packed_cache_close(ed_packed_cache *cache);

#endif
