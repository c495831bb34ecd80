/* What can be told of a model, loaded or not, and whether its files have changed. */
#ifndef ED_MODEL_FACTS_H
#define ED_MODEL_FACTS_H

#include "embedd.h"

typedef struct ed_model_files {
    bool gguf;          /* one file, not a folder */
    size_t n_bytes;     /* of all files */
    int64_t modified_s; /* the latest, seconds since 1970 */
    uint64_t stamp;     /* another number means other files; 0 = there are none */
} ed_model_files;

/* "" and 0 = unknown */
typedef struct ed_model_facts {
    char architecture[32];
    char pooling[64];
    char dtype[16];
    size_t dimensions, tokens_max, n_parameters, n_layers, weight_bytes;
    bool normalized;
} ed_model_facts;

void ed_model_files_look(ed_model_files *files, const char *path);

/* From config.json: a model that is not loaded, or cannot be, is listed, too. */
void ed_model_facts_read(ed_model_facts *facts, const char *path);
void ed_model_facts_copy(ed_model_facts *facts, const embedd_model_info *info);

#endif
