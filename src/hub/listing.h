/* What the hub says a model consists of: GET /api/models/ORG/NAME/revision/REV?blobs=true. */
#ifndef ED_LISTING_H
#define ED_LISTING_H

#include "embedd.h"
#include "hub/sha.h"

typedef struct ed_listed_file {
    char *name; /* "config.json", "1_Pooling/config.json": safe to put behind a folder */
    uint64_t n_bytes;
    ed_sha_kind checksum_kind; /* of Git LFS files SHA-256, else Git's blob name */
    char checksum[ED_SHA_HEX_MAX];
} ed_listed_file;

typedef struct ed_listing {
    char commit[65];
    ed_listed_file *files; /* those that a sentence-transformers folder needs */
    size_t n_files;
    uint64_t n_bytes; /* of these files */
} ed_listing;

/* `where` names the answer in errors. FORMAT (not what the hub answers, or a file name that leaves
 * the folder), UNSUPPORTED (no safetensors weights), LIMIT, MEMORY. */
embedd_status ed_listing_read(ed_listing *listing, const char *json, size_t n_bytes,
                              const char *where, embedd_error *err);
void ed_listing_clear(ed_listing *listing);

#endif
