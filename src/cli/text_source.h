/* Texts from the command line, from lines or from JSON Lines, a piece at a time. */
#ifndef ED_TEXT_SOURCE_H
#define ED_TEXT_SOURCE_H

#include "base/memory.h"
#include "cli/arguments.h"

#include <stdio.h>

#define ED_CHUNK_TEXTS_MAX 256

typedef enum ed_source_kind { ED_SOURCE_OPERANDS, ED_SOURCE_LINES, ED_SOURCE_JSONL } ed_source_kind;

typedef struct ed_text_source {
    ed_source_kind kind;
    const char *name;  /* of the file, for errors */
    const char *field; /* of the text, in JSON Lines */
    const char *const *operands;
    size_t n_operands;
    size_t n_lines;     /* lines or operands given out so far */
    size_t chunk_bytes; /* a chunk ends after the text that reaches it */
    FILE *file;
    uint64_t n_bytes_total; /* of a regular file; 0 = not known */
    uint64_t n_bytes_read;
    char *block; /* [BLOCK_BYTES], from `file` */
    size_t block_at, block_end;
    ed_buf line;
} ed_text_source;

typedef struct ed_slice {
    size_t begin;
    size_t n_bytes;
} ed_slice;

/* Some texts, one after the other in memory. */
typedef struct ed_text_chunk {
    size_t n_texts;
    embedd_text texts[ED_CHUNK_TEXTS_MAX];
    size_t lines[ED_CHUNK_TEXTS_MAX];     /* the number of each text's line, from 1 */
    ed_slice slices[ED_CHUNK_TEXTS_MAX];  /* of each text in `bytes` */
    ed_slice records[ED_CHUNK_TEXTS_MAX]; /* JSON Lines: of the line the text came from */
    ed_buf bytes;
} ed_text_chunk;

/* Chooses between --jsonl, --file, arguments and standard input. ARGUMENT (two of them at once),
 * IO, MEMORY: of the texts, nothing is FORMAT or NOT_FOUND, which the exit code says of the model.
 */
embedd_status ed_text_source_open(ed_text_source *source, const ed_arguments *arguments,
                                  embedd_error *err);
/* JSON Lines of the file `path`, texts in `field`. */
embedd_status ed_text_source_open_jsonl(ed_text_source *source, const char *path, const char *field,
                                        embedd_error *err);
void ed_text_source_close(ed_text_source *source);

void ed_text_chunk_init(ed_text_chunk *chunk);
void ed_text_chunk_clear(ed_text_chunk *chunk);

/* The next texts; n_texts is 0 at the end. IO (also a line that is no JSON object with the field,
 * or is longer than 16 MiB), MEMORY. The message names the line. */
embedd_status ed_text_source_next(ed_text_source *source, ed_text_chunk *chunk, embedd_error *err);

/* "notes.txt:12", or "text 3" of the arguments. */
void ed_text_source_where(const ed_text_source *source, size_t line, char *out, size_t out_cap);
/* True if the next chunk would be empty. */
bool ed_text_source_at_end(ed_text_source *source);
/* 0 .. 1; negative if not known. */
double ed_text_source_fraction(const ed_text_source *source);

#endif
