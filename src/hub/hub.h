/* embedd pull, and /api/pull: a model from the Hugging Face hub into a store. Prints nothing. */
#ifndef ED_HUB_H
#define ED_HUB_H

#include "embedd.h"

/* Who wants to know how it goes; each function may be NULL. */
typedef struct ed_hub_watcher {
    void *context;
    /* `n_done` bytes of `file` are here; the first call of a file may have some from an earlier
     * run, the last has n_done == n_bytes. `digest` is "sha256:" or, of Git's blobs, "sha1:", and
     * the checksum. */
    void (*progress)(void *context, const char *file, const char *digest, uint64_t n_done,
                     uint64_t n_bytes);
    /* Something worth a line, such as a retry and its reason. */
    void (*note)(void *context, const char *sentence);
    /* True: give up. Asked several times a second, and once while nothing comes. */
    bool (*stop)(void *context);
} ed_hub_watcher;

typedef struct ed_hub_result {
    char *name;        /* ORG/NAME; ed_free */
    char *folder;      /* where the model is; ed_free */
    char commit[65];   /* what was pulled; "" if the hub was not asked */
    bool already_here; /* nothing was downloaded */
    uint64_t n_bytes;  /* of all files */
    size_t n_files;
} ed_hub_result;

/* `name` is NAME, ORG/NAME or ORG/NAME@REVISION; as Ollama's clients write it, hf.co/ORG/NAME or
 * NAME:latest, too. Without a revision a model that is here already, also in the Hugging Face
 * cache, is left alone and the hub is not asked. `store` NULL = embedd's own.
 *
 * Every file is checked against the hub's checksum, written beside its place and made durable; the
 * folder appears by one rename, or not at all. What came before a failure is kept and the next call
 * goes on from there.
 *
 * Reads HF_ENDPOINT, HF_HUB_OFFLINE, and the token of token.h. Returns ARGUMENT, NOT_FOUND (also
 * for a model that needs a token), NETWORK (also for a pull that was given up), CHECKSUM, FORMAT,
 * UNSUPPORTED (no safetensors weights), IO, MEMORY. */
embedd_status ed_hub_pull(const char *name, const char *store, const ed_hub_watcher *watcher,
                          ed_hub_result *result, embedd_error *err);
void ed_hub_result_clear(ed_hub_result *result);

/* The ORG/NAME that such a name means, in new memory. ARGUMENT: it breaks the hub's rules. */
embedd_status ed_hub_full_name(const char *name, char **full_name, embedd_error *err);

#endif
