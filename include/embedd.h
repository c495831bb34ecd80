/* embedd.h - text to embedding vectors, in C, on the CPU.
 *
 *     embedd_error    err;
 *     embedd_model   *model   = NULL;
 *     embedd_session *session = NULL;
 *     float           out[2 * 384];
 *     embedd_text     texts[] = {{"a cat", 5}, {"a dog", 5}};
 *
 *     if (embedd_model_open("models/all-MiniLM-L6-v2", NULL, &model, &err) == EMBEDD_OK &&
 *         embedd_session_open(model, NULL, &session, &err) == EMBEDD_OK &&
 *         embedd_embed(session, texts, 2, NULL, out, 2 * 384, NULL, &err) == EMBEDD_OK)
 *         use(out);
 *     else
 *         complain(err.message);
 *     embedd_session_close(session);
 *     embedd_model_close(model);
 *
 * A model is immutable after open and may be shared by any number of threads. A session holds all
 * scratch memory of a forward pass, an encoder that of tokenization: use one of each per thread.
 *
 * Every fallible function returns an embedd_status; `err` may be NULL and is filled on failure
 * only. The library never prints, exits or aborts, keeps no pointer to a caller's memory after it
 * returns, and returns no memory but the three handles. Texts are UTF-8 with an explicit size.
 *
 * One text has one vector: its bits depend on the model, the options and the CPU level, never on
 * the other texts of the call, on their order or on the number of threads. */
#ifndef EMBEDD_H
#define EMBEDD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define EMBEDD_MUST_USE __attribute__((warn_unused_result))
#define EMBEDD_API      __attribute__((visibility("default")))
#else
#define EMBEDD_MUST_USE
#define EMBEDD_API
#endif

#define EMBEDD_VERSION "0.1.0"

/* ---- status ---------------------------------------------------------------------------------- */

#define EMBEDD_STATUS_MAP(XX)                                                                      \
    XX(OK, 0, "ok")                                                                                \
    XX(ARGUMENT, -1, "an argument is not valid")                                                   \
    XX(LIMIT, -2, "a limit is exceeded")                                                           \
    XX(UTF8, -3, "the text is not valid UTF-8")                                                    \
    XX(TOO_LONG, -4, "the text is longer than the model reads")                                    \
    XX(NOT_FOUND, -5, "not found")                                                                 \
    XX(IO, -6, "a file could not be read or written")                                              \
    XX(FORMAT, -7, "a file is not well-formed")                                                    \
    XX(UNSUPPORTED, -8, "not supported")                                                           \
    XX(MEMORY, -9, "out of memory")                                                                \
    XX(CPU, -10, "the CPU lacks the requested level")                                              \
    XX(NONFINITE, -11, "the model computed a number that is not finite")                           \
    XX(NETWORK, -12, "the network failed")                                                         \
    XX(CHECKSUM, -13, "the bytes do not have the expected checksum")

typedef enum embedd_status {
#define EMBEDD_XX(name, number, sentence) EMBEDD_##name = (number),
    EMBEDD_STATUS_MAP(EMBEDD_XX)
#undef EMBEDD_XX
} embedd_status;

#define EMBEDD_NO_INDEX SIZE_MAX

typedef struct embedd_error {
    embedd_status status;
    size_t index;      /* of the text or row at fault, or EMBEDD_NO_INDEX */
    char message[512]; /* a sentence for the user, NUL-terminated, names what and where */
} embedd_error;

/* "ok", "format", ...: the status's name in lower case; "unknown" for a number not in the list. */
EMBEDD_API const char *embedd_status_name(embedd_status status);
/* The general sentence of a status; static memory. */
EMBEDD_API const char *embedd_status_sentence(embedd_status status);

EMBEDD_API const char *embedd_version(void);

/* ---- model ----------------------------------------------------------------------------------- */

typedef struct embedd_model embedd_model;

/* Type of the packed weights, and of what they are multiplied by. Sums are f32 in all of them, and
 * so is all that is not a product with weights of a layer. */
typedef enum embedd_dtype {
    EMBEDD_DTYPE_F32 = 0,
    EMBEDD_DTYPE_BF16, /* half the memory; fast where the CPU multiplies bf16 */
    EMBEDD_DTYPE_INT8, /* a third of the memory; whole numbers with a scale for each 64 of them */
    /* The fastest of these at this CPU level whose vectors of some sentences have a cosine to f32's
     * of at least 0.999 each and 0.9995 on average. The first open computes them in f32 too, which
     * takes its memory for a while; the answer is kept in the cache_folder. */
    EMBEDD_DTYPE_AUTO
} embedd_dtype;

/* How token vectors become one vector. A model may put several modes side by side: four bits a
 * mode, the first in the lowest. Source: sentence_transformers Pooling. */
enum {
    EMBEDD_POOLING_MODEL = 0, /* what the model's own folder says */
    EMBEDD_POOLING_CLS = 1,
    EMBEDD_POOLING_MAX = 2,
    EMBEDD_POOLING_MEAN = 3,
    EMBEDD_POOLING_MEAN_SQRT_LEN = 4,
    EMBEDD_POOLING_WEIGHTEDMEAN = 5,
    EMBEDD_POOLING_LASTTOKEN = 6
};
typedef uint32_t embedd_pooling;

/* All names, comma separated, for messages: "cls, max, mean, mean_sqrt_len, weightedmean,
 * lasttoken". */
EMBEDD_API const char *embedd_pooling_names(void);
/* One mode by its name; false if there is none such. */
EMBEDD_API bool embedd_pooling_parse(const char *name, embedd_pooling *out);

/* What a model makes of texts. */
typedef enum embedd_task {
    EMBEDD_TASK_VECTOR = 0, /* text -> vector */
    EMBEDD_TASK_SPARSE,     /* text -> a weight >= 0 for each token of the vocabulary (SPLADE) */
    EMBEDD_TASK_SCORE       /* two texts -> a number for each label (cross-encoder) */
} embedd_task;

/* The CPU levels that this machine can run, lowest first: "ref", ..., NULL. */
EMBEDD_API const char *const *embedd_cpu_levels(void);

typedef struct embedd_model_options {
    embedd_dtype dtype;
    const char *cpu_level; /* "ref", "avx2", ...; NULL = the best one, or EMBEDD_CPU if set */
    size_t tokens_max;     /* longest text; 0 = the model's own limit, at most 8,192 */
    /* Packed weights are kept in files of this folder, which is made if need be, so that the next
     * open maps them: it takes a fraction of the time, and processes share the pages. A folder that
     * cannot be written, or a full disk, is as good as none. NULL = none. */
    const char *cache_folder;
    bool cache_check; /* read all of such a file first, instead of its header and ends */
} embedd_model_options;

typedef struct embedd_prompt {
    const char *name;
    const char *text;
} embedd_prompt;

typedef struct embedd_model_info {
    const char *folder;       /* as given to embedd_model_open */
    const char *architecture; /* "bert", "mpnet" */
    const char *pooling;      /* "mean"; several joined by '+'; "splade" of sparse weights */
    const char *dtype;        /* "f32", "bf16", "int8" */
    const char *dtype_reason; /* why EMBEDD_DTYPE_AUTO chose it, a phrase; else NULL */
    const char *cpu_level;    /* "avx512" */
    embedd_task task;
    size_t dimensions; /* length of a vector; what stands for it in another task: the
                          vocabulary, the number of labels */
    size_t tokens_max; /* special tokens included */
    size_t vocabulary; /* rows of the token embedding */
    size_t n_layers;
    size_t hidden_size;
    size_t n_parameters;
    size_t weight_bytes;     /* memory held for weights, packed */
    const char *packed_file; /* what packed weights are mapped from, or NULL */
    bool normalized;         /* the model itself ends in a Normalize module */
    size_t n_prompts;
    const embedd_prompt *prompts; /* [n_prompts] */
    const char *default_prompt;   /* the name of the prompt used when none is given, or NULL */
    const char *const *labels;    /* [dimensions] of EMBEDD_TASK_SCORE, or NULL */
} embedd_model_info;

/* Open a sentence-transformers folder, or a GGUF file.
 *
 *   folder   config.json, tokenizer.json, model.safetensors, usually modules.json; or one file.
 *   options  NULL = defaults.
 *
 * Returns NOT_FOUND (no such folder or file), IO, FORMAT (a file is corrupt; the message names file
 * and place), UNSUPPORTED (named), CPU, MEMORY, NONFINITE (the self-test failed). */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_model_open(const char *folder,
                                                           const embedd_model_options *options,
                                                           embedd_model **out, embedd_error *err);
EMBEDD_API void embedd_model_close(embedd_model *model); /* NULL is allowed */

/* Valid until the model is closed. */
EMBEDD_API const embedd_model_info *embedd_model_get_info(const embedd_model *model);

/* IO, and which file, if one has become shorter since the model was opened: weights are mapped from
 * it. Embedding fails then, and the model must be opened again. But reading what is gone raises
 * SIGBUS, which ends the process unless the application handles it, as the program embedd does; the
 * library installs no handler. Replace a model's files by renaming, never in place. */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_model_check_files(const embedd_model *model,
                                                                  embedd_error *err);

/* Length of a vector under `pooling`, or 0 if the modules after pooling do not accept it. Models of
 * another task have no pooling but their own. */
EMBEDD_API size_t embedd_model_dimensions(const embedd_model *model, embedd_pooling pooling);

/* ---- text to token ids ----------------------------------------------------------------------- */

typedef struct embedd_text {
    const char *bytes; /* UTF-8; may hold NUL */
    size_t n_bytes;
} embedd_text;

typedef struct embedd_encode_options {
    const char *prompt_name; /* one of the model's prompts; NULL = the model's default */
    embedd_text prompt;      /* put before the text if bytes != NULL; wins over prompt_name */
    bool no_truncate;        /* refuse a text that is too long with TOO_LONG */
    size_t tokens_max;       /* 0 = the model's; larger values are cut to the model's */
    bool whole;              /* for looking at ids, not for embedding: ids_cap is the limit */
} embedd_encode_options;

typedef struct embedd_usage {
    size_t n_tokens;       /* fed to the model, special tokens included */
    size_t n_tokens_total; /* what the whole text has; more than n_tokens if it was cut */
    size_t
        n_tokens_prompt; /* leading tokens that pooling leaves out (include_prompt: false), or 0 */
    size_t n_tokens_first; /* of a pair: tokens before those of type 1; 0 = there are none */
} embedd_usage;

typedef struct embedd_encoder embedd_encoder;

EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_encoder_open(const embedd_model *model,
                                                             embedd_encoder **out,
                                                             embedd_error *err);
EMBEDD_API void embedd_encoder_close(embedd_encoder *encoder);

/* Token ids of one text, cut at the limit, with the special tokens.
 *
 *   options  NULL = the model's default prompt, truncation on.
 *   ids      [ids_cap]; needs room for tokens_max ids at most.
 *   usage    never NULL.
 *
 * Returns UTF8, TOO_LONG (usage is filled), ARGUMENT (no such prompt; ids_cap too small). */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_encode(embedd_encoder *encoder, embedd_text text,
                                                       const embedd_encode_options *options,
                                                       int32_t *ids, size_t ids_cap,
                                                       embedd_usage *usage, embedd_error *err);

/* Token ids of two texts that are read together, as the tokenizer's template for pairs says.
 * Prompts do not count. What is too long is cut from the longer text first, at its end. Otherwise
 * as embedd_encode; UNSUPPORTED: the tokenizer has no such template. */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_encode_pair(embedd_encoder *encoder,
                                                            embedd_text first, embedd_text second,
                                                            const embedd_encode_options *options,
                                                            int32_t *ids, size_t ids_cap,
                                                            embedd_usage *usage, embedd_error *err);

/* What surrounds the ids of every text: so many special tokens before it, and after. */
EMBEDD_API void embedd_model_special_tokens(const embedd_model *model, size_t *n_before,
                                            size_t *n_after);
/* How the tokenizer spells a token ("##ing"), NULL if no token has this id; the model's memory.
 * *special, which may be NULL: it stands for no text, such as [SEP]. */
EMBEDD_API const char *embedd_token_text(const embedd_model *model, int32_t id, bool *special);

/* The text of token ids, as the `decode` of Hugging Face tokenizers has it: what the normalizer
 * changed stays changed. Ids that have no token are left out, and so are special tokens if
 * `skip_special`. *text is the encoder's, good until its next call.
 *
 * Returns UNSUPPORTED (the tokenizer's decoder, named), LIMIT, MEMORY. */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_decode(embedd_encoder *encoder, const int32_t *ids,
                                                       size_t n_ids, bool skip_special,
                                                       embedd_text *text, embedd_error *err);

/* ---- token ids to vectors -------------------------------------------------------------------- */

typedef struct embedd_session embedd_session;

typedef struct embedd_session_options {
    size_t n_threads;        /* 0 = one per physical core */
    size_t batch_tokens_max; /* tokens of one packed batch; 0 = a default that suits the model */
    size_t text_tokens_max;  /* the longest text; 0 = the model's. Less needs less scratch */
} embedd_session_options;

EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_session_open(const embedd_model *model,
                                                             const embedd_session_options *options,
                                                             embedd_session **out,
                                                             embedd_error *err);
EMBEDD_API void embedd_session_close(embedd_session *session);

EMBEDD_API size_t embedd_session_threads(const embedd_session *session);
EMBEDD_API size_t embedd_session_batch_tokens_max(const embedd_session *session);
EMBEDD_API size_t embedd_session_scratch_bytes(const embedd_session *session);

/* How a vector is cut to fewer dimensions (Matryoshka). */
typedef enum embedd_cut {
    EMBEDD_CUT_MODEL = 0, /* as the model's authors say: nomic-bert by layer norm, others plainly */
    EMBEDD_CUT_PLAIN,
    EMBEDD_CUT_LAYER_NORM /* standardize the whole vector first */
} embedd_cut;

typedef enum embedd_output {
    EMBEDD_OUTPUT_MODEL = 0, /* what the model's task is; scores are as they come, no sigmoid */
    EMBEDD_OUTPUT_TOKENS     /* the last hidden state of every token: [n_tokens][hidden_size] */
} embedd_output;

/* One text, as token ids, with its own options: rows of many requests can share one call. Pooling,
 * dimensions, cut and normalize are for vectors only. */
typedef struct embedd_row {
    const int32_t *ids;     /* [n_tokens], from embedd_encode or embedd_encode_pair */
    size_t n_tokens;        /* 1 .. the session's text_tokens_max */
    size_t n_tokens_prompt; /* from embedd_usage */
    size_t n_tokens_first;  /* from embedd_usage */
    embedd_output output;
    embedd_pooling pooling;
    size_t dimensions; /* keep the first so many numbers; 0 or more than there are = all */
    embedd_cut cut;
    bool normalize; /* make the length 1 even if the model does not end in Normalize */
    float *out;     /* [embedd_row_size]; the caller's */
} embedd_row;

/* Numbers that the row's `out` has room for: n_tokens * hidden_size, `dimensions`, or
 * embedd_model_dimensions; 0 if the row asks for what the model does not have. */
EMBEDD_API size_t embedd_row_size(const embedd_model *model, const embedd_row *row);

/* The vectors of `n_rows` rows, computed in as few packed batches as the session's size allows.
 * Allocates nothing. Returns ARGUMENT (err->index tells the row) or NONFINITE. After a failure the
 * contents of every `out` are unspecified and the session is ready for the next call. */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_embed_rows(embedd_session *session,
                                                           const embedd_row *rows, size_t n_rows,
                                                           embedd_error *err);

typedef struct embedd_embed_options {
    embedd_encode_options encode;
    embedd_pooling pooling;
    size_t dimensions;
    embedd_cut cut;
    bool normalize;
} embedd_embed_options;

/* Embed `n_texts` texts; row i of `out` is the vector of texts[i].
 *
 *   texts    [n_texts]; read only during the call.
 *   options  NULL = the model's own pooling and prompt, truncation on, length 1.
 *   out      float[n_texts][D], row-major, D = embedd_model_dimensions(); caller's memory.
 *   out_cap  room in `out`, counted in floats; at least n_texts * D.
 *   usage    [n_texts] or NULL.
 *
 * Returns what embedd_encode and embedd_embed_rows return; err->index tells the text. UNSUPPORTED:
 * the model reads pairs. */
EMBEDD_API EMBEDD_MUST_USE embedd_status embedd_embed(embedd_session *session,
                                                      const embedd_text *texts, size_t n_texts,
                                                      const embedd_embed_options *options,
                                                      float *out, size_t out_cap,
                                                      embedd_usage *usage, embedd_error *err);

#ifdef __cplusplus
}
#endif
#endif
