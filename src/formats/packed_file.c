/* In: the bytes of a file that anything may have happened to. Out: its sections, none outside the
 * file. Never believes a number before it is checked. */
#include "formats/packed_file.h"

#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/error.h"

static bool header_fits(const ed_packed_header *header, size_t n_bytes);
static bool section_fits(const ed_packed_file *file, const ed_packed_section *section, size_t from);

uint64_t ed_packed_ends_checksum(const unsigned char *bytes, size_t n_bytes)
{
    size_t n = n_bytes < ED_PACKED_PAGE ? n_bytes : ED_PACKED_PAGE;

    return ed_checksum(bytes + n_bytes - n, n, ed_checksum(bytes, n, 0));
}

embedd_status ed_packed_file_parse(ed_packed_file *file, const unsigned char *bytes, size_t n_bytes,
                                   const char *where, embedd_error *err)
{
    ed_packed_header *header = &file->header;
    size_t from = ED_PACKED_PAGE;

    *file = (ed_packed_file){.bytes = bytes, .n_bytes = n_bytes};
    if (n_bytes < ED_PACKED_PAGE)
        return ed_fail(err, EMBEDD_FORMAT, "%s: %zu bytes are no packed weights", where, n_bytes);
    memcpy(header, bytes, sizeof *header);
    if (memcmp(header->magic, ED_PACKED_MAGIC, sizeof header->magic) != 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: not packed weights of this version", where);
    if (header->checksum != ed_checksum(header, offsetof(ed_packed_header, checksum), 0) ||
        !header_fits(header, n_bytes))
        return ed_fail(err, EMBEDD_FORMAT, "%s: the header is damaged", where);
    if (header->table_checksum !=
        ed_checksum(bytes + header->table_begin, n_bytes - header->table_begin, 0))
        return ed_fail(err, EMBEDD_FORMAT, "%s: the table is damaged", where);
    for (size_t i = 0; i < header->n_sections; i++) {
        const ed_packed_section section = ed_packed_file_section(file, i);
        if (!section_fits(file, &section, from) ||
            section.ends_checksum !=
                ed_packed_ends_checksum(bytes + section.begin, section.n_bytes))
            return ed_fail(err, EMBEDD_FORMAT, "%s: section %zu is damaged", where, i);
        from = section.begin + section.n_bytes;
    }
    return EMBEDD_OK;
}

static bool header_fits(const ed_packed_header *header, size_t n_bytes)
{
    size_t table_bytes;

    return header->file_bytes == n_bytes && header->table_begin % ED_PACKED_PAGE == 0 &&
           header->table_begin >= ED_PACKED_PAGE &&
           ed_mul_size(header->n_sections, sizeof(ed_packed_section), &table_bytes) &&
           header->table_begin <= n_bytes && n_bytes - header->table_begin == table_bytes &&
           header->key[sizeof header->key - 1] == '\0';
}

/* Sections lie in the table's order, between the header and the table. */
static bool section_fits(const ed_packed_file *file, const ed_packed_section *section, size_t from)
{
    return section->begin >= from && section->begin % ED_PACKED_PAGE == 0 && section->n_bytes > 0 &&
           ed_slice_fits(section->begin, section->n_bytes, file->header.table_begin);
}

ed_packed_section ed_packed_file_section(const ed_packed_file *file, size_t section_index)
{
    ed_packed_section section;

    memcpy(&section, file->bytes + file->header.table_begin + section_index * sizeof section,
           sizeof section);
    return section;
}

embedd_status ed_packed_file_check(const ed_packed_file *file, const char *where, embedd_error *err)
{
    for (size_t i = 0; i < file->header.n_sections; i++) {
        const ed_packed_section section = ed_packed_file_section(file, i);
        if (ed_checksum(file->bytes + section.begin, section.n_bytes, 0) != section.checksum)
            return ed_fail(err, EMBEDD_CHECKSUM, "%s: section %zu is damaged", where, i);
    }
    return EMBEDD_OK;
}
