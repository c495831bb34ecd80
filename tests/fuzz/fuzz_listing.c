/* What a hub answers: whatever it is, a file that gets through has a name below the model's folder,
 * a size and a checksum of the right length. */
#include "hub/listing.h"

#include <stdlib.h>
#include <string.h>

static void check_name(const char *name)
{
    size_t n_slashes = 0;

    if (name[0] == '\0' || name[0] == '/' || name[0] == '.' || strstr(name, "/.") ||
        strstr(name, "//"))
        abort();
    for (const char *c = name; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '\\')
            abort();
        n_slashes += *c == '/';
    }
    if (n_slashes > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_listing listing;
    embedd_error err;
    uint64_t total = 0;

    if (ed_listing_read(&listing, (const char *)data, n_bytes, "listing", &err) != EMBEDD_OK) {
        if (listing.files || listing.n_files || err.message[0] == '\0')
            abort();
        return 0;
    }
    if (strlen(listing.commit) != 40 || listing.n_files == 0)
        abort();
    for (size_t i = 0; i < listing.n_files; i++) {
        const ed_listed_file *file = &listing.files[i];
        check_name(file->name);
        if (strlen(file->checksum) != (file->checksum_kind == ED_SHA_256 ? 64 : 40))
            abort();
        total += file->n_bytes;
    }
    if (total != listing.n_bytes)
        abort();
    ed_listing_clear(&listing);
    return 0;
}
