/* A tokenizer given as lists, the way GGUF metadata and SentencePiece models keep it, instead of a
 * tokenizer.json. Nothing is kept: all pointers are the caller's and may go after the call. */
#ifndef ED_TOKENIZER_PARTS_H
#define ED_TOKENIZER_PARTS_H

#include "tokenizer/tokenizer.h"

/* tokenizer.ggml.model */
typedef enum ed_parts_kind {
    ED_PARTS_WORDPIECE, /* "bert": tokens that begin a word are spelled with U+2581 before them */
    ED_PARTS_UNIGRAM,   /* "t5": scores, and a charsmap */
    ED_PARTS_SPM_BPE,   /* "llama": scores, merged by score; byte tokens <0xNN> */
    ED_PARTS_BYTE_BPE   /* "gpt2": merges, and the name of a split pattern */
} ed_parts_kind;

/* tokenizer.ggml.token_type */
enum {
    ED_PARTS_NORMAL = 1,
    ED_PARTS_UNKNOWN = 2,
    ED_PARTS_CONTROL = 3,
    ED_PARTS_USER_DEFINED = 4,
    ED_PARTS_UNUSED = 5,
    ED_PARTS_BYTE = 6
};

typedef struct ed_tokenizer_parts {
    ed_parts_kind kind;
    const embedd_text *tokens; /* [n_tokens], by id; valid UTF-8 */
    size_t n_tokens;
    const float *scores;       /* [n_tokens]; UNIGRAM and SPM_BPE */
    const int32_t *types;      /* [n_tokens] of the list above; NULL: all are NORMAL */
    const embedd_text *merges; /* [n_merges], "left right", best first; BYTE_BPE */
    size_t n_merges;
    const char *pre;      /* tokenizer.ggml.pre ("qwen2", "gpt-2", ...); NULL: "gpt-2". BYTE_BPE */
    embedd_text charsmap; /* precompiled_charsmap; bytes NULL: none. UNIGRAM */
    embedd_text charsmap_base64; /* or as text */

    /* Ids, -1 = there is none. Special tokens written in a text become those tokens, as do all of
     * type CONTROL and USER_DEFINED. `first` and `last` are put round each text: they are cls and
     * sep of a "bert", else bos if add_bos_token, and eos if add_eos_token. */
    int32_t unknown, mask;
    int32_t first, last;
    const char *lstrip; /* the special token that takes the spaces before it; NULL: none does */

    bool space_prefix;   /* add_space_prefix: a text begins as if after a space. UNIGRAM, SPM_BPE */
    bool squeeze_spaces; /* remove_extra_whitespaces: runs are one, none at the ends. UNIGRAM */
    bool lower_case, strip_accents; /* WORDPIECE */
} ed_tokenizer_parts;

/* UNSUPPORTED (named), FORMAT, MEMORY. `where` names the parts in errors. */
embedd_status ed_tokenizer_open_parts(ed_tokenizer **out, const ed_tokenizer_parts *parts,
                                      const char *where, embedd_error *err);

#endif
