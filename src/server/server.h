/* The HTTP server: embedd serve. Owns the process's main thread until it has drained. */
#ifndef ED_SERVER_H
#define ED_SERVER_H

#include "embedd.h"

/* Exit codes of the program; distinct, so that a parent knows whether to start it again. */
typedef enum ed_exit {
    ED_EXIT_OK = 0,
    ED_EXIT_FAILURE = 1,   /* anything else */
    ED_EXIT_USAGE = 2,     /* the command line */
    ED_EXIT_NOT_FOUND = 3, /* no such model */
    ED_EXIT_MODEL = 4,     /* the model is corrupt or not supported */
    ED_EXIT_ADDRESS = 5,   /* the port is taken */
    ED_EXIT_CPU = 6,       /* the CPU lacks the level */
    ED_EXIT_MEMORY = 7     /* out of memory */
} ed_exit;

typedef struct ed_server_model {
    const char *id; /* as the user named it; shown by /info */
    const char *path;
} ed_server_model;

typedef struct ed_server_options {
    const ed_server_model *models; /* [n_models]; the first is loaded before the server is ready */
    size_t n_models;
    const char *models_folder;  /* of more models, or NULL */
    int64_t keep_alive_ns;      /* a model that nobody uses is unloaded then; for ever */
    size_t memory_bytes_max;    /* of the models in memory; 0 = no limit */
    const char *host;           /* "127.0.0.1" */
    unsigned port;              /* 0 = any free one, told by the ready line */
    const char *unix_path;      /* a Unix socket instead of host and port; NULL = none */
    bool allow_remote;          /* without it and a key only loopback addresses are bound */
    const char *api_key;        /* NULL = none needed */
    const char *const *origins; /* [n_origins] browsers' origins that may call */
    size_t n_origins;
    const char *const *file_roots; /* [n_file_roots] folders whose files /embed-file may read */
    size_t n_file_roots;
    bool allow_pull;       /* clients may have models downloaded */
    bool token_ids;        /* take token ids of the model's own tokenizer for OpenAI's input */
    bool exit_with_parent; /* drain when stdin ends */
    size_t n_threads;      /* 0 = physical cores */
    embedd_model_options model;
    size_t batch_tokens_max;   /* 0 = the session's default */
    size_t body_bytes_max;     /* 8 MiB */
    size_t texts_max;          /* 4,096 in one request */
    size_t queue_tokens_max;   /* waiting, in all; above it 429 */
    size_t queue_requests_max; /* 512 */
    size_t connections_max;    /* 1,024, or what the system's limit of open files allows */
    size_t request_bytes_max;  /* 160 MiB: bodies, tokens, vectors and replies of all requests */
    unsigned deadline_ms;      /* 120,000 */
    unsigned drain_ms;         /* 5,000 */
    unsigned header_ms;        /* 10,000: a request's header must have come within */
    unsigned body_ms;          /* 10,000, plus the time 64 KiB/s needs for what has come */
    unsigned idle_ms;          /* 75,000: a kept connection without a request */
    unsigned stuck_ms;         /* 10,000: a batch that takes longer turns /health to 503 */
    bool log_json;
} ed_server_options;

/* The defaults above; EMBEDD_HEADER_MS, EMBEDD_BODY_MS, EMBEDD_IDLE_MS, EMBEDD_STUCK_MS and
 * EMBEDD_DRAIN_MS replace those of the same name. */
void ed_server_options_init(ed_server_options *options);

/* Listens, loads the first model, prints the ready line, serves until SIGTERM, SIGINT, POST
 * /shutdown or the parent's end, drains. Errors go to stderr. */
ed_exit ed_server_run(const ed_server_options *options);

/* The API's description as GET /openapi.json gives it: JSON of n_bytes, of the program's life. */
const char *ed_server_openapi(size_t *n_bytes);

/* The exit code for a failed open. */
ed_exit ed_exit_of(embedd_status status);

#endif
