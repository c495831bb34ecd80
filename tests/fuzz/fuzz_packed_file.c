/* Files of packed weights: of one that is accepted, every section lies in the file and is its own.
 * Each input is read as it is, and once more with the checksums made right, so that what is behind
 * them is reached. */
#include "formats/packed_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"

static void seal(unsigned char *bytes, size_t n_bytes)
{
    ed_packed_header header;

    if (n_bytes < ED_PACKED_PAGE)
        return;
    memcpy(&header, bytes, sizeof header);
    memcpy(header.magic, ED_PACKED_MAGIC, sizeof header.magic);
    size_t table = header.table_begin <= n_bytes ? (size_t)header.table_begin : n_bytes;
    for (size_t at = table; n_bytes - at >= sizeof(ed_packed_section);
         at += sizeof(ed_packed_section)) {
        ed_packed_section section;
        memcpy(&section, bytes + at, sizeof section);
        if (section.begin > n_bytes || section.n_bytes > n_bytes - section.begin)
            continue;
        section.ends_checksum =
            ed_packed_ends_checksum(bytes + section.begin, (size_t)section.n_bytes);
        memcpy(bytes + at, &section, sizeof section);
    }
    header.file_bytes = n_bytes;
    header.table_checksum = ed_checksum(bytes + table, n_bytes - table, 0);
    header.checksum = ed_checksum(&header, offsetof(ed_packed_header, checksum), 0);
    memcpy(bytes, &header, sizeof header);
}

static void read_file(const unsigned char *bytes, size_t n_bytes)
{
    ed_packed_file file;
    embedd_error err;
    size_t from = ED_PACKED_PAGE;

    if (ed_packed_file_parse(&file, bytes, n_bytes, "fuzz", &err) != EMBEDD_OK) {
        if (err.status != EMBEDD_FORMAT || strncmp(err.message, "fuzz: ", 6) != 0)
            abort();
        return;
    }
    if (memchr(file.header.key, '\0', sizeof file.header.key) == NULL)
        abort();
    for (size_t i = 0; i < file.header.n_sections; i++) {
        ed_packed_section section = ed_packed_file_section(&file, i);
        if (section.begin < from || section.begin % ED_PACKED_PAGE != 0 ||
            section.begin + section.n_bytes > file.header.table_begin)
            abort();
        from = section.begin + section.n_bytes;
    }
    if (ed_packed_file_check(&file, "fuzz", &err) != EMBEDD_OK && err.status != EMBEDD_CHECKSUM)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    unsigned char *copy = malloc(n_bytes ? n_bytes : 1);

    read_file(data, n_bytes);
    if (copy) {
        if (n_bytes > 0)
            memcpy(copy, data, n_bytes);
        seal(copy, n_bytes);
        read_file(copy, n_bytes);
    }
    free(copy);
    return 0;
}
