/* The "decoder" of tokenizer.json: tokens to the text that they spell.
 *
 * It is flattened into a list of steps when it is opened; each makes a list of texts of another, as
 * the reference's decode_chain. What is left at the end is put together. */
#ifndef ED_DECODER_H
#define ED_DECODER_H

#include "base/memory.h"
#include "tokenizer/pattern.h"

struct json_object;

#define ED_DECODER_STEPS_MAX 16

/* Texts, one after the other. */
typedef struct ed_text_list {
    ed_buf bytes;
    size_t *ends; /* [n]: where each one ends in `bytes` */
    size_t n, cap;
} ed_text_list;

void ed_text_list_init(ed_text_list *list);
void ed_text_list_clear(ed_text_list *list); /* frees */
/* All that was appended to `bytes` since the last one is a text. False = out of memory. */
bool ed_text_list_end(ed_text_list *list);
embedd_text ed_text_list_at(const ed_text_list *list, size_t i);

typedef struct ed_decoder_step ed_decoder_step;
/* Fills `out`, which is empty. MEMORY, LIMIT (a pattern took too many steps). */
typedef embedd_status (*ed_decoder_run_step)(const ed_decoder_step *step, const ed_text_list *in,
                                             ed_text_list *out);

struct ed_decoder_step {
    ed_decoder_run_step run;
    char *text; /* [text_bytes], owned: WordPiece's prefix, Metaspace's and Strip's character,
                   BPEDecoder's suffix, Replace's content */
    size_t text_bytes;
    ed_pattern pattern;        /* of Replace */
    size_t n_start, n_stop;    /* of Strip */
    bool cleans, drops_prefix; /* WordPiece's cleanup; Metaspace that is not "never" */
};

typedef struct ed_decoder {
    ed_decoder_step *steps; /* [n_steps] */
    size_t n_steps;
    bool missing;         /* there is none: tokens are joined by spaces */
    char unsupported[64]; /* "" or the type that is not supported: texts can be encoded only */
} ed_decoder;

/* `json` may be NULL or null. FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_decoder_open(ed_decoder *decoder, struct json_object *json, const char *where,
                              embedd_error *err);
void ed_decoder_close(ed_decoder *decoder); /* a zeroed struct is allowed */

/* Appends the text of `tokens`, which is used up, to `out`. UNSUPPORTED, MEMORY, LIMIT. */
embedd_status ed_decoder_run(const ed_decoder *decoder, ed_text_list *tokens, ed_buf *out,
                             embedd_error *err);

/* In decoder_steps.c. */
embedd_status ed_decode_bpe(const ed_decoder_step *step, const ed_text_list *in, ed_text_list *out);
embedd_status ed_decode_byte_fallback(const ed_decoder_step *step, const ed_text_list *in,
                                      ed_text_list *out);
embedd_status ed_decode_byte_level(const ed_decoder_step *step, const ed_text_list *in,
                                   ed_text_list *out);
embedd_status ed_decode_fuse(const ed_decoder_step *step, const ed_text_list *in,
                             ed_text_list *out);
embedd_status ed_decode_metaspace(const ed_decoder_step *step, const ed_text_list *in,
                                  ed_text_list *out);
embedd_status ed_decode_replace(const ed_decoder_step *step, const ed_text_list *in,
                                ed_text_list *out);
embedd_status ed_decode_strip(const ed_decoder_step *step, const ed_text_list *in,
                              ed_text_list *out);
embedd_status ed_decode_wordpiece(const ed_decoder_step *step, const ed_text_list *in,
                                  ed_text_list *out);

#endif
