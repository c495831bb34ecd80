/* config.json of a Hugging Face transformer: the sizes that every weight is checked against. */
#ifndef ED_CONFIG_H
#define ED_CONFIG_H

#include "embedd.h"
#include "kernels/kernels.h"

typedef struct ed_config {
    char architecture[32];    /* model_type */
    size_t hidden_size;       /* D */
    size_t n_layers;          /* L */
    size_t n_heads;           /* H; divides D */
    size_t intermediate_size; /* F */
    size_t vocabulary;        /* V, rows of the token embedding */
    size_t n_positions;       /* rows of the position embedding */
    size_t n_token_types;
    size_t pad_id;
    size_t n_relative_buckets; /* 0 = no relative position bias */
    float layer_norm_eps;
    ed_activation activation;
} ed_config;

/* Reads and checks <folder>/config.json. FORMAT and UNSUPPORTED name the field. */
embedd_status ed_config_read(ed_config *config, const char *folder, embedd_error *err);

#endif
