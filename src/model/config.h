/* config.json of a Hugging Face transformer: the sizes that every weight is checked against. */
#ifndef ED_CONFIG_H
#define ED_CONFIG_H

#include "embedd.h"
#include "kernels/kernels.h"

struct json_object;

typedef struct ed_config {
    char architecture[32];    /* model_type */
    size_t hidden_size;       /* D */
    size_t n_layers;          /* L */
    size_t n_heads;           /* H */
    size_t n_kv_heads;        /* G: heads of key and value; divides H */
    size_t head_size;         /* K */
    size_t intermediate_size; /* F */
    size_t vocabulary;        /* V, rows of the token embedding */
    size_t n_positions;       /* longest text the config speaks of */
    size_t n_token_types;
    size_t pad_id;
    size_t n_relative_buckets; /* 0 = no relative position bias */
    size_t n_experts;          /* 0 = no block of experts */
    size_t n_experts_used;
    float norm_eps;
    ed_activation activation;
    bool whole_gamma; /* the file holds gamma where Gemma's published one holds gamma - 1 */

    /* For what only one architecture has; its file reads it by ed_json_get_* and `path`. */
    struct json_object *root;
    char *path;
} ed_config;

/* Reads and checks <folder>/config.json. FORMAT and UNSUPPORTED name the field. */
embedd_status ed_config_read(ed_config *config, const char *folder, embedd_error *err);
/* The same from a tree, which it takes, also on failure; `path` names it in messages. */
embedd_status ed_config_take(ed_config *config, struct json_object *root, const char *path,
                             embedd_error *err);
void ed_config_clear(ed_config *config);
/* Of all its fields, also those that are not read: see ed_checksum. */
uint64_t ed_config_fingerprint(const ed_config *config);

/* The base of the rotary frequencies, wherever this version of transformers writes it:
 * rope_parameters[layer_type].rope_theta, rope_parameters.rope_theta or `old_field`; *out is left
 * as it is where none is there. Scaled variants are UNSUPPORTED. `layer_type` may be NULL. */
embedd_status ed_config_rope_theta(const ed_config *config, const char *layer_type,
                                   const char *old_field, double *out, embedd_error *err);

/* out[n_layers]: true where layer_types says "full_attention". False as the result if there is no
 * such list. FORMAT if it has another length or other words. */
embedd_status ed_config_full_layers(const ed_config *config, bool *out, bool *found,
                                    embedd_error *err);

#endif
