/* One safetensors file: 8 bytes of header size, a JSON header, then the tensors' bytes.
 * Source: github.com/huggingface/safetensors, "Format". */
#ifndef ED_SAFETENSORS_H
#define ED_SAFETENSORS_H

#include "base/file_map.h"
#include "formats/tensors.h"

#define ED_SAFETENSORS_HEADER_MAX ((size_t)100 * 1000 * 1000) /* the format's own limit */

typedef struct ed_safetensors {
    ed_file_map map;
    ed_tensor *tensors; /* [n_tensors], sorted by name */
    size_t n_tensors;
    char *names; /* what the tensors' names point into */
} ed_safetensors;

embedd_status ed_safetensors_open(ed_safetensors *file, const char *path, embedd_error *err);
void ed_safetensors_close(ed_safetensors *file); /* a zeroed struct is allowed */

/* The same over bytes in memory, which must outlive `file`; `where` names them in messages. */
embedd_status ed_safetensors_parse(ed_safetensors *file, const unsigned char *bytes, size_t n_bytes,
                                   const char *where, embedd_error *err);

/* For qsort and bsearch. */
int ed_tensor_compare_names(const void *a, const void *b);

#endif
