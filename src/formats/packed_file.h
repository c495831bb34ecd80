/* Packed weights in a file of ours: one page of header, the sections, a table of them at the end.
 * Numbers are as the machine has them: the file is a cache, and never leaves the machine. */
#ifndef ED_PACKED_FILE_H
#define ED_PACKED_FILE_H

#include "base/memory.h"
#include "embedd.h"

#define ED_PACKED_MAGIC   "embedd packed 1" /* with its NUL: 16 bytes */
#define ED_PACKED_PAGE    ((size_t)4096)    /* of the header, and where sections begin */
#define ED_PACKED_KEY_MAX ((size_t)1024)

typedef struct ed_packed_header {
    char magic[16];
    uint64_t file_bytes;
    uint64_t table_begin; /* ED_PACKED_PAGE-aligned; the table ends the file */
    uint64_t n_sections;
    uint64_t table_checksum;
    char key[ED_PACKED_KEY_MAX]; /* text, filled up with NULs: whose weights these are */
    uint64_t checksum;           /* of all above */
} ed_packed_header;

typedef struct ed_packed_section {
    uint64_t name;          /* a number that stands for what is in it */
    uint64_t begin;         /* ED_PACKED_PAGE-aligned */
    uint64_t n_bytes;       /* at least 1 */
    uint64_t checksum;      /* of all of it */
    uint64_t ends_checksum; /* of its first and last page */
} ed_packed_section;

typedef struct ed_packed_file {
    const unsigned char *bytes; /* [n_bytes], the caller's */
    size_t n_bytes;
    ed_packed_header header;
} ed_packed_file;

/* Checks the header, the table, and the ends of each section: what costs nothing. FORMAT says what
 * is wrong. Reads nothing outside [bytes, bytes + n_bytes). */
embedd_status ed_packed_file_parse(ed_packed_file *file, const unsigned char *bytes, size_t n_bytes,
                                   const char *where, embedd_error *err);
/* Of the first and the last page of a section, or of what it has. */
uint64_t ed_packed_ends_checksum(const unsigned char *bytes, size_t n_bytes);
/* section_index < header.n_sections */
ed_packed_section ed_packed_file_section(const ed_packed_file *file, size_t section_index);
/* Reads every byte: CHECKSUM names the section. */
embedd_status ed_packed_file_check(const ed_packed_file *file, const char *where,
                                   embedd_error *err);

/* ---- writing --------------------------------------------------------------------------------- */

/* A file appears under its name when it is complete and on the disk, or not at all. */
typedef struct ed_packed_writer {
    int descriptor; /* -1 = closed */
    char *path;
    char *temporary; /* path + ".XXXXXX" */
    size_t n_bytes;
    ed_buf table;
} ed_packed_writer;

embedd_status ed_packed_writer_open(ed_packed_writer *writer, const char *path, embedd_error *err);
embedd_status ed_packed_writer_add(ed_packed_writer *writer, uint64_t name, const void *bytes,
                                   size_t n_bytes, embedd_error *err);
embedd_status ed_packed_writer_commit(ed_packed_writer *writer, const char *key, embedd_error *err);
/* After a failure nothing is left; a zeroed struct was never opened and must not come here. */
void ed_packed_writer_close(ed_packed_writer *writer);

#endif
