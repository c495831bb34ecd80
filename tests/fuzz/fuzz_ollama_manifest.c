/* Manifests of Ollama's store: of one that is accepted the blob is a plain file name; a refusal
 * says where. */
#include "formats/ollama_store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_ollama_manifest manifest;
    embedd_error err;

    if (ed_ollama_manifest_parse(&manifest, (const char *)data, n_bytes, "fuzz", &err) !=
        EMBEDD_OK) {
        if (strncmp(err.message, "fuzz: ", 6) != 0)
            abort();
        return 0;
    }
    if (strlen(manifest.blob) != 71 || strncmp(manifest.blob, "sha256-", 7) != 0 ||
        strspn(manifest.blob + 7, "0123456789abcdefABCDEF") != 64)
        abort();
    return 0;
}
