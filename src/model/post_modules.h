/* The modules after pooling: Dense, LayerNorm, Normalize, in the folder's order.
 * Source: sentence_transformers Dense, LayerNorm and Normalize. */
#ifndef ED_POST_MODULES_H
#define ED_POST_MODULES_H

#include "formats/tensors.h"
#include "model/linear.h"
#include "model/modules.h"
#include "model/norm.h"
#include "model/workspace.h"

typedef struct ed_post_module {
    ed_module_kind kind;
    ed_linear linear; /* Dense */
    ed_activation activation;
    ed_norm norm; /* LayerNorm */
} ed_post_module;

typedef struct ed_post_modules {
    ed_post_module steps[ED_MODULES_MAX];
    size_t n_steps;
    size_t weight_bytes;
} ed_post_modules;

/* Reads the weights of the modules that `modules` lists, from their folders or from `tensors`, the
 * model's own, which `where` names. */
embedd_status ed_post_modules_open(ed_post_modules *post, const ed_modules *modules,
                                   const ed_tensors *tensors, const ed_kernels *kernels,
                                   const char *where, embedd_error *err);
void ed_post_modules_close(ed_post_modules *post);

/* Length of the vector that goes out where one of n_in numbers comes in; 0 if it does not fit. */
size_t ed_post_modules_out(const ed_post_modules *post, size_t n_in);
/* The longest vector on the way. */
size_t ed_post_modules_widest(const ed_post_modules *post, size_t n_in);

/* workspace->vector[n_in] -> workspace->vector[n_out]; returns n_out. n_in must fit. */
size_t ed_post_modules_run(const ed_post_modules *post, ed_workspace *workspace, size_t n_in);

#endif
