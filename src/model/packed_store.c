/* In: a checked file. Out: matrices of exactly the size that a product will read. */
#include "model/packed_store.h"

bool ed_packed_store_take(ed_packed_store *store, uint64_t name, ed_linear *linear)
{
    size_t n_bytes = linear->gemm->weights_bytes(linear->n_out, linear->n_in);

    if (!store || !store->file || store->differs)
        return false;
    if (store->n_taken >= store->file->header.n_sections) {
        store->differs = true;
        return false;
    }
    const ed_packed_section section = ed_packed_file_section(store->file, store->n_taken++);
    if (section.name != name || section.n_bytes != n_bytes) {
        store->differs = true;
        return false;
    }
    linear->weights = (void *)(store->file->bytes + section.begin);
    linear->weight_bytes = n_bytes;
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
    ed_aligned_free(linear->weights, linear->weight_bytes);
    linear->weights = NULL;
    return status;
}
