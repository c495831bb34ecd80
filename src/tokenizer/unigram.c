/* In: words. Out: ids of the pieces that make each one up with the highest sum of scores; the sums
 * are doubles, added from left to right, and of equal ones the first found stays.
 * Source: huggingface/tokenizers, models/unigram/model.rs. */
#include "tokenizer/token_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json.h"

#include <json-c/json.h>

#define UNKNOWN_PENALTY 10.0 /* below the lowest score */

typedef struct unigram {
    ed_trie trie; /* the vocabulary's, which owns it */
    double *scores;
    double unknown_score;
    int32_t unknown;
    bool byte_fallback;
    int32_t byte_ids[256];
} unigram;

/* The best way to a place in the word. */
typedef struct path_node {
    double score;
    uint32_t begin; /* of the last piece; NOWHERE: no way leads here */
    int32_t id;
} path_node;

#define NOWHERE UINT32_MAX

static embedd_status open_unigram(void **out, ed_vocabulary *vocabulary,
                                  const ed_tokenizer_file *file, struct json_object *json,
                                  embedd_error *err);
static void close_unigram(void *model);
static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids);
static bool encode_word(const void *model, ed_model_scratch *scratch, embedd_text word,
                        ed_id_list *ids);
static void find_best(const unigram *model, embedd_text word, path_node *nodes);
static void add_pieces(const unigram *model, embedd_text word, path_node *nodes, ed_id_list *ids);
static void add_unknown(const unigram *model, embedd_text piece, ed_id_list *ids);

const ed_token_model_type ed_unigram_type = {"Unigram", open_unigram, close_unigram, encode_words};

static embedd_status open_unigram(void **out, ed_vocabulary *vocabulary,
                                  const ed_tokenizer_file *file, struct json_object *json,
                                  embedd_error *err)
{
    const char *where = file->where;
    unigram *model = ed_calloc(1, sizeof *model);
    *out = model;
    if (!model)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    struct json_object *unknown = json_object_object_get(json, "unk_id");
    embedd_status status =
        ed_json_get_bool(json, "byte_fallback", &model->byte_fallback, where, err);
    if (status == EMBEDD_OK)
        status = ed_vocabulary_open_scored(vocabulary, &model->scores, file->vocab,
                                           file->exact_numbers, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!unknown)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: a Unigram without unk_id is not supported",
                       where);
    status = ed_read_id(unknown, &model->unknown, "unk_id", where, err);
    if (status != EMBEDD_OK)
        return status;
    if ((size_t)model->unknown >= vocabulary->n_tokens)
        return ed_fail(err, EMBEDD_FORMAT, "%s: unk_id %d is not in vocab", where,
                       (int)model->unknown);

    double lowest = model->scores[0];
    for (size_t i = 1; i < vocabulary->n_tokens; i++)
        lowest = model->scores[i] < lowest ? model->scores[i] : lowest;
    model->unknown_score = lowest - UNKNOWN_PENALTY;
    model->trie = vocabulary->trie;
    ed_vocabulary_find_bytes(vocabulary, model->byte_ids);
    return EMBEDD_OK;
}

static void close_unigram(void *model)
{
    if (model)
        ed_free(((unigram *)model)->scores);
    ed_free(model);
}

static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids)
{
    for (size_t i = 0; i < n_words; i++)
        if (!ed_encode_cached(encode_word, model, scratch, words[i], ids))
            return false;
    return true;
}

static bool encode_word(const void *model, ed_model_scratch *scratch, embedd_text word,
                        ed_id_list *ids)
{
    path_node *nodes = word.n_bytes < NOWHERE
                           ? ed_model_scratch_take(scratch, word.n_bytes + 1, sizeof *nodes)
                           : NULL;
    if (!nodes)
        return false;
    find_best(model, word, nodes);
    add_pieces(model, word, nodes, ids);
    return true;
}

static inline void offer(path_node *node, double score, size_t begin, int32_t id)
{
    if (node->begin != NOWHERE && !(score > node->score))
        return;
    *node = (path_node){score, (uint32_t)begin, id};
}

/* nodes: [n_bytes + 1] */
static void find_best(const unigram *model, embedd_text word, path_node *nodes)
{
    for (size_t i = 0; i <= word.n_bytes; i++)
        nodes[i].begin = NOWHERE;
    nodes[0].score = 0;
    for (size_t begin = 0, char_bytes; begin < word.n_bytes; begin += char_bytes) {
        double so_far = nodes[begin].score;
        bool has_char = false;
        uint32_t base = model->trie.root, id;
        ed_utf8_decode(word.bytes + begin, word.n_bytes - begin, &char_bytes);
        for (size_t end = begin; end < word.n_bytes;) {
            if (!ed_trie_step(&model->trie, &base, (unsigned char)word.bytes[end], &id))
                break;
            end++;
            if (id == ED_TRIE_NONE)
                continue;
            has_char = has_char || end - begin == char_bytes;
            offer(&nodes[end], model->scores[id] + so_far, begin, (int32_t)id);
        }
        if (!has_char)
            offer(&nodes[begin + char_bytes], model->unknown_score + so_far, begin, model->unknown);
    }
}

/* Follows the path back, turning its links round, and adds it. */
static void add_pieces(const unigram *model, embedd_text word, path_node *nodes, ed_id_list *ids)
{
    /* From here on, the node at a piece's begin holds its id and, in `begin`, its end. */
    size_t end = word.n_bytes;
    uint32_t begin = nodes[end].begin;
    int32_t id = nodes[end].id;
    while (end > 0) {
        path_node next = nodes[begin];
        nodes[begin].begin = (uint32_t)end;
        nodes[begin].id = id;
        end = begin;
        begin = next.begin;
        id = next.id;
    }

    size_t at = 0;
    while (at < word.n_bytes) {
        size_t first = at;
        id = nodes[at].id;
        at = nodes[at].begin;
        if (id != model->unknown) {
            ed_id_list_add(ids, id);
            continue;
        }
        while (at < word.n_bytes && nodes[at].id == model->unknown) /* they count as one */
            at = nodes[at].begin;
        add_unknown(model, (embedd_text){word.bytes + first, at - first}, ids);
    }
}

static void add_unknown(const unigram *model, embedd_text piece, ed_id_list *ids)
{
    uint32_t id = ed_trie_find(&model->trie, piece.bytes, piece.n_bytes);
    bool bytes = id == ED_TRIE_NONE && model->byte_fallback;
    for (size_t i = 0; i < piece.n_bytes && bytes; i++)
        bytes = model->byte_ids[(unsigned char)piece.bytes[i]] >= 0;
    for (size_t i = 0; i < piece.n_bytes && bytes; i++)
        ed_id_list_add(ids, model->byte_ids[(unsigned char)piece.bytes[i]]);
    if (!bytes)
        ed_id_list_add(ids, id == ED_TRIE_NONE ? model->unknown : (int32_t)id);
}
