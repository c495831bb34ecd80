/* A GGUF file seen as a model folder: its metadata as config.json says it, its tensors under the
 * names of the published weights. What comes after does not know which kind of file it was. */
#ifndef ED_GGUF_MODEL_H
#define ED_GGUF_MODEL_H

#include "formats/gguf.h"
#include "model/config.h"
#include "model/modules.h"

/* UNSUPPORTED names the architecture or the setting, FORMAT the metadata field. */
embedd_status ed_gguf_config_read(ed_config *config, const ed_gguf *gguf, embedd_error *err);

/* Pooling and the longest text. The last module is Normalize where Ollama's answers have length 1:
 * its rule for files that do not say it themselves is the only one there is. */
embedd_status ed_gguf_modules_read(ed_modules *modules, const ed_gguf *gguf, embedd_error *err);

/* Views into the file, which must outlive them. */
embedd_status ed_gguf_tensors_open(ed_tensors **out, const ed_gguf *gguf, embedd_error *err);

/* ---- between the files of this reader -------------------------------------------------------- */

typedef struct ed_gguf_names {
    const char *from, *to; /* without ".weight" and ".bias"; of a layer: without "blk.N." */
} ed_gguf_names;

typedef struct ed_gguf_architecture {
    const char *name;       /* general.architecture */
    const char *model_type; /* of config.json */
    const char *activation; /* unless hidden_activation says another */
    bool causal;
    bool rms_norm;
    bool has_biases;
    bool has_windows;            /* on most layers */
    const char *layer_list;      /* what stands for "blk" */
    const ed_gguf_names *names;  /* of the model; ended by from NULL */
    const ed_gguf_names *layers; /* of a layer */
} ed_gguf_architecture;

/* By general.architecture. */
embedd_status ed_gguf_architecture_of(const ed_gguf *gguf, const ed_gguf_architecture **out,
                                      embedd_error *err);
/* RoBERTa and its kin are called "bert" too: their tokenizers tell them apart. */
bool ed_gguf_is_roberta(const ed_gguf *gguf, const ed_gguf_architecture *architecture);

#endif
