/* In: words. Out: the tokens their characters merge to. Characters that are no tokens become bytes
 * (byte_fallback), "unknown", or nothing at all where there is no "unknown".
 * Source: huggingface/tokenizers, models/bpe/model.rs. */
#include "tokenizer/bpe.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

typedef struct symbol_list {
    ed_word_symbol *symbols; /* [n]; there is room for every byte of the word and what is added */
    size_t n;
} symbol_list;

static size_t cut_end(const ed_bpe *bpe, embedd_text text, size_t begin);
static bool encode_word(const void *model, ed_model_scratch *scratch, embedd_text word,
                        ed_id_list *ids);
static bool encode_whole(const ed_bpe *bpe, embedd_text word, ed_id_list *ids);
static bool encode_symbols(const ed_bpe *bpe, ed_model_scratch *scratch, embedd_text word,
                           ed_id_list *ids);
static void find_symbols(const ed_bpe *bpe, embedd_text word, symbol_list *list);
static int32_t find_char(const ed_bpe *bpe, embedd_text character, bool first, bool last);
static bool add_bytes(const ed_bpe *bpe, embedd_text character, bool first, bool last,
                      symbol_list *list);

bool ed_bpe_encode(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                   size_t n_words, ed_id_list *ids)
{
    const ed_bpe *bpe = model;
    for (size_t i = 0; i < n_words; i++) {
        for (size_t begin = 0, end; begin < words[i].n_bytes; begin = end) {
            end = bpe->cuts_after ? cut_end(bpe, words[i], begin) : words[i].n_bytes;
            embedd_text part = {words[i].bytes + begin, end - begin};
            if (!ed_encode_cached(encode_word, bpe, scratch, part, ids))
                return false;
        }
    }
    return true;
}

/* The end of the part that begins at `begin`. */
static size_t cut_end(const ed_bpe *bpe, embedd_text text, size_t begin)
{
    const size_t mark_bytes = strlen(ED_BPE_CUT_MARK);
    for (size_t at = begin + 1; at < text.n_bytes; at++) {
        const char *mark = memchr(text.bytes + at, ED_BPE_CUT_MARK[0], text.n_bytes - at);
        if (!mark)
            break;
        at = (size_t)(mark - text.bytes);
        if (text.n_bytes - at < mark_bytes || memcmp(mark, ED_BPE_CUT_MARK, mark_bytes) != 0)
            continue;
        size_t before = at - 1, n_used;
        while (((unsigned char)text.bytes[before] & 0xC0) == 0x80)
            before--;
        uint32_t code_point = ed_utf8_decode(text.bytes + before, at - before, &n_used);
        if (code_point < ED_BPE_CUT_POINTS &&
            (bpe->cuts_after[code_point / 64] >> code_point % 64 & 1))
            return at;
    }
    return text.n_bytes;
}

static bool encode_word(const void *model, ed_model_scratch *scratch, embedd_text word,
                        ed_id_list *ids)
{
    return encode_whole(model, word, ids) || encode_symbols(model, scratch, word, ids);
}

/* Words that are a token as they are. */
static bool encode_whole(const ed_bpe *bpe, embedd_text word, ed_id_list *ids)
{
    if (!bpe->ignore_merges)
        return false;
    uint32_t id = ed_trie_find(&bpe->trie, word.bytes, word.n_bytes);
    if (id != ED_TRIE_NONE)
        ed_id_list_add(ids, (int32_t)id);
    return id != ED_TRIE_NONE;
}

static bool encode_symbols(const ed_bpe *bpe, ed_model_scratch *scratch, embedd_text word,
                           ed_id_list *ids)
{
    /* A character may become as many bytes as it has, with the prefix and the suffix; each
     * "unknown" stands for at least one. */
    size_t added = bpe->byte_fallback ? bpe->prefix.n_bytes : 0, n_max;
    if (__builtin_mul_overflow(word.n_bytes, added + 1, &n_max) ||
        __builtin_add_overflow(n_max, bpe->suffix.n_bytes + 1, &n_max) || n_max >= UINT32_MAX)
        return false;
    char *block =
        ed_model_scratch_take(scratch, n_max, sizeof(ed_word_symbol) + 2 * sizeof(uint64_t));
    if (!block)
        return false;
    uint64_t *heap = (uint64_t *)(void *)block;
    symbol_list list = {(ed_word_symbol *)(void *)(heap + 2 * n_max), 0};
    find_symbols(bpe, word, &list);
    ed_pair_merges_run(&bpe->merges, list.symbols, heap, list.n);
    for (size_t i = 0; i < list.n; i++)
        if (list.symbols[i].id >= 0)
            ed_id_list_add(ids, list.symbols[i].id);
    return true;
}

static void find_symbols(const ed_bpe *bpe, embedd_text word, symbol_list *list)
{
    bool unknown = false; /* one is waiting: bytes may come before it, tokens may not */
    for (size_t at = 0, n_bytes; at < word.n_bytes; at += n_bytes) {
        ed_utf8_decode(word.bytes + at, word.n_bytes - at, &n_bytes);
        embedd_text character = {word.bytes + at, n_bytes};
        bool first = at == 0, last = at + n_bytes == word.n_bytes;
        int32_t id = find_char(bpe, character, first, last);
        if (id < 0 && bpe->byte_fallback && add_bytes(bpe, character, first, last, list))
            continue;
        if (id < 0 && bpe->unknown < 0)
            continue;
        if (unknown && (id >= 0 || !bpe->fuse_unknown))
            list->symbols[list->n++].id = bpe->unknown;
        unknown = id < 0;
        if (id >= 0)
            list->symbols[list->n++].id = id;
    }
    if (unknown)
        list->symbols[list->n++].id = bpe->unknown;
}

/* -1: it is no token. */
static int32_t find_char(const ed_bpe *bpe, embedd_text character, bool first, bool last)
{
    uint32_t base = first ? bpe->trie.root : bpe->prefix_root, value = ED_TRIE_NONE;
    for (size_t i = 0; i < character.n_bytes; i++)
        if (!ed_trie_step(&bpe->trie, &base, (unsigned char)character.bytes[i], &value))
            return -1;
    for (size_t i = 0; i < bpe->suffix.n_bytes && last; i++)
        if (!ed_trie_step(&bpe->trie, &base, (unsigned char)bpe->suffix.bytes[i], &value))
            return -1;
    return value == ED_TRIE_NONE ? -1 : (int32_t)value;
}

/* False: not all of its bytes are tokens, and none is added. */
static bool add_bytes(const ed_bpe *bpe, embedd_text character, bool first, bool last,
                      symbol_list *list)
{
    const embedd_text parts[] = {first ? (embedd_text){"", 0} : bpe->prefix, character,
                                 last ? bpe->suffix : (embedd_text){"", 0}};
    size_t n = list->n;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < parts[i].n_bytes; j++) {
            int32_t id = bpe->byte_ids[(unsigned char)parts[i].bytes[j]];
            if (id < 0)
                return false;
            list->symbols[n++].id = id;
        }
    }
    list->n = n;
    return true;
}
