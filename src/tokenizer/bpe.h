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
} ed_bpe;

bool ed_bpe_encode(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                   size_t n_words, ed_id_list *ids);

#endif
