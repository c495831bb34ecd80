/* Which model, prompt, pooling and cut made some vectors. */
#ifndef ED_MODEL_MATCH_H
#define ED_MODEL_MATCH_H

#include "cli/vector_records.h"

#define ED_COSINE_SAME  0.9999 /* rounding: the same numbers */
#define ED_COSINE_CLOSE 0.99   /* another precision of the same weights: the same neighbours */

/* One way to embed, and how near it comes. */
typedef struct ed_model_match {
    char *model;       /* as -m takes it */
    char *prompt_name; /* NULL = no prompt, not even the model's default */
    bool has_default_prompt;
    embedd_pooling pooling;
    bool own_pooling;
    embedd_cut cut;
    size_t dimensions;       /* of the model; more than the records' = they are cut */
    double least, mean;      /* cosine to the records */
    size_t n_compared;       /* texts that the model reads whole */
    size_t n_same, n_close;  /* at least ED_COSINE_SAME, ED_COSINE_CLOSE */
    double length_ratio_min; /* record's length by that of the raw vector; 0 = not measured */
    double length_ratio_max;
} ed_model_match;

#define ED_MATCHES_MAX 256

typedef struct ed_model_matches {
    ed_model_match matches[ED_MATCHES_MAX]; /* best first, after ed_model_matches_sort */
    size_t n_matches;
    size_t n_tried; /* also those that were too far to keep */
    uint64_t n_texts_embedded;
} ed_model_matches;

typedef struct ed_match_model {
    const char *name, *folder;
    embedd_model_options options;
    size_t n_threads;
} ed_match_model;

/* Tries one model with no prompt and with each of its prompts, and with other poolings where its
 * own does not fit. *reason is "" or says why the model cannot have made the records. MEMORY; IO: a
 * record's text is not valid. */
embedd_status ed_model_matches_try(ed_model_matches *matches, const ed_match_model *model,
                                   const ed_vector_records *records, char reason[256],
                                   embedd_error *err);
void ed_model_matches_sort(ed_model_matches *matches);
void ed_model_matches_clear(ed_model_matches *matches);

#endif
