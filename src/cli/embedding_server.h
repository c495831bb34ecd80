/* A server that turns texts into vectors, whoever made it: what it is, and how to ask it. */
#ifndef ED_EMBEDDING_SERVER_H
#define ED_EMBEDDING_SERVER_H

#include "cli/http_call.h"

typedef enum ed_server_kind {
    ED_SERVER_NONE,   /* nobody answers */
    ED_SERVER_OTHER,  /* somebody, in another language */
    ED_SERVER_EMBEDD, /* POST /embed {"texts"}; also other sidecars with this route */
    ED_SERVER_TEI,    /* POST /embed {"inputs"} */
    ED_SERVER_OLLAMA, /* POST /api/embed */
    ED_SERVER_OPENAI  /* POST /v1/embeddings */
} ed_server_kind;

#define ED_SERVER_URL_MAX 512

typedef struct ed_embedding_server {
    ed_server_kind kind;
    char url[ED_SERVER_URL_MAX]; /* without a slash at its end */
    char version[64];            /* "" = not told */
    char model[256];             /* the one it serves, or its first; "" = not told */
} ed_embedding_server;

/* Asks the server what it is; nobody there is ED_SERVER_NONE and ok. ARGUMENT: no http URL. */
embedd_status ed_server_probe(ed_embedding_server *server, ed_http_call *call, const char *url,
                              unsigned timeout_ms, embedd_error *err);

/* "Ollama 0.12.3" */
void ed_server_title(const ed_embedding_server *server, char *out, size_t out_cap);

/* URL and body of a request for the vectors of some texts. */
void ed_server_request_url(const ed_embedding_server *server, char out[ED_SERVER_URL_MAX + 32]);
bool ed_server_request_body(const ed_embedding_server *server, const embedd_text *texts,
                            size_t n_texts, ed_buf *out);

#endif
