/* The sentence-transformers part of a model folder: which modules run after each other, how tokens
 * are pooled, how long a text may be, which prompts there are. */
#ifndef ED_MODULES_H
#define ED_MODULES_H

#include "embedd.h"

#define ED_MODULES_MAX 8 /* after pooling */

typedef enum ed_module_kind {
    ED_MODULE_DENSE,
    ED_MODULE_LAYER_NORM,
    ED_MODULE_NORMALIZE
} ed_module_kind;

typedef struct ed_module_step {
    ed_module_kind kind;
    char *folder;     /* or NULL: it has no weights, or they are in the model's own file */
    const char *name; /* there "NAME.weight", of a Dense without bias and activation; or NULL */
} ed_module_step;

typedef struct ed_modules {
    char *transformer_folder;             /* where config.json and the weights are */
    embedd_pooling pooling;               /* 0 = no Pooling module */
    bool include_prompt;                  /* pooling counts the prompt's tokens */
    bool normalize;                       /* the last module is Normalize */
    bool splade;                          /* SpladePooling instead of Pooling */
    bool listed;                          /* there is a modules.json */
    ed_module_step steps[ED_MODULES_MAX]; /* after pooling */
    size_t n_steps;
    bool lower_case;        /* do_lower_case of sentence_bert_config.json */
    size_t tokens_max;      /* SIZE_MAX = the files give no limit */
    embedd_prompt *prompts; /* [n_prompts] */
    size_t n_prompts;
    const char *default_prompt; /* one of prompts[].name, or NULL */
} ed_modules;

/* From modules.json, N_Pooling/config.json, sentence_bert_config.json, tokenizer_config.json and
 * config_sentence_transformers.json. A folder without modules.json is a bare transformer. FORMAT
 * and UNSUPPORTED name file and field. */
embedd_status ed_modules_read(ed_modules *modules, const char *folder, embedd_error *err);
void ed_modules_clear(ed_modules *modules);

/* Modes in `pooling`, 1 to 8; 0 if it is not a list of known modes. */
size_t ed_pooling_count(embedd_pooling pooling);
/* The mode at a place of the list, EMBEDD_POOLING_CLS ... */
embedd_pooling ed_pooling_at(embedd_pooling pooling, size_t mode_index);
/* "cls+mean"; cut at cap. */
void ed_pooling_format(embedd_pooling pooling, char *out, size_t cap);

#endif
