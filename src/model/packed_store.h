/* Packed matrices in a file: taken from there in place of packing them, or put there. */
#ifndef ED_PACKED_STORE_H
#define ED_PACKED_STORE_H

#include "formats/packed_file.h"
#include "model/linear.h"

/* One of the two is set. Matrices are taken in the order in which they were put. */
typedef struct ed_packed_store {
    const ed_packed_file *file; /* outlives the weights */
    ed_packed_writer *writer;   /* the weights leave memory, and cannot be used */
    size_t n_taken;
    bool differs; /* a section was not the one that was asked for: the file is of no use */
} ed_packed_store;

/* Sets the weights of `linear`, whose gemm and sizes are set, and its row_scale if it has one;
 * false = they must be packed. */
bool ed_packed_store_take(ed_packed_store *store, uint64_t name, bool scaled, ed_linear *linear);
/* Writes weights and row_scale of `linear`, and frees the weights; nothing without a writer. */
embedd_status ed_packed_store_put(ed_packed_store *store, uint64_t name, ed_linear *linear,
                                  embedd_error *err);

#endif
