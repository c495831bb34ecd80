/* The folder where Ollama keeps the models it pulled, read in place and never written to:
 * ROOT/manifests/HOST/NAMESPACE/MODEL/TAG is JSON that names ROOT/blobs/sha256-HEX by digest. The
 * digests are believed: Ollama checked them when it pulled, and the reader of the blob checks all
 * it uses. Source: github.com/ollama/ollama, manifest/paths.go, types/model/name.go. */
#ifndef ED_OLLAMA_STORE_H
#define ED_OLLAMA_STORE_H

#include "embedd.h"

#define ED_OLLAMA_PREFIX "ollama:" /* before names that are looked for here only */

/* By OLLAMA_MODELS, else HOME, else where Ollama runs as a service; ed_free. NULL if none is set.
 */
char *ed_ollama_store_root(void);

/* The model blob of "[host/][namespace/]model[:tag]", in new memory (ed_free); upper and lower case
 * are the same. ARGUMENT: no such name can be. NOT_FOUND: no manifest, or its blob is missing.
 * FORMAT: the manifest. */
embedd_status ed_ollama_store_find(const char *root, const char *name, char **blob,
                                   embedd_error *err);

/* Calls `add` for each embedding model of the store whose blob is there. Name and path are in new
 * memory, which `add` takes; the name has the prefix and leaves out what Ollama's own names do. */
void ed_ollama_store_each(const char *root, void *context,
                          void (*add)(void *context, char *name, char *blob, size_t n_bytes));

typedef struct ed_ollama_manifest {
    char blob[72];  /* "sha256-" and 64 digits: a file's name */
    size_t n_bytes; /* all layers */
} ed_ollama_manifest;

/* FORMAT and UNSUPPORTED name `where` and the field. */
embedd_status ed_ollama_manifest_parse(ed_ollama_manifest *manifest, const char *json,
                                       size_t n_bytes, const char *where, embedd_error *err);

#endif
