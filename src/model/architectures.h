/* The table of architectures: model_type of config.json -> the file that reads its weights. */
#ifndef ED_ARCHITECTURES_H
#define ED_ARCHITECTURES_H

#include "model/layer_weights.h"
#include "model/weights.h"

typedef struct ed_architecture {
    const char *model_type;
    /* Fills embeddings, norms and layers; sizes are set already. Errors go to weights->err. What
     * was filled before a failure is released by ed_transformer_close. */
    embedd_status (*load)(ed_transformer *transformer, const ed_config *config,
                          ed_weights *weights);
} ed_architecture;

embedd_status ed_bert_load(ed_transformer *transformer, const ed_config *config,
                           ed_weights *weights);
embedd_status ed_roberta_load(ed_transformer *transformer, const ed_config *config,
                              ed_weights *weights);
embedd_status ed_jina_bert_load(ed_transformer *transformer, const ed_config *config,
                                ed_weights *weights);
embedd_status ed_distilbert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights);
embedd_status ed_mpnet_load(ed_transformer *transformer, const ed_config *config,
                            ed_weights *weights);
embedd_status ed_nomic_bert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights);
embedd_status ed_gte_load(ed_transformer *transformer, const ed_config *config,
                          ed_weights *weights);
embedd_status ed_modernbert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights);
embedd_status ed_qwen3_load(ed_transformer *transformer, const ed_config *config,
                            ed_weights *weights);
embedd_status ed_gemma3_load(ed_transformer *transformer, const ed_config *config,
                             ed_weights *weights);

/* ---- what several of them share -------------------------------------------------------------- */

/* Positions count from pad_id + 1 and skip pad tokens, so that the table serves shorter texts. */
embedd_status ed_architecture_skip_pads(ed_transformer *transformer, const ed_config *config,
                                        ed_weights *weights);
/* Angles for every position of the longest text. */
embedd_status ed_architecture_rotary(ed_transformer *transformer, ed_rotary *rotary, double theta,
                                     ed_weights *weights);

#endif
