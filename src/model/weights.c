/* Tensors -> weights. In: a checked file of a stranger, any names and shapes. Out: packed memory
 * whose every number is finite; a missing or misshapen tensor is named. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/row_scale.h"

#define FINITE_CHUNK  4096
#define READ_KEPT_MAX ((size_t)32 << 20) /* bytes of float32 read before the file's pages go */

static embedd_status read_finite(ed_weights *weights, const ed_tensor *tensor, size_t begin,
                                 size_t n, float *out);
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
        return ed_fail(weights->err, EMBEDD_UNSUPPORTED,
                       "%s: tensor %s is of a type that holds no weights", weights->where, full);
    if (tensor->n_dims != n_dims || tensor->shape[n_dims - 1] != n_cols ||
        (n_rows && tensor->shape[0] != n_rows))
        return ed_fail(weights->err, EMBEDD_FORMAT,
                       "%s: tensor %s has another shape than config.json says ([%zu][%zu])",
                       weights->where, full, n_rows ? n_rows : 1, n_cols);
    *out = tensor;
    return EMBEDD_OK;
}

bool ed_weights_has(const ed_weights *weights, const char *name)
{
    char full[256];

    snprintf(full, sizeof full, "%s%s", weights->prefix, name);
    return ed_tensors_find(weights->tensors, full) != NULL;
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
    return read_finite(weights, tensor, 0, n, *out);
}

static embedd_status read_finite(ed_weights *weights, const ed_tensor *tensor, size_t begin,
                                 size_t n, float *out)
{
    (void)ed_tensor_read_f32(tensor, begin, n, out);
    weights->n_read_bytes += n * sizeof *out;
    if (weights->n_read_bytes > READ_KEPT_MAX) { /* else the file would be in memory as well */
        ed_tensors_drop_pages(weights->tensors);
        weights->n_read_bytes = 0;
    }
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

    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < tensor->n_elements; i += FINITE_CHUNK) {
        size_t n = tensor->n_elements - i < FINITE_CHUNK ? tensor->n_elements - i : FINITE_CHUNK;
        status = read_finite(weights, tensor, i, n, chunk);
    }
    return status;
}

embedd_status ed_weights_token_embedding(ed_weights *weights, const char *name,
                                         const ed_config *config, const ed_tensor **out)
{
    embedd_status status = find_prefix(weights, name);

    if (status == EMBEDD_OK)
        status = ed_weights_find(weights, name, config->vocabulary, config->hidden_size, out);
    /* Packed weights are of these very files, which were checked when they were packed. */
    if (status == EMBEDD_OK && !(weights->packed && weights->packed->file))
        status = check_finite(weights, *out);
    return status;
}

#define PART_NAME_MAX 192

static embedd_status read_part(ed_weights *weights, const ed_weight_part *part, size_t n_in,
                               bool has_bias, float *rows, float *bias);
static embedd_status pack(ed_weights *weights, ed_linear *linear, const ed_weights_input *input,
                          uint64_t name);
static void part_name(const ed_weights *weights, const ed_weight_part *part,
                      char name[PART_NAME_MAX]);
static embedd_status take_memory(ed_weights *weights, ed_linear *linear);
static uint64_t linear_name(const ed_linear *linear, const ed_weight_part *parts, size_t n_parts);

embedd_status ed_weights_linear(ed_weights *weights, ed_linear *linear, const ed_weight_part *parts,
                                size_t n_parts, size_t n_in, bool has_bias,
                                const ed_weights_input *input)
{
    embedd_status status = EMBEDD_OK;

    if (input && (!input->gamma || !weights->gemm->pack_scaled_rows))
        input = NULL;
    *linear = (ed_linear){.gemm = weights->gemm, .n_in = n_in};
    /* Shapes are checked before memory is taken: config.json alone can ask for anything. */
    for (size_t i = 0; status == EMBEDD_OK && i < n_parts; i++) {
        status = read_part(weights, &parts[i], n_in, has_bias, NULL, NULL);
        linear->n_out += parts[i].n_rows;
    }
    if (status != EMBEDD_OK)
        return status;
    linear->bias = has_bias ? ed_calloc(linear->n_out, sizeof *linear->bias) : NULL;
    weights->weight_bytes += linear->n_out * sizeof *linear->bias;
    if (has_bias && !linear->bias)
        return out_of_memory(weights);
    uint64_t name = linear_name(linear, parts, n_parts);
    bool packed = ed_packed_store_take(weights->packed, name, input != NULL, linear);
    if (packed)
        weights->weight_bytes += linear->weight_bytes;
    else
        status = take_memory(weights, linear);
    for (size_t i = 0, done = 0; status == EMBEDD_OK && i < n_parts; i++) {
        status = read_part(weights, &parts[i], n_in, has_bias,
                           packed ? NULL : weights->rows + done * n_in,
                           has_bias ? linear->bias + done : NULL);
        done += parts[i].n_rows;
    }
    return status == EMBEDD_OK && !packed ? pack(weights, linear, input, name) : status;
}

static embedd_status pack(ed_weights *weights, ed_linear *linear, const ed_weights_input *input,
                          uint64_t name)
{
    if (input) {
        float *scale = ed_calloc(linear->n_in, sizeof *scale);
        if (!scale)
            return out_of_memory(weights);
        ed_row_scale_choose(scale, weights->rows, linear->n_out, linear->n_in, input->gamma,
                            input->n_deciding ? input->n_deciding : linear->n_out);
        linear->row_scale = scale;
        weights->weight_bytes += linear->n_in * sizeof *scale;
    }
    linear->gemm->pack_weights(linear->weights, weights->rows, linear->n_out, linear->n_in);
    return ed_packed_store_put(weights->packed, name, linear, weights->err);
}

/* Stands for the tensors' names, the rows that are taken from them, and the shape. */
static uint64_t linear_name(const ed_linear *linear, const ed_weight_part *parts, size_t n_parts)
{
    const size_t shape[] = {linear->n_out, linear->n_in};
    uint64_t name = ed_checksum(shape, sizeof shape, n_parts);

    for (size_t i = 0; i < n_parts; i++) {
        const size_t rows[] = {parts[i].row_begin, parts[i].n_rows, parts[i].n_rows_total};
        name = ed_checksum(parts[i].name, strlen(parts[i].name), name);
        name = ed_checksum(rows, sizeof rows, name);
    }
    return name;
}

/* The packed weights' memory, and room in weights->rows for the matrix in plain float32. That is
 * kept from one matrix to the next: fresh pages are most of the time that opening a model takes. */
static embedd_status take_memory(ed_weights *weights, ed_linear *linear)
{
    size_t n = linear->n_out * linear->n_in;

    if (n > weights->rows_cap) {
        float *rows = ed_realloc(weights->rows, n, sizeof *rows);
        if (!rows)
            return out_of_memory(weights);
        weights->rows = rows;
        weights->rows_cap = n;
    }
    linear->weight_bytes = linear->gemm->weights_bytes(linear->n_out, linear->n_in);
    linear->weights = ed_aligned_alloc(linear->weight_bytes);
    weights->weight_bytes += linear->weight_bytes;
    return linear->weights ? EMBEDD_OK : out_of_memory(weights);
}

void ed_weights_clear(ed_weights *weights)
{
    ed_free(weights->rows);
    weights->rows = NULL;
    weights->rows_cap = 0;
}

static void part_name(const ed_weights *weights, const ed_weight_part *part,
                      char name[PART_NAME_MAX])
{
    snprintf(name, PART_NAME_MAX, "%s", part->name);
    if (!ed_weights_has(weights, name))
        snprintf(name, PART_NAME_MAX, "%s.weight", part->name);
}

embedd_status ed_weights_linear_transposed(ed_weights *weights, ed_linear *linear,
                                           const ed_weight_part *part, size_t n_out)
{
    size_t n_in = part->n_rows;
    float *transposed = NULL;
    embedd_status status = read_part(weights, part, n_out, false, NULL, NULL);

    *linear = (ed_linear){.gemm = weights->gemm, .n_out = n_out, .n_in = n_in};
    if (status != EMBEDD_OK)
        return status;
    uint64_t name = linear_name(linear, part, 1);
    if (ed_packed_store_take(weights->packed, name, false, linear)) {
        weights->weight_bytes += linear->weight_bytes;
        return EMBEDD_OK;
    }
    status = take_memory(weights, linear);
    if (status == EMBEDD_OK)
        transposed = ed_calloc(n_in * n_out, sizeof *transposed);
    if (status == EMBEDD_OK && !transposed)
        status = out_of_memory(weights);
    if (status == EMBEDD_OK)
        status = read_part(weights, part, n_out, false, transposed, NULL);
    for (size_t i = 0; status == EMBEDD_OK && i < n_in; i++)
        for (size_t j = 0; j < n_out; j++)
            weights->rows[j * n_in + i] = transposed[i * n_out + j];
    ed_free(transposed);
    return status == EMBEDD_OK ? pack(weights, linear, NULL, name) : status;
}

/* Checks the shapes, and reads the numbers where there is a place for them. */
static embedd_status read_part(ed_weights *weights, const ed_weight_part *part, size_t n_in,
                               bool has_bias, float *rows, float *bias)
{
    const ed_tensor *weight = NULL, *addend = NULL;
    embedd_status status;
    char name[PART_NAME_MAX];

    part_name(weights, part, name);
    status = ed_weights_find(weights, name, part->n_rows_total, n_in, &weight);
    snprintf(name, sizeof name, "%s.bias", part->name);
    if (status == EMBEDD_OK && has_bias)
        status = ed_weights_find(weights, name, 0, part->n_rows_total, &addend);
    if (status == EMBEDD_OK && rows)
        status = read_finite(weights, weight, part->row_begin * n_in, part->n_rows * n_in, rows);
    if (status == EMBEDD_OK && bias)
        status = read_finite(weights, addend, part->row_begin, part->n_rows, bias);
    return status;
}

embedd_status ed_weights_norm(ed_weights *weights, ed_norm *norm, const char *name, size_t d,
                              const ed_norm_style *style)
{
    char gamma[192], beta[192];

    snprintf(gamma, sizeof gamma, "%s.gamma", name);
    bool old_names = ed_weights_has(weights, gamma);
    snprintf(gamma, sizeof gamma, "%s.%s", name, old_names ? "gamma" : "weight");
    snprintf(beta, sizeof beta, "%s.%s", name, old_names ? "beta" : "bias");

    norm->eps = style->eps;
    norm->rms = style->rms;
    embedd_status status = ed_weights_read(weights, gamma, 0, d, &norm->gamma);
    if (status != EMBEDD_OK)
        return status;
    for (size_t i = 0; i < d; i++)
        norm->gamma[i] += style->gamma_offset;
    if (style->has_beta)
        return ed_weights_read(weights, beta, 0, d, &norm->beta);
    norm->beta = ed_calloc(d, sizeof *norm->beta);
    return norm->beta ? EMBEDD_OK : out_of_memory(weights);
}
