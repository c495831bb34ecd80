/* In: a checked file. Out: matrices of exactly the size that a product will read. */
#include "model/packed_store.h"

#include "base/memory.h"

/* The next section of the file, which must be this one; else NULL, from then on. */
static const void *take_section(ed_packed_store *store, uint64_t name, size_t n_bytes)
{
    if (!store->differs && store->n_taken < store->file->header.n_sections) {
        const ed_packed_section section = ed_packed_file_section(store->file, store->n_taken++);
        if (section.name == name && section.n_bytes == n_bytes)
            return store->file->bytes + section.begin;
    }
    store->differs = true;
    return NULL;
}

bool ed_packed_store_take(ed_packed_store *store, uint64_t name, bool scaled, ed_linear *linear)
{
    size_t n_bytes = linear->gemm->weights_bytes(linear->n_out, linear->n_in);

    if (!store || !store->file)
        return false;
    const void *weights = take_section(store, name, n_bytes);
    const float *row_scale = NULL;
    if (scaled)
        row_scale = take_section(store, name, linear->n_in * sizeof *row_scale);
    if (store->differs)
        return false;
    linear->weights = (void *)weights;
    linear->weight_bytes = n_bytes;
    linear->row_scale = row_scale;
    linear->borrowed = true;
    return true;
}

embedd_status ed_packed_store_put(ed_packed_store *store, uint64_t name, ed_linear *linear,
                                  embedd_error *err)
{
    if (!store || !store->writer)
        return EMBEDD_OK;
    embedd_status status =
        ed_packed_writer_add(store->writer, name, linear->weights, linear->weight_bytes, err);
    if (status == EMBEDD_OK && linear->row_scale)
        status = ed_packed_writer_add(store->writer, name, linear->row_scale,
                                      linear->n_in * sizeof *linear->row_scale, err);
    ed_aligned_free(linear->weights, linear->weight_bytes);
    linear->weights = NULL;
    return status;
}
