/* Tensors -> weights. In: a checked file of a stranger, any names and shapes. Out: packed memory
 * whose every number is finite; a missing or misshapen tensor is named. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define FINITE_CHUNK 4096

static embedd_status read_into(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                               float *out);
static bool all_finite(const float *x, size_t n);

static embedd_status out_of_memory(ed_weights *weights)
{
    return ed_fail(weights->err, EMBEDD_MEMORY, "%s: no memory for the weights", weights->where);
}

/* What stands before `name` in the tensor that ends in it: "", "bert.", "model.". */
static embedd_status find_prefix(ed_weights *weights, const char *name)
{
    size_t n_name = strlen(name);

    for (size_t i = 0; i < ed_tensors_count(weights->tensors); i++) {
        const char *full = ed_tensors_at(weights->tensors, i)->name;
        size_t n_full = strlen(full);
        if (n_full < n_name || strcmp(full + n_full - n_name, name) != 0)
            continue;
        size_t n_prefix = n_full - n_name;
        if (n_prefix >= sizeof weights->prefix || (n_prefix > 0 && full[n_prefix - 1] != '.'))
            continue;
        memcpy(weights->prefix, full, n_prefix);
        weights->prefix[n_prefix] = '\0';
        return EMBEDD_OK;
    }
    return ed_fail(weights->err, EMBEDD_FORMAT, "%s: tensor %s is missing", weights->where, name);
}

embedd_status ed_weights_find(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              const ed_tensor **out)
{
    char full[256];
    size_t n_dims = n_rows ? 2 : 1;

    snprintf(full, sizeof full, "%s%s", weights->prefix, name);
    const ed_tensor *tensor = ed_tensors_find(weights->tensors, full);
    if (!tensor)
        return ed_fail(weights->err, EMBEDD_FORMAT, "%s: tensor %s is missing", weights->where,
                       full);
    if (tensor->type == ED_TENSOR_OTHER)
        return ed_fail(weights->err, EMBEDD_UNSUPPORTED, "%s: tensor %s is not F32, F16 or BF16",
                       weights->where, full);
    if (tensor->n_dims != n_dims || tensor->shape[n_dims - 1] != n_cols ||
        (n_rows && tensor->shape[0] != n_rows))
        return ed_fail(weights->err, EMBEDD_FORMAT,
                       "%s: tensor %s has another shape than config.json says ([%zu][%zu])",
                       weights->where, full, n_rows ? n_rows : 1, n_cols);
    *out = tensor;
    return EMBEDD_OK;
}

embedd_status ed_weights_read(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              float **out)
{
    size_t n = (n_rows ? n_rows : 1) * n_cols;
    const ed_tensor *tensor = NULL;
    /* The shape is checked before memory is taken: config.json alone can ask for anything. */
    embedd_status status = ed_weights_find(weights, name, n_rows, n_cols, &tensor);

    if (status != EMBEDD_OK)
        return status;
    *out = ed_calloc(n, sizeof **out);
    if (!*out)
        return out_of_memory(weights);
    weights->weight_bytes += n * sizeof **out;
    return read_into(weights, name, n_rows, n_cols, *out);
}

static embedd_status read_into(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                               float *out)
{
    size_t n = (n_rows ? n_rows : 1) * n_cols;
    const ed_tensor *tensor = NULL;
    embedd_status status = ed_weights_find(weights, name, n_rows, n_cols, &tensor);

    if (status != EMBEDD_OK)
        return status;
    (void)ed_tensor_read_f32(tensor, 0, n, out);
    if (!all_finite(out, n))
        return ed_fail(weights->err, EMBEDD_NONFINITE, "%s: tensor %s holds NaN or infinity",
                       weights->where, tensor->name);
    return EMBEDD_OK;
}

/* Counts exponents of all ones, so that the loop has no exit and becomes vector code. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t n_bad = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        n_bad |= (uint32_t)((bits & 0x7f800000U) == 0x7f800000U);
    }
    return n_bad == 0;
}

static embedd_status check_finite(ed_weights *weights, const ed_tensor *tensor)
{
    float chunk[FINITE_CHUNK];

    for (size_t i = 0; i < tensor->n_elements; i += FINITE_CHUNK) {
        size_t n = tensor->n_elements - i < FINITE_CHUNK ? tensor->n_elements - i : FINITE_CHUNK;
        (void)ed_tensor_read_f32(tensor, i, n, chunk);
        if (!all_finite(chunk, n))
            return ed_fail(weights->err, EMBEDD_NONFINITE, "%s: tensor %s holds NaN or infinity",
                           weights->where, tensor->name);
    }
    return EMBEDD_OK;
}

embedd_status ed_weights_token_embedding(ed_weights *weights, const char *name,
                                         const ed_config *config, const ed_tensor **out)
{
    embedd_status status = find_prefix(weights, name);

    if (status == EMBEDD_OK)
        status = ed_weights_find(weights, name, config->vocabulary, config->hidden_size, out);
    if (status == EMBEDD_OK)
        status = check_finite(weights, *out);
    return status;
}

embedd_status ed_weights_linear(ed_weights *weights, ed_linear *linear, size_t n_parts,
                                const char *const names[], size_t n_out, size_t n_in)
{
    const ed_gemm *gemm = &weights->kernels->gemm_f32;
    const ed_tensor *tensor = NULL;
    embedd_status status = EMBEDD_OK;
    float *rows = NULL; /* [n_parts * n_out][n_in] */
    char name[192];

    *linear = (ed_linear){.gemm = gemm, .n_out = n_parts * n_out, .n_in = n_in};
    for (size_t i = 0; status == EMBEDD_OK && i < n_parts; i++) {
        snprintf(name, sizeof name, "%s.weight", names[i]);
        status = ed_weights_find(weights, name, n_out, n_in, &tensor);
    }
    if (status != EMBEDD_OK)
        return status;
    rows = ed_calloc(linear->n_out * n_in, sizeof *rows);
    linear->bias = ed_calloc(linear->n_out, sizeof *linear->bias);
    linear->weight_bytes = gemm->weights_bytes(linear->n_out, n_in);
    linear->weights = ed_aligned_alloc(linear->weight_bytes);
    if (!rows || !linear->bias || !linear->weights) {
        status = out_of_memory(weights);
        goto done;
    }
    for (size_t i = 0; status == EMBEDD_OK && i < n_parts; i++) {
        snprintf(name, sizeof name, "%s.weight", names[i]);
        status = read_into(weights, name, n_out, n_in, rows + i * n_out * n_in);
        snprintf(name, sizeof name, "%s.bias", names[i]);
        if (status == EMBEDD_OK)
            status = read_into(weights, name, 0, n_out, linear->bias + i * n_out);
    }
    if (status == EMBEDD_OK)
        gemm->pack_weights(linear->weights, rows, linear->n_out, n_in);
    weights->weight_bytes += linear->weight_bytes + linear->n_out * sizeof *linear->bias;
done:
    ed_free(rows);
    return status;
}

embedd_status ed_weights_norm(ed_weights *weights, ed_norm *norm, const char *name, size_t d,
                              float eps)
{
    char gamma[192], beta[192], full[256];

    snprintf(full, sizeof full, "%s%s.gamma", weights->prefix, name);
    bool old_names = ed_tensors_find(weights->tensors, full) != NULL;
    snprintf(gamma, sizeof gamma, "%s.%s", name, old_names ? "gamma" : "weight");
    snprintf(beta, sizeof beta, "%s.%s", name, old_names ? "beta" : "bias");

    norm->eps = eps;
    embedd_status status = ed_weights_read(weights, gamma, 0, d, &norm->gamma);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, beta, 0, d, &norm->beta);
    return status;
}

embedd_status ed_weights_layer(ed_weights *weights, ed_layer *layer, size_t layer_index,
                               const ed_layer_names *names, const ed_config *config)
{
    size_t d = config->hidden_size, f = config->intermediate_size;
    const struct {
        ed_linear *linear;
        size_t n_parts;
        const char *parts[3];
        size_t n_out, n_in;
    } linears[] = {
        {&layer->qkv, 3, {names->query, names->key, names->value}, d, d},
        {&layer->attention_output, 1, {names->attention_output}, d, d},
        {&layer->up, 1, {names->up}, f, d},
        {&layer->down, 1, {names->down}, d, f},
    };
    const struct {
        ed_norm *norm;
        const char *name;
    } norms[] = {
        {&layer->attention_norm, names->attention_norm},
        {&layer->output_norm, names->output_norm},
    };
    embedd_status status = EMBEDD_OK;
    char full[3][160];

    for (size_t i = 0; status == EMBEDD_OK && i < sizeof linears / sizeof *linears; i++) {
        for (size_t j = 0; j < linears[i].n_parts; j++)
            snprintf(full[j], sizeof full[j], "%s.%zu.%s", names->list, layer_index,
                     linears[i].parts[j]);
        status = ed_weights_linear(weights, linears[i].linear, linears[i].n_parts,
                                   (const char *[]){full[0], full[1], full[2]}, linears[i].n_out,
                                   linears[i].n_in);
    }
    for (size_t i = 0; status == EMBEDD_OK && i < sizeof norms / sizeof *norms; i++) {
        snprintf(full[0], sizeof full[0], "%s.%zu.%s", names->list, layer_index, norms[i].name);
        status = ed_weights_norm(weights, norms[i].norm, full[0], d, config->layer_norm_eps);
    }
    return status;
}
