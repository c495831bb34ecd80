/* Named tensors of a model folder, mapped read-only, every offset checked at the door.
 *
 * From safetensors (one file, or shards under an index) or as views into another file that was
 * checked already. Source: github.com/huggingface/safetensors, "Format". */
#ifndef ED_TENSORS_H
#define ED_TENSORS_H

#include "base/file_map.h"

#define ED_TENSOR_DIMS_MAX 8

typedef enum ed_tensor_type {
    ED_TENSOR_F32,
    ED_TENSOR_F16,
    ED_TENSOR_BF16,
    ED_TENSOR_Q4_0, /* from here on in blocks, see quants.h */
    ED_TENSOR_Q4_1,
    ED_TENSOR_Q5_0,
    ED_TENSOR_Q5_1,
    ED_TENSOR_Q8_0,
    ED_TENSOR_Q2_K,
    ED_TENSOR_Q3_K,
    ED_TENSOR_Q4_K,
    ED_TENSOR_Q5_K,
    ED_TENSOR_Q6_K,
    ED_TENSOR_OTHER /* I64 position ids and the like: known to exist, never read */
} ed_tensor_type;

typedef struct ed_tensor {
    const char *name;
    ed_tensor_type type;
    size_t n_dims;
    size_t shape[ED_TENSOR_DIMS_MAX];
    size_t n_elements;
    size_t n_bytes;
    const unsigned char *data; /* [n_bytes] inside the map; no alignment promised */
} ed_tensor;

typedef struct ed_tensors ed_tensors;

/* model.safetensors, or model.safetensors.index.json and its shards, of a folder.
 * NOT_FOUND, IO, FORMAT (message: file, tensor, reason), UNSUPPORTED, MEMORY.
 * Allocates in proportion to the header's own size, whatever the header claims. */
embedd_status ed_tensors_open(ed_tensors **out, const char *folder, embedd_error *err);
/* One file, for fuzzing and for module folders. */
embedd_status ed_tensors_open_file(ed_tensors **out, const char *path, embedd_error *err);
/* Views into `map`, which stays the caller's and outlives the tensors; names are copied. `where`
 * names the file. FORMAT: a name occurs twice. */
embedd_status ed_tensors_open_views(ed_tensors **out, const ed_tensor *views, size_t n_views,
                                    const ed_file_map *map, const char *where, embedd_error *err);
void ed_tensors_close(ed_tensors *tensors);

/* Once the weights are packed: the file's pages leave memory, and come back where they are read. */
void ed_tensors_drop_pages(const ed_tensors *tensors);

/* Of each file that the tensors are in, see ed_file_map_check. */
embedd_status ed_tensors_check(const ed_tensors *tensors, embedd_error *err);

/* Of the files that the tensors are in, see ed_file_map_fingerprint. */
uint64_t ed_tensors_fingerprint(const ed_tensors *tensors);

const ed_tensor *ed_tensors_find(const ed_tensors *tensors, const char *name); /* NULL = none */
size_t ed_tensors_count(const ed_tensors *tensors);
const ed_tensor *ed_tensors_at(const ed_tensors *tensors, size_t tensor_index);

/* Elements [begin, begin + n) as float32, exactly. False for ED_TENSOR_OTHER or out of range. */
bool ed_tensor_read_f32(const ed_tensor *tensor, size_t begin, size_t n, float *out);

#endif
