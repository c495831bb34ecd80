/* In: pieces with scores. Out: merges in order. Pieces of equal scores come with the longer left
 * part first, then by id, as transformers' generate_merges has it. */
#include "tokenizer/score_merges.h"

#include "base/error.h"
#include "tokenizer/json_writer.h"
#include "tokenizer/trie.h"

#include <stdlib.h>

#define PIECE_BYTES_MAX 1024 /* every split of every piece is looked up */

typedef struct merge {
    uint32_t piece;
    uint32_t left_chars, right_chars;
    uint32_t left, right; /* ids */
    float score;
} merge;

typedef struct merge_list {
    merge *merges; /* [n] */
    size_t n, cap;
} merge_list;

static bool index_pieces(ed_trie *trie, const embedd_text *pieces, size_t n_pieces);
static bool add_splits(merge_list *list, const ed_trie *trie, embedd_text text, uint32_t piece,
                       float score);
static int compare(const void *a, const void *b);

embedd_status ed_score_merges_write(ed_buf *json, const embedd_text *pieces, const float *scores,
                                    size_t n_pieces, const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_trie trie = {0};
    merge_list list = {0};
    if (n_pieces > ED_TRIE_VALUE_MAX)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: more than %d tokens", where,
                       (int)ED_TRIE_VALUE_MAX);
    bool ok = index_pieces(&trie, pieces, n_pieces);
    for (size_t i = 0; i < n_pieces && ok; i++) {
        if (pieces[i].n_bytes > PIECE_BYTES_MAX) {
            status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: token %zu has more than %d bytes", where,
                             i, PIECE_BYTES_MAX);
            goto done;
        }
        ok = add_splits(&list, &trie, pieces[i], (uint32_t)i, scores[i]);
    }
    if (!ok) {
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        goto done;
    }
    if (list.n > 0)
        qsort(list.merges, list.n, sizeof *list.merges, compare);

    ed_buf_append_text(json, ",\"merges\":[");
    for (size_t i = 0; i < list.n; i++) {
        ed_buf_append_text(json, i == 0 ? "[" : ",[");
        ed_json_write_string(json, pieces[list.merges[i].left]);
        ed_buf_append_text(json, ",");
        ed_json_write_string(json, pieces[list.merges[i].right]);
        ed_buf_append_text(json, "]");
    }
    ed_buf_append_text(json, "]");
done:
    ed_free(list.merges);
    ed_trie_close(&trie);
    return status;
}

static bool index_pieces(ed_trie *trie, const embedd_text *pieces, size_t n_pieces)
{
    ed_trie_builder builder = {0};
    bool ok = true;
    for (size_t i = 0; i < n_pieces && ok; i++) {
        uint32_t *value = ed_trie_builder_value(&builder, pieces[i].bytes, pieces[i].n_bytes);
        ok = value;
        if (ok)
            *value = (uint32_t)i;
    }
    ok = ok && ed_trie_open(trie, &builder);
    ed_trie_builder_clear(&builder);
    return ok;
}

static bool add_splits(merge_list *list, const ed_trie *trie, embedd_text text, uint32_t piece,
                       float score)
{
    uint32_t base = trie->root, left, n_chars = 0, left_chars = 0;
    for (size_t i = 0; i < text.n_bytes; i++)
        n_chars += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    for (size_t i = 0; i + 1 < text.n_bytes; i++) {
        if (!ed_trie_step(trie, &base, (unsigned char)text.bytes[i], &left))
            break;
        if (((unsigned char)text.bytes[i + 1] & 0xC0) == 0x80)
            continue;
        left_chars++;
        if (left == ED_TRIE_NONE)
            continue;
        uint32_t right = ed_trie_find(trie, text.bytes + i + 1, text.n_bytes - i - 1);
        if (right == ED_TRIE_NONE)
            continue;
        if (list->n == list->cap) {
            size_t cap = list->cap ? list->cap * 2 : 1024;
            merge *merges = ed_realloc(list->merges, cap, sizeof *merges);
            if (!merges)
                return false;
            list->merges = merges;
            list->cap = cap;
        }
        list->merges[list->n++] =
            (merge){piece, left_chars, n_chars - left_chars, left, right, score};
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const merge *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->left_chars != y->left_chars)
        return x->left_chars > y->left_chars ? -1 : 1;
    if (x->right_chars != y->right_chars)
        return x->right_chars > y->right_chars ? -1 : 1;
    if (x->piece != y->piece)
        return x->piece < y->piece ? -1 : 1;
    if (x->left != y->left)
        return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}
