/* In: bytes of ours. Out: a file of packed weights that has them as its one section, so that it is
 * written, checked and cleared away as those are. Nothing here fails. */
#include "engine/packed_note.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "engine/packed_folder.h"

#define NOTE_BYTES_MAX ((size_t)1 << 20)

void ed_packed_note_open(ed_packed_note *note, const ed_packed_source *source, const char *folder)
{
    const ed_kernels *kernels = source->kernels;
    const ed_gemm *products[] = {&kernels->gemm_f32, &kernels->gemm_bf16, &kernels->gemm_int8};
    ed_packed_source each = *source;
    uint64_t sum = 0;

    *note = (ed_packed_note){.path = NULL};
    for (size_t i = 0; folder && i < sizeof products / sizeof *products; i++) {
        each.gemm = products[i];
        if (!ed_packed_key_write(&each, note->key))
            return;
        sum = ed_checksum(note->key, strlen(note->key), sum);
    }
    snprintf(note->key, sizeof note->key, "embedd %s\nall types %016llx\n", embedd_version(),
             (unsigned long long)sum);
    if (folder)
        note->path = ed_packed_folder_path(
            folder, &(ed_packed_name){source->where, "auto", kernels->level, note->key});
}

bool ed_packed_note_read(const ed_packed_note *note, void *bytes, size_t n_bytes)
{
    ed_file_map map = {.mapped = false};
    ed_packed_file file;
    bool read = false;

    if (note->path && ed_file_map_open(&map, note->path, NOTE_BYTES_MAX, NULL) == EMBEDD_OK &&
        ed_packed_file_parse(&file, map.data, map.n_bytes, note->path, NULL) == EMBEDD_OK &&
        ed_packed_file_check(&file, note->path, NULL) == EMBEDD_OK &&
        strcmp(file.header.key, note->key) == 0 && file.header.n_sections == 1) {
        const ed_packed_section section = ed_packed_file_section(&file, 0);
        read = section.n_bytes == n_bytes;
        if (read)
            memcpy(bytes, map.data + section.begin, n_bytes);
    }
    ed_file_map_close(&map);
    return read;
}

void ed_packed_note_write(const ed_packed_note *note, const void *bytes, size_t n_bytes)
{
    ed_packed_writer writer;

    if (!note->path || !ed_packed_folder_prepare(note->path))
        return;
    embedd_status status = ed_packed_writer_open(&writer, note->path, NULL);
    if (status == EMBEDD_OK)
        status = ed_packed_writer_add(&writer, 0, bytes, n_bytes, NULL);
    if (status == EMBEDD_OK)
        status = ed_packed_writer_commit(&writer, note->key, NULL);
    ed_packed_writer_close(&writer);
    if (status == EMBEDD_OK)
        ed_packed_folder_clean(note->path);
}

void ed_packed_note_close(ed_packed_note *note)
{
    ed_free(note->path);
    *note = (ed_packed_note){.path = NULL};
}
