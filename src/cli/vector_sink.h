/* Vectors as JSON, JSON Lines or a NumPy array, to standard output or to a file that appears when
 * it is complete. */
#ifndef ED_VECTOR_SINK_H
#define ED_VECTOR_SINK_H

#include "cli/text_source.h"

typedef enum ed_sink_format { ED_SINK_JSON, ED_SINK_JSONL, ED_SINK_NPY } ed_sink_format;

typedef struct ed_vector_sink {
    ed_sink_format format;
    const char *model; /* the name that the JSON shows */
    const char *path;  /* NULL = standard output */
    char *partial;     /* path + ".partial", renamed at the end; NULL = written in place */
    FILE *file;        /* where vectors go */
    FILE *target;      /* where `file` is copied to at the end, or NULL */
    size_t dimensions;
    size_t n_vectors;
    uint64_t n_tokens;
    ed_buf text;      /* of one row */
    ed_buf truncated; /* JSON: the list of cut texts, printed last */
    size_t n_truncated;
} ed_vector_sink;

/* JSON has the shape of the answer to POST /embed. ARGUMENT (npy to a terminal), IO, MEMORY. */
embedd_status ed_vector_sink_open(ed_vector_sink *sink, const ed_arguments *arguments,
                                  const char *model, size_t dimensions, embedd_error *err);
/* vectors is [chunk->n_texts][dimensions], usage [chunk->n_texts]. */
embedd_status ed_vector_sink_write(ed_vector_sink *sink, const ed_text_source *source,
                                   const ed_text_chunk *chunk, const float *vectors,
                                   const embedd_usage *usage, embedd_error *err);
/* Writes what belongs at the end and puts the file in its place. */
embedd_status ed_vector_sink_finish(ed_vector_sink *sink, embedd_error *err);
/* Without a finish before, the unfinished file is removed. */
void ed_vector_sink_close(ed_vector_sink *sink);

/* "[0.1,-0.2]" */
bool ed_append_vector(ed_buf *out, const float *vector, size_t dimensions);
/* A JSON string with its quotes; `text` is valid UTF-8. */
bool ed_append_json_string(ed_buf *out, const char *text, size_t n_bytes);

#endif
