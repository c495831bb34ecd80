/* In: packed matrices, one after another. Out: a file of them. A disk that is full or cannot be
 * written gives an IO error, and leaves nothing behind. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/error.h"
#include "formats/packed_file.h"

#define TABLE_BYTES_MAX ((size_t)64 << 20)

static embedd_status fail_errno(const ed_packed_writer *writer, embedd_error *err)
{
    return ed_fail(err, EMBEDD_IO, "%s: %s", writer->path, strerror(errno));
}

embedd_status ed_packed_writer_open(ed_packed_writer *writer, const char *path, embedd_error *err)
{
    static const char end[] = ".XXXXXX";
    size_t n = strlen(path);

    *writer = (ed_packed_writer){.descriptor = -1, .n_bytes = ED_PACKED_PAGE};
    ed_buf_init(&writer->table, TABLE_BYTES_MAX);
    writer->path = ed_strdup(path);
    writer->temporary = ed_calloc(n + sizeof end, 1);
    if (!writer->path || !writer->temporary)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", path);
    memcpy(writer->temporary, path, n);
    memcpy(writer->temporary + n, end, sizeof end);
    writer->descriptor = mkstemp(writer->temporary);
    return writer->descriptor >= 0 ? EMBEDD_OK : fail_errno(writer, err);
}

static embedd_status write_at(const ed_packed_writer *writer, size_t begin, const void *bytes,
                              size_t n_bytes, embedd_error *err)
{
    const char *at = bytes;

    while (n_bytes > 0) {
        ssize_t n = pwrite(writer->descriptor, at, n_bytes, (off_t)begin);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return fail_errno(writer, err);
        at += n;
        begin += (size_t)n;
        n_bytes -= (size_t)n;
    }
    return EMBEDD_OK;
}

embedd_status ed_packed_writer_add(ed_packed_writer *writer, uint64_t name, const void *bytes,
                                   size_t n_bytes, embedd_error *err)
{
    const ed_packed_section section = {
        .name = name,
        .begin = writer->n_bytes,
        .n_bytes = n_bytes,
        .checksum = ed_checksum(bytes, n_bytes, 0),
        .ends_checksum = ed_packed_ends_checksum(bytes, n_bytes),
    };

    if (!ed_buf_append(&writer->table, &section, sizeof section))
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", writer->path);
    writer->n_bytes += (n_bytes + ED_PACKED_PAGE - 1) / ED_PACKED_PAGE * ED_PACKED_PAGE;
    return write_at(writer, section.begin, bytes, n_bytes, err);
}

/* The name must be on the disk too, else the file is lost with the next power cut: harmless, but
 * then it would be written again. */
static void sync_folder(const char *path)
{
    char *folder = ed_strdup(path);
    FILE *stream = NULL;

    if (folder) {
        *strrchr(folder, '/') = '\0';
        stream = fopen(folder, "r");
    }
    if (stream) {
        (void)fsync(fileno(stream));
        fclose(stream);
    }
    ed_free(folder);
}

embedd_status ed_packed_writer_commit(ed_packed_writer *writer, const char *key, embedd_error *err)
{
    const ed_buf *table = &writer->table;
    ed_packed_header header = {
        .file_bytes = writer->n_bytes + table->n_bytes,
        .table_begin = writer->n_bytes,
        .n_sections = table->n_bytes / sizeof(ed_packed_section),
        .table_checksum = ed_checksum(table->data, table->n_bytes, 0),
    };
    embedd_status status;

    memcpy(header.magic, ED_PACKED_MAGIC, sizeof header.magic);
    snprintf(header.key, sizeof header.key, "%s", key);
    header.checksum = ed_checksum(&header, offsetof(ed_packed_header, checksum), 0);
    status = write_at(writer, writer->n_bytes, table->data, table->n_bytes, err);
    if (status == EMBEDD_OK)
        status = write_at(writer, 0, &header, sizeof header, err);
    if (status == EMBEDD_OK && fsync(writer->descriptor) != 0)
        status = fail_errno(writer, err);
    if (status == EMBEDD_OK && rename(writer->temporary, writer->path) != 0)
        status = fail_errno(writer, err);
    if (status == EMBEDD_OK) {
        close(writer->descriptor);
        writer->descriptor = -1;
        sync_folder(writer->path);
    }
    return status;
}

void ed_packed_writer_close(ed_packed_writer *writer)
{
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
        (void)unlink(writer->temporary);
    }
    ed_buf_clear(&writer->table);
    ed_free(writer->path);
    ed_free(writer->temporary);
    *writer = (ed_packed_writer){.descriptor = -1};
}
