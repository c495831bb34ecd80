/* In: tokens of one character each. Out: the tokens they merge to, the pair of the lowest rank
 * first and of equal ones the leftmost. Source: huggingface/tokenizers, models/bpe/word.rs. */
#include "tokenizer/pair_merges.h"

#include "base/memory.h"

#define NO_SYMBOL   UINT32_MAX
#define SCANNED_MAX 24 /* in words this short the best pair is found by looking at all */
#define HEAP_WAYS   8  /* children of a node lie side by side, mostly in one cache line */

/* The pairs that can merge, as rank << 32 | place of the left one; the lowest at the top. */
typedef struct pair_heap {
    uint64_t *keys; /* [n] */
    size_t n;
} pair_heap;

static bool grow(ed_pair_merges *merges);
static void rate(const ed_pair_merges *merges, ed_word_symbol *symbols, uint32_t at);
static uint32_t find_best(const ed_word_symbol *symbols);
static void merge_at(ed_word_symbol *symbols, uint32_t at);
static void push(pair_heap *heap, const ed_word_symbol *symbols, uint32_t at);
static uint64_t pop(pair_heap *heap);

/* ---- the table ------------------------------------------------------------------------------- */

void ed_pair_merges_close(ed_pair_merges *merges)
{
    ed_free(merges->slots);
    *merges = (ed_pair_merges){0};
}

static ed_pair_merge *find_slot(const ed_pair_merges *merges, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right;
    size_t slot = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (merges->n_slots - 1);
    while (merges->slots[slot].rank != ED_RANK_NONE &&
           (merges->slots[slot].left != left || merges->slots[slot].right != right))
        slot = (slot + 1) & (merges->n_slots - 1);
    return &merges->slots[slot];
}

bool ed_pair_merges_add(ed_pair_merges *merges, ed_pair_merge merge)
{
    if (merges->n_pairs >= merges->n_slots / 2 && !grow(merges))
        return false;
    ed_pair_merge *slot = find_slot(merges, merge.left, merge.right);
    merges->n_pairs += slot->rank == ED_RANK_NONE;
    *slot = merge;
    return true;
}

static bool grow(ed_pair_merges *merges)
{
    ed_pair_merges larger = {.n_slots = merges->n_slots ? merges->n_slots * 2 : 64,
                             .n_pairs = merges->n_pairs};
    larger.slots = ed_calloc(larger.n_slots, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < larger.n_slots; i++)
        larger.slots[i].rank = ED_RANK_NONE;
    for (size_t i = 0; i < merges->n_slots; i++) {
        const ed_pair_merge *merge = &merges->slots[i];
        if (merge->rank != ED_RANK_NONE)
            *find_slot(&larger, merge->left, merge->right) = *merge;
    }
    ed_free(merges->slots);
    *merges = larger;
    return true;
}

/* ---- a word ---------------------------------------------------------------------------------- */

void ed_pair_merges_run(const ed_pair_merges *merges, ed_word_symbol *symbols, uint64_t *heap,
                        size_t n_symbols)
{
    if (n_symbols < 2 || merges->n_pairs == 0)
        return;
    pair_heap waiting = {heap, 0};
    bool scanned = n_symbols <= SCANNED_MAX;
    for (uint32_t i = 0; i < n_symbols; i++) {
        symbols[i].previous = i == 0 ? NO_SYMBOL : i - 1;
        symbols[i].next = i + 1 == n_symbols ? NO_SYMBOL : i + 1;
        rate(merges, symbols, i);
        if (!scanned)
            push(&waiting, symbols, i);
    }
    for (;;) {
        uint32_t at;
        if (scanned) {
            at = find_best(symbols);
            if (symbols[at].rank == ED_RANK_NONE)
                return;
        } else {
            if (waiting.n == 0)
                return;
            uint64_t key = pop(&waiting);
            at = (uint32_t)key;
            if (symbols[at].id < 0 || symbols[at].rank != key >> 32)
                continue; /* one of the two has merged with another since */
        }
        merge_at(symbols, at);
        rate(merges, symbols, at);
        if (!scanned)
            push(&waiting, symbols, at);
        if (symbols[at].previous == NO_SYMBOL)
            continue;
        rate(merges, symbols, symbols[at].previous);
        if (!scanned)
            push(&waiting, symbols, symbols[at].previous);
    }
}

static void rate(const ed_pair_merges *merges, ed_word_symbol *symbols, uint32_t at)
{
    ed_word_symbol *symbol = &symbols[at];
    symbol->rank = ED_RANK_NONE;
    if (symbol->next == NO_SYMBOL)
        return;
    const ed_pair_merge *merge =
        find_slot(merges, (uint32_t)symbol->id, (uint32_t)symbols[symbol->next].id);
    symbol->rank = merge->rank;
    symbol->merged = merge->merged;
}

static uint32_t find_best(const ed_word_symbol *symbols)
{
    uint32_t best = 0;
    for (uint32_t i = symbols[0].next; i != NO_SYMBOL; i = symbols[i].next)
        best = symbols[i].rank < symbols[best].rank ? i : best;
    return best;
}

static void merge_at(ed_word_symbol *symbols, uint32_t at)
{
    uint32_t right = symbols[at].next, after = symbols[right].next;
    symbols[at].id = symbols[at].merged;
    symbols[at].next = after;
    symbols[right].id = -1;
    if (after != NO_SYMBOL)
        symbols[after].previous = at;
}

/* Nothing where the pair does not merge. At most 2 * n - 1 pushes: n, and two for each merge, which
 * took one out. */
static void push(pair_heap *heap, const ed_word_symbol *symbols, uint32_t at)
{
    if (symbols[at].rank == ED_RANK_NONE)
        return;
    uint64_t key = (uint64_t)symbols[at].rank << 32 | at;
    size_t i = heap->n++;
    while (i > 0 && heap->keys[(i - 1) / HEAP_WAYS] > key) {
        heap->keys[i] = heap->keys[(i - 1) / HEAP_WAYS];
        i = (i - 1) / HEAP_WAYS;
    }
    heap->keys[i] = key;
}

static uint64_t pop(pair_heap *heap)
{
    uint64_t top = heap->keys[0], key = heap->keys[--heap->n];
    size_t i = 0;
    for (;;) {
        size_t first = HEAP_WAYS * i + 1;
        if (first >= heap->n)
            break;
        size_t end = heap->n - first < HEAP_WAYS ? heap->n : first + HEAP_WAYS, lowest = first;
        for (size_t child = first + 1; child < end; child++)
            lowest = heap->keys[child] < heap->keys[lowest] ? child : lowest;
        if (heap->keys[lowest] >= key)
            break;
        heap->keys[i] = heap->keys[lowest];
        i = lowest;
    }
    if (heap->n > 0)
        heap->keys[i] = key;
    return top;
}
