/* The model "BPE" of tokenizer.json: opened in bpe_open.c, used in bpe.c. */
#ifndef ED_BPE_H
#define ED_BPE_H

#include "tokenizer/pair_merges.h"
#include "tokenizer/token_model.h"

typedef struct ed_bpe {
    ed_trie trie; /* the vocabulary's, which owns it */
    ed_pair_merges merges;
    embedd_text prefix, suffix; /* of characters that do not begin a word, or end it; owned */
    uint32_t prefix_root;       /* the trie's state after the prefix */
    int32_t unknown;            /* -1: there is none */
    bool fuse_unknown, byte_fallback, ignore_merges;
    int32_t byte_ids[256];

    /* A bit for each code point of three bytes at most: after it a word may be cut before U+2581,
     * because both are tokens and no merge spans the two. NULL: words are not cut. */
    uint64_t *cuts_after; /* [ED_BPE_CUT_POINTS / 64] */
} ed_bpe;

#define ED_BPE_CUT_POINTS 0x10000
#define ED_BPE_CUT_MARK   "\xE2\x96\x81" /* U+2581, which stands for a space */

bool ed_bpe_encode(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                   size_t n_words, ed_id_list *ids);

#endif
