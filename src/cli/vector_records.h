/* Texts with the vectors that somebody computed for them: what verify and migrate compare with. */
#ifndef ED_VECTOR_RECORDS_H
#define ED_VECTOR_RECORDS_H

#include "embedd.h"

#define ED_VECTOR_DIMENSIONS_MAX 65536

typedef struct ed_vector_record {
    char *text; /* [n_bytes], and a NUL */
    size_t n_bytes;
    float *vector; /* [dimensions], finite */
    size_t dimensions;
    char *prompt; /* what was put before the text, or NULL */
    char *name;   /* who the vector is of, or NULL */
} ed_vector_record;

typedef struct ed_vector_records {
    ed_vector_record *records; /* [n_records] */
    size_t n_records;
    size_t n_room;
} ed_vector_records;

/* Which records of a file are read, and where in each the text and the vector are. */
typedef struct ed_records_request {
    const char *text_field;   /* "text" */
    const char *vector_field; /* "vector" */
    size_t records_max;       /* the rest of the file is not looked at */
} ed_records_request;

/* The file's content tells its kind:
 *     JSON Lines   {"text": ..., "vector": [...]}, also "prompt": ...
 *     Arrow IPC    a file or stream with a text column and a column of lists of floats
 *     JSON         {"NAME": [...], ...}: vectors of the text that Ollama's own tests embed
 * The message of a failure names the file and the line or row. IO, MEMORY, and IO too for content
 * that is none of these: FORMAT and NOT_FOUND are the model's. */
embedd_status ed_vector_records_read(ed_vector_records *records, const char *path,
                                     const ed_records_request *request, embedd_error *err);
void ed_vector_records_clear(ed_vector_records *records);

/* Copies text and vector. ARGUMENT: the vector is empty, too long, or has a number that is not
 * finite. */
embedd_status ed_vector_records_add(ed_vector_records *records, embedd_text text,
                                    const float *vector, size_t dimensions, embedd_error *err);

#endif
