/* How a client speaks: the fields it sends, the reply and the errors it reads. One file for each:
 * sidecar.c, tei.c, openai.c, ollama.c, and embed_file.c. All share the pipeline, the limits and
 * the doors. */
#ifndef ED_DIALECT_H
#define ED_DIALECT_H

#include "server/reply.h"
#include "server/request_fields.h"

struct ed_job;
struct ed_prepare_options;

/* What the numbers of an answer are. */
typedef enum ed_answer {
    ED_ANSWER_VECTORS = 0,
    ED_ANSWER_TOKENS, /* a vector for each token */
    ED_ANSWER_SPARSE, /* a weight for each token of the vocabulary */
    ED_ANSWER_SCORES, /* one for each text, beside the query */
    ED_ANSWER_TEXT,   /* there are none: make_reply */
    ED_ANSWER_PULL    /* nor here: a model is to be downloaded, which takes as long as it takes */
} ed_answer;

struct ed_dialect {
    ed_answer answer;
    const ed_request_field *fields; /* [n_fields] */
    size_t n_fields;
    /* After the last field: defaults, and fields that do not go together. */
    bool (*check)(ed_request_parser *p);
    /* NULL = the fields hold the texts. Else it makes them, on a worker, and the body may be a file
     * instead of fields (upload.h). False with the job's problem. */
    bool (*make_texts)(struct ed_job *job, const struct ed_prepare_options *options);
    /* Of ED_ANSWER_TEXT: the 200 body, on a worker. False with the job's problem. */
    bool (*make_reply)(struct ed_job *job, const struct ed_prepare_options *options);
    /* The 200 body, appended. False with NONFINITE_OUTPUT or OUT_OF_MEMORY. */
    bool (*put_vectors)(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
    /* Of a reply line by line: the line of a text; put_vectors is the last one then. */
    bool (*put_line)(ed_buf *line, const ed_request *request, const ed_result *result,
                     size_t text_index, ed_problem *problem);
    /* The body of any other status. */
    void (*put_problem)(ed_buf *reply, const ed_problem *problem);
    unsigned (*http_status)(ed_problem_code code); /* NULL = the problem's own */
};

/* POST /embed: {texts} as the sidecar, or {inputs} as TEI, whose reply is another. */
extern const ed_dialect ed_dialect_sidecar;
extern const ed_dialect ed_dialect_tei;
/* The same requests; the reply is the float32 numbers of all vectors, little-endian. */
extern const ed_dialect ed_dialect_binary;
/* The same requests; the reply is a line of JSON for each text, sent when it is computed. */
extern const ed_dialect ed_dialect_lines;
/* POST /embed-file */
extern const ed_dialect ed_dialect_file;
/* POST /similarity, TEI's: {inputs: {source_sentence, sentences}} -> [0.9, ...] */
extern const ed_dialect ed_dialect_similarity;
/* POST /embed_all and /embed_sparse, TEI's */
extern const ed_dialect ed_dialect_tokens;
extern const ed_dialect ed_dialect_sparse;
/* POST /tokenize and /decode, TEI's */
extern const ed_dialect ed_dialect_tokenize;
extern const ed_dialect ed_dialect_decode;
/* POST /rerank: {query, texts} as TEI; with {documents} as Cohere and Jina, whose reply is another.
 * POST /v1/rerank: always theirs. */
extern const ed_dialect ed_dialect_rerank;
extern const ed_dialect ed_dialect_cohere;
/* POST /v1/embeddings */
extern const ed_dialect ed_dialect_openai;
/* POST /api/embed, and the older /api/embeddings */
extern const ed_dialect ed_dialect_ollama;
extern const ed_dialect ed_dialect_ollama_prompt;
/* POST /api/pull: a line of JSON for each step */
extern const ed_dialect ed_dialect_ollama_pull;

/* Of our own routes: {"error":{"code","message","index"}}, and the end of a reply behind its list
 * of vectors. */
void ed_put_problem(ed_buf *reply, const ed_problem *problem);
void ed_put_summary(ed_buf *reply, const ed_request *request, const ed_result *result);

/* TEI's way with problems. */
void ed_tei_put_problem(ed_buf *reply, const ed_problem *problem);
unsigned ed_tei_http_status(ed_problem_code code);

#endif
