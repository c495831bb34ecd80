/* The table of architectures: model_type of config.json -> the file that reads its weights. */
#ifndef ED_ARCHITECTURES_H
#define ED_ARCHITECTURES_H

#include "model/weights.h"

typedef struct ed_architecture {
    const char *model_type;
    /* Fills position_embedding ... layers; sizes are set already. Errors go to weights->err. What
     * was filled before a failure is released by ed_transformer_close. */
    embedd_status (*load)(ed_transformer *transformer, const ed_config *config,
                          ed_weights *weights);
} ed_architecture;

embedd_status ed_bert_load(ed_transformer *transformer, const ed_config *config,
                           ed_weights *weights);
embedd_status ed_mpnet_load(ed_transformer *transformer, const ed_config *config,
                            ed_weights *weights);

#endif
