/* A few bytes about a model, kept where its packed weights are, and good for as long as those. */
#ifndef ED_PACKED_NOTE_H
#define ED_PACKED_NOTE_H

#include "engine/packed_cache.h"

typedef struct ed_packed_note {
    char *path; /* NULL = nowhere to keep it */
    char key[ED_PACKED_KEY_MAX];
} ed_packed_note;

/* About all number types of `source`, whatever its gemm is. `folder` may be NULL. */
void ed_packed_note_open(ed_packed_note *note, const ed_packed_source *source, const char *folder);
/* Exactly n_bytes, or false: there is none, or it is damaged, or of another version. */
bool ed_packed_note_read(const ed_packed_note *note, void *bytes, size_t n_bytes);
void ed_packed_note_write(const ed_packed_note *note, const void *bytes, size_t n_bytes);
void ed_packed_note_close(ed_packed_note *note);

#endif
