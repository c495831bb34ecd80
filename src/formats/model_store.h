/* Where models are: a folder, a GGUF file, a name pulled by embedd, a snapshot in the Hugging Face
 * cache, a model of Ollama's. */
#ifndef ED_MODEL_STORE_H
#define ED_MODEL_STORE_H

#include "embedd.h"

typedef struct ed_stored_model {
    char *name;   /* "sentence-transformers/all-MiniLM-L6-v2" */
    char *folder; /* absolute path of the folder with config.json, or of a GGUF file */
    char *source; /* "embedd", "huggingface", "ollama" */
    size_t n_bytes;
} ed_stored_model;

/* Folder or GGUF file of `name`: a path of one wins; then embedd's own store (EMBEDD_MODELS,
 * default $XDG_DATA_HOME/embedd/models), then the Hugging Face cache (HF_HUB_CACHE, HF_HOME), then
 * Ollama's store (OLLAMA_MODELS), where alone "ollama:NAME" is looked for. A name without owner
 * means sentence-transformers/ in the first two. Release *folder with ed_free. NOT_FOUND says where
 * it looked and how to pull. */
embedd_status ed_model_store_find(const char *name, char **folder, embedd_error *err);

/* The same for "owner/name" in the first two: what was pulled. A path is not looked for. */
bool ed_model_store_find_pulled(const char *full_name, char **folder);

/* All of them, sorted by name; release with ed_model_store_free_list. */
embedd_status ed_model_store_list(ed_stored_model **out, size_t *n_out, embedd_error *err);
void ed_model_store_free_list(ed_stored_model *models, size_t n_models);

/* embedd's own store, created by nobody here; ed_free. NULL if no variable says where. */
char *ed_model_store_root(void);

/* Where the program keeps packed weights: $XDG_CACHE_HOME/embedd/packed; as ed_model_store_root. */
char *ed_model_cache_root(void);

/* "owner/name" of a model's name, in new memory; ARGUMENT if it breaks the hub's rules: such a name
 * never becomes part of a path. */
embedd_status ed_model_store_full_name(const char *name, char **full_name, embedd_error *err);

#endif
