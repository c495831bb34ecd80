/* The body of a POST to an embedding route, as texts and options. */
#ifndef ED_REQUEST_H
#define ED_REQUEST_H

#include "documents/chunker.h"
#include "documents/document.h"
#include "server/problem.h"

typedef struct ed_dialect ed_dialect; /* dialect.h */

/* Of /embed-file. */
typedef struct ed_file_request {
    embedd_text path; /* bytes NULL = the body is the file */
    size_t chunk_size, chunk_overlap, chunks_max;
    bool overlap_given;
    char *bytes; /* of a file that was read by its path */
    ed_document document;
    ed_chunks chunks;
    size_t n_text_bytes; /* of all chunks */
} ed_file_request;

/* Numbers of a vector in a reply of bytes; see docs/api.md. */
typedef enum ed_encoding {
    ED_ENCODING_FLOAT32 = 0,
    ED_ENCODING_INT8,    /* a float32 scale, then a byte for each number */
    ED_ENCODING_UBINARY, /* the signs, eight in a byte */
    ED_ENCODING_BINARY   /* the same less 128 */
} ed_encoding;

typedef struct ed_request {
    const ed_dialect *dialect; /* how the reply is written */
    embedd_text *texts;        /* [n_texts] slices of the body, or of a document */
    size_t n_texts;
    bool token_ids;          /* the texts are lists of token ids, as JSON: token_ids.h */
    embedd_text model;       /* as the client names it; bytes NULL = none given */
    bool any_model;          /* where one model is served, any name means it */
    bool normalize;          /* default true */
    bool truncate;           /* default true */
    bool base64;             /* vectors as base64 instead of numbers */
    bool stream;             /* a reply line by line, where there is one; default true */
    bool raw_if_model;       /* not normalized if the old Ollama route is not, for this model */
    embedd_pooling pooling;  /* default the model's */
    embedd_text source;      /* /similarity: the last of `texts`; bytes NULL = none given */
    embedd_text query;       /* what texts are scored against; bytes NULL = none given */
    bool raw_scores;         /* no sigmoid */
    bool no_special;         /* /tokenize: without special tokens */
    bool keep_special;       /* /decode: with their text */
    bool return_texts;       /* the reply repeats them */
    size_t top_n;            /* so many of the best; 0 = all */
    ed_encoding encoding;    /* of a reply of bytes */
    embedd_text prompt;      /* bytes NULL = none given */
    embedd_text prompt_name; /* bytes NULL = none given */
    size_t dimensions;       /* 0 = all of them */
    bool dimensions_at_most; /* more than there are is all of them, not a mistake */
    size_t tokens_max;       /* of one text; 0 = the model's */
    size_t batch_size;       /* a hint; 0 = none given */
    size_t n_replaced;       /* surrogates without their partner, read as U+FFFD */
    ed_file_request file;
    bool keeps;            /* keep_alive_ns is given */
    int64_t keep_alive_ns; /* the model stays so long after the request */
} ed_request;

/* Parses `body` in place: its bytes change, the texts point into it. Whatever the Content-Type
 * says. Unknown fields are ignored, null is like absent, the last of a repeated field counts.
 * Returns false with a 4xx problem (OUT_OF_MEMORY if there is none for the list of texts); the
 * request's dialect is set in any case. */
bool ed_request_parse(ed_request *request, const ed_dialect *dialect, char *body, size_t n_bytes,
                      size_t texts_max, ed_problem *problem);
void ed_request_clear(ed_request *request); /* a zeroed one is allowed; the dialect stays */

#endif
