/* One vector at a time through the modules after pooling: small next to the layers before. */
#include "model/post_modules.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"
#include "model/vector.h"
#include "model/weights.h"

#define JSON_BYTES_MAX (1U << 20)
#define LAYER_NORM_EPS 1e-5F /* torch's default, which the reference leaves as it is */
#define FEATURES_MAX   ((size_t)1 << 20)

static embedd_status open_plain_dense(ed_post_module *step, const char *name, ed_weights *weights);
static embedd_status open_folder(ed_post_module *step, const char *folder, ed_weights *weights);
static embedd_status open_dense(ed_post_module *step, const char *folder, ed_weights *weights,
                                embedd_error *err);
static embedd_status open_layer_norm(ed_post_module *step, const char *folder, ed_weights *weights,
                                     embedd_error *err);

embedd_status ed_post_modules_open(ed_post_modules *post, const ed_modules *modules,
                                   const ed_tensors *tensors, const ed_kernels *kernels,
                                   const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;

    *post = (ed_post_modules){.n_steps = 0};
    for (size_t i = 0; status == EMBEDD_OK && i < modules->n_steps; i++) {
        const ed_module_step *module = &modules->steps[i];
        ed_post_module *step = &post->steps[post->n_steps++];
        ed_weights weights = {
            .tensors = tensors, .gemm = &kernels->gemm_f32, .where = where, .err = err};

        step->kind = module->kind;
        if (module->name)
            status = open_plain_dense(step, module->name, &weights);
        else if (step->kind != ED_MODULE_NORMALIZE)
            status = open_folder(step, module->folder, &weights);
        post->weight_bytes += weights.weight_bytes;
        ed_weights_clear(&weights);
    }
    if (status != EMBEDD_OK)
        ed_post_modules_close(post);
    return status;
}

void ed_post_modules_close(ed_post_modules *post)
{
    for (size_t i = 0; i < post->n_steps; i++) {
        ed_linear_clear(&post->steps[i].linear);
        ed_norm_clear(&post->steps[i].norm);
    }
    *post = (ed_post_modules){.n_steps = 0};
}

static embedd_status open_plain_dense(ed_post_module *step, const char *name, ed_weights *weights)
{
    char full[64];

    snprintf(full, sizeof full, "%s.weight", name);
    const ed_tensor *tensor = ed_tensors_find(weights->tensors, full);
    if (!tensor || tensor->n_dims != 2)
        return ed_fail(weights->err, EMBEDD_FORMAT, "%s: tensor %s is missing or no matrix",
                       weights->where, full);
    const ed_weight_part part = {name, 0, tensor->shape[0], tensor->shape[0]};
    return ed_weights_linear(weights, &step->linear, &part, 1, tensor->shape[1], false, NULL);
}

static embedd_status open_folder(ed_post_module *step, const char *folder, ed_weights *weights)
{
    ed_tensors *tensors = NULL;
    embedd_status status = ed_tensors_open(&tensors, folder, weights->err);

    weights->tensors = tensors;
    weights->where = folder;
    if (status == EMBEDD_OK && step->kind == ED_MODULE_DENSE)
        status = open_dense(step, folder, weights, weights->err);
    else if (status == EMBEDD_OK)
        status = open_layer_norm(step, folder, weights, weights->err);
    ed_tensors_close(tensors);
    return status;
}

static embedd_status read_config(const char *folder, char **path, struct json_object **root,
                                 embedd_error *err)
{
    *path = ed_path_join(folder, "config.json");
    if (!*path)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    return ed_json_read_file(*path, JSON_BYTES_MAX, root, err);
}

/* "torch.nn.modules.activation.Tanh" */
static embedd_status parse_activation(const char *full, const char *path, ed_activation *out,
                                      embedd_error *err)
{
    static const struct {
        const char *name;
        ed_activation activation;
    } known[] = {
        {"Identity", ED_ACTIVATION_NONE}, {"Tanh", ED_ACTIVATION_TANH},
        {"ReLU", ED_ACTIVATION_RELU},     {"GELU", ED_ACTIVATION_GELU},
        {"SiLU", ED_ACTIVATION_SILU},
    };
    const char *name = strrchr(full, '.') ? strrchr(full, '.') + 1 : full;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            *out = known[i].activation;
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: activation_function \"%.60s\"", path, full);
}

static embedd_status open_dense(ed_post_module *step, const char *folder, ed_weights *weights,
                                embedd_error *err)
{
    const char *activation = "Tanh"; /* the reference's default */
    struct json_object *root = NULL;
    size_t n_in = 0, n_out = 0;
    char *path = NULL;
    bool bias = true;
    embedd_status status = read_config(folder, &path, &root, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_size(root, "in_features", &n_in, path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(root, "out_features", &n_out, path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(root, "bias", &bias, path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(root, "activation_function", &activation, path, err);
    if (status == EMBEDD_OK)
        status = parse_activation(activation, path, &step->activation, err);
    if (status == EMBEDD_OK &&
        (n_in == 0 || n_in > FEATURES_MAX || n_out == 0 || n_out > FEATURES_MAX))
        status =
            ed_fail(err, EMBEDD_FORMAT, "%s: in_features or out_features is out of range", path);
    if (status == EMBEDD_OK) {
        const ed_weight_part part = {"linear", 0, n_out, n_out};
        status = ed_weights_linear(weights, &step->linear, &part, 1, n_in, bias, NULL);
    }
    json_object_put(root);
    ed_free(path);
    return status;
}

static embedd_status open_layer_norm(ed_post_module *step, const char *folder, ed_weights *weights,
                                     embedd_error *err)
{
    const ed_norm_style style = {.has_beta = true, .eps = LAYER_NORM_EPS};
    struct json_object *root = NULL;
    size_t d = 0;
    char *path = NULL;
    embedd_status status = read_config(folder, &path, &root, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_size(root, "dimension", &d, path, err);
    if (status == EMBEDD_OK && (d == 0 || d > FEATURES_MAX))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: dimension is out of range", path);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &step->norm, "norm", d, &style);
    step->linear.n_in = step->linear.n_out = d;
    json_object_put(root);
    ed_free(path);
    return status;
}

size_t ed_post_modules_out(const ed_post_modules *post, size_t n_in)
{
    for (size_t i = 0; i < post->n_steps; i++) {
        if (post->steps[i].kind == ED_MODULE_NORMALIZE)
            continue;
        if (post->steps[i].linear.n_in != n_in)
            return 0;
        n_in = post->steps[i].linear.n_out;
    }
    return n_in;
}

size_t ed_post_modules_widest(const ed_post_modules *post, size_t n_in)
{
    for (size_t i = 0; i < post->n_steps; i++)
        if (post->steps[i].linear.n_out > n_in)
            n_in = post->steps[i].linear.n_out;
    return n_in;
}

size_t ed_post_modules_run(const ed_post_modules *post, ed_workspace *workspace, size_t n_in)
{
    const ed_kernels *kernels = workspace->kernels;
    size_t n = n_in;

    for (size_t i = 0; i < post->n_steps; i++) {
        const ed_post_module *step = &post->steps[i];
        float *x = workspace->vector;

        switch (step->kind) {
        case ED_MODULE_NORMALIZE:
            ed_vector_normalize(kernels, x, n);
            break;
        case ED_MODULE_LAYER_NORM:
            kernels->f32_layernorm(x, n, x, n, step->norm.gamma, step->norm.beta, step->norm.eps, 1,
                                   n);
            break;
        case ED_MODULE_DENSE: /* the rows are packed before `out` is written */
            ed_linear_run(
                &step->linear, workspace,
                &(ed_linear_call){
                    .x = x, .ld_x = n, .n_rows = 1, .out = x, .ld_out = step->linear.n_out});
            n = step->linear.n_out;
            kernels->f32_activate(x, n, step->activation);
            break;
        }
    }
    return n;
}
