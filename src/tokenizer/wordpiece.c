/* In: words. Out: ids of the longest pieces that make them up, from left to right; one id for
 * "unknown" where a word cannot be made up or is too long.
 * Source: huggingface/tokenizers, models/wordpiece/mod.rs. */
#include "tokenizer/token_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <string.h>

typedef struct wordpiece {
    ed_trie trie;             /* the vocabulary's, which owns it */
    uint32_t continuing_root; /* where pieces that go on with a word begin: after "##" */
    int32_t unknown;
    size_t word_chars_max;
} wordpiece;

static embedd_status open_wordpiece(void **out, ed_vocabulary *vocabulary,
                                    const ed_tokenizer_file *file, struct json_object *json,
                                    embedd_error *err);
static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids);
static bool encode_word(const wordpiece *model, embedd_text word, ed_id_list *ids);
static bool is_longer(embedd_text word, size_t chars_max);

const ed_token_model_type ed_wordpiece_type = {"WordPiece", open_wordpiece, ed_free, encode_words};

static embedd_status open_wordpiece(void **out, ed_vocabulary *vocabulary,
                                    const ed_tokenizer_file *file, struct json_object *json,
                                    embedd_error *err)
{
    const char *where = file->where;
    struct json_object *prefix = NULL, *unknown = NULL;
    size_t word_chars_max = SIZE_MAX;
    json_object_object_get_ex(json, "unk_token", &unknown);
    json_object_object_get_ex(json, "continuing_subword_prefix", &prefix);
    embedd_status status =
        ed_json_get_size(json, "max_input_chars_per_word", &word_chars_max, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!json_object_is_type(unknown, json_type_string))
        return ed_fail(err, EMBEDD_FORMAT, "%s: unk_token is not a string", where);
    if (!json_object_is_type(prefix, json_type_string))
        return ed_fail(err, EMBEDD_FORMAT, "%s: continuing_subword_prefix is not a string", where);
    if (!json_object_object_get(json, "max_input_chars_per_word"))
        return ed_fail(err, EMBEDD_FORMAT, "%s: max_input_chars_per_word is missing", where);
    status = ed_vocabulary_open(vocabulary, file->vocab, where, err);
    if (status != EMBEDD_OK)
        return status;

    wordpiece *model = ed_calloc(1, sizeof *model);
    *out = model;
    if (!model)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    model->trie = vocabulary->trie;
    model->continuing_root =
        ed_trie_walk(&model->trie, model->trie.root, json_object_get_string(prefix),
                     (size_t)json_object_get_string_len(prefix));
    model->word_chars_max = word_chars_max;
    model->unknown = ed_vocabulary_find(vocabulary, json_object_get_string(unknown),
                                        (size_t)json_object_get_string_len(unknown));
    if (model->unknown < 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: unk_token %.64s is not in vocab", where,
                       json_object_get_string(unknown));
    return EMBEDD_OK;
}

static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids)
{
    (void)scratch;
    const wordpiece *pieces = model;
    for (size_t i = 0; i < n_words; i++) {
        size_t n_before = ids->n;
        if (encode_word(pieces, words[i], ids))
            continue;
        ids->n = n_before; /* without the pieces found so far */
        ed_id_list_add(ids, pieces->unknown);
    }
    return true;
}

/* False: the word is unknown, and some of its ids may have been added. */
static bool encode_word(const wordpiece *model, embedd_text word, ed_id_list *ids)
{
    if (is_longer(word, model->word_chars_max))
        return false;
    const char *at = word.bytes, *end = word.bytes + word.n_bytes;
    uint32_t root = model->trie.root;
    while (at < end) {
        uint32_t base = root, value, longest = ED_TRIE_NONE;
        const char *longest_end = at;
        for (const char *next = at; next < end;) {
            if (!ed_trie_step(&model->trie, &base, (unsigned char)*next, &value))
                break;
            next++;
            if (value != ED_TRIE_NONE) {
                longest = value;
                longest_end = next;
            }
        }
        if (longest == ED_TRIE_NONE)
            return false;
        ed_id_list_add(ids, (int32_t)longest);
        at = longest_end;
        root = model->continuing_root;
    }
    return true;
}

static bool is_longer(embedd_text word, size_t chars_max)
{
    if (word.n_bytes <= chars_max)
        return false;
    size_t n_chars = 0;
    for (size_t i = 0; i < word.n_bytes && n_chars <= chars_max; i++)
        n_chars += ((unsigned char)word.bytes[i] & 0xC0) != 0x80;
    return n_chars > chars_max;
}
