/* The body of a POST to an embedding route, as texts and options. */
#ifndef ED_REQUEST_H
#define ED_REQUEST_H

#include "server/problem.h"

/* How a client speaks: which fields it sends and which reply it reads. */
typedef enum ed_dialect {
    ED_DIALECT_SIDECAR /* {texts} -> {vectors} */
} ed_dialect;

typedef struct ed_request {
    ed_dialect dialect;
    embedd_text *texts; /* [n_texts] slices of the body */
    size_t n_texts;
    bool normalize;          /* default true */
    bool truncate;           /* default true */
    embedd_pooling pooling;  /* default the model's */
    embedd_text prompt;      /* bytes NULL = none given */
    embedd_text prompt_name; /* bytes NULL = none given */
    size_t batch_size;       /* a hint; 0 = none given */
} ed_request;

/* Parses `body` in place: its bytes change, the texts point into it. Whatever the Content-Type
 * says. Unknown fields are ignored, null is like absent, the last of a repeated field counts.
 * Returns false with a 4xx problem (OUT_OF_MEMORY if there is none for the list of texts). */
bool ed_request_parse(ed_request *request, char *body, size_t n_bytes, size_t texts_max,
                      ed_problem *problem);
void ed_request_clear(ed_request *request); /* a zeroed one is allowed */

#endif
