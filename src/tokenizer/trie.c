/* In: strings with values. Out: a double array of them. Time and memory are linear in the strings'
 * bytes. Never recurses. */
#include "tokenizer/trie.h"

#include "base/memory.h"

#define BLOCK     256u /* a state's children lie in one block of cells */
#define NODE_BITS 28
#define NODES_MAX ((size_t)1 << NODE_BITS)
#define TRIES_MAX 128 /* places tried for a state's children before a new block is opened */
#define LIST_END  UINT32_MAX

struct ed_trie_node {
    uint32_t parent;
    uint32_t value;
    unsigned char byte;
};

/* The cells while they are filled: a list of the free ones, and which bases are taken. */
typedef struct cell_filler {
    uint64_t *cells;
    uint32_t *next, *previous; /* of a free cell */
    bool *base_taken;
    size_t n_cells, cap;
    uint32_t first_free;
} cell_filler;

static bool grow_slots(ed_trie_builder *builder);
static bool add_node(ed_trie_builder *builder, uint32_t parent, unsigned char byte);
static bool fill(cell_filler *filler, const ed_trie_builder *builder, const uint32_t *first_child,
                 const uint32_t *children, uint32_t *root);
static bool add_block(cell_filler *filler);
static bool find_base(cell_filler *filler, const ed_trie_builder *builder, const uint32_t *children,
                      size_t n_children, uint32_t *base);
static void take_cell(cell_filler *filler, uint32_t cell);
static void close_free_cells(cell_filler *filler);

/* ---- strings in the making ------------------------------------------------------------------- */

static uint64_t key_of(uint32_t parent, unsigned char byte)
{
    return (uint64_t)parent << 8 | byte;
}

void ed_trie_builder_clear(ed_trie_builder *builder)
{
    ed_free(builder->nodes);
    ed_free(builder->slots);
    *builder = (ed_trie_builder){0};
}

/* A slot is key << NODE_BITS | node; the slot of a key, or the free one where it belongs. */
static size_t find_slot(const ed_trie_builder *builder, uint64_t key)
{
    size_t slot = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (builder->slots_cap - 1);
    while (builder->slots[slot] != 0 && builder->slots[slot] >> NODE_BITS != key)
        slot = (slot + 1) & (builder->slots_cap - 1);
    return slot;
}

uint32_t *ed_trie_builder_value(ed_trie_builder *builder, const char *bytes, size_t n_bytes)
{
    if (builder->n_nodes == 0 && !add_node(builder, 0, 0))
        return NULL;
    uint32_t node = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        if (builder->n_nodes >= builder->slots_cap / 4 * 3 && !grow_slots(builder))
            return NULL;
        unsigned char byte = (unsigned char)bytes[i];
        uint64_t key = key_of(node, byte);
        size_t slot = find_slot(builder, key);
        if (builder->slots[slot] == 0) {
            if (!add_node(builder, node, byte))
                return NULL;
            builder->slots[slot] = key << NODE_BITS | (builder->n_nodes - 1);
        }
        node = (uint32_t)(builder->slots[slot] & (NODES_MAX - 1));
    }
    return &builder->nodes[node].value;
}

static bool add_node(ed_trie_builder *builder, uint32_t parent, unsigned char byte)
{
    if (builder->n_nodes == builder->nodes_cap) {
        size_t cap = builder->nodes_cap ? builder->nodes_cap * 2 : 64;
        struct ed_trie_node *nodes =
            cap <= NODES_MAX ? ed_realloc(builder->nodes, cap, sizeof *nodes) : NULL;
        if (!nodes)
            return false;
        builder->nodes = nodes;
        builder->nodes_cap = cap;
    }
    builder->nodes[builder->n_nodes++] = (struct ed_trie_node){parent, ED_TRIE_NONE, byte};
    return true;
}

static bool grow_slots(ed_trie_builder *builder)
{
    size_t cap = builder->slots_cap ? builder->slots_cap * 2 : 256;
    uint64_t *slots = ed_calloc(cap, sizeof *slots);
    if (!slots)
        return false;
    ed_free(builder->slots);
    builder->slots = slots;
    builder->slots_cap = cap;
    for (size_t i = 1; i < builder->n_nodes; i++) {
        uint64_t key = key_of(builder->nodes[i].parent, builder->nodes[i].byte);
        slots[find_slot(builder, key)] = key << NODE_BITS | i;
    }
    return true;
}

/* ---- the double array ------------------------------------------------------------------------ */

bool ed_trie_open(ed_trie *trie, const ed_trie_builder *builder)
{
    *trie = (ed_trie){0};
    size_t n_nodes = builder->n_nodes > 0 ? builder->n_nodes : 1;
    cell_filler filler = {.first_free = LIST_END};
    bool ok = false;

    /* children[first_child[i]] .. children[first_child[i + 1]] are those of node i. */
    uint32_t *first_child = ed_calloc(n_nodes + 2, sizeof *first_child);
    uint32_t *children = ed_calloc(n_nodes, sizeof *children);
    if (!first_child || !children)
        goto done;
    for (size_t i = 1; i < builder->n_nodes; i++)
        first_child[builder->nodes[i].parent + 2]++;
    for (size_t i = 2; i < n_nodes + 2; i++)
        first_child[i] += first_child[i - 1];
    for (size_t i = 1; i < builder->n_nodes; i++)
        children[first_child[builder->nodes[i].parent + 1]++] = (uint32_t)i;

    ok = fill(&filler, builder, first_child, children, &trie->root);
    if (ok) {
        trie->cells = filler.cells;
        trie->n_cells = filler.n_cells;
        filler.cells = NULL;
    }
done:
    ed_free(filler.cells);
    ed_free(filler.next);
    ed_free(filler.previous);
    ed_free(filler.base_taken);
    ed_free(first_child);
    ed_free(children);
    return ok;
}

/* Parents come before their children, so that a node's own cell is known when its turn comes. */
static bool fill(cell_filler *filler, const ed_trie_builder *builder, const uint32_t *first_child,
                 const uint32_t *children, uint32_t *root)
{
    *root = ED_TRIE_DEAD;
    /* The first block is the children of ED_TRIE_DEAD: no cell in it holds its own byte. */
    if (!add_block(filler))
        return false;
    for (uint32_t cell = 0; cell < BLOCK; cell++) {
        take_cell(filler, cell);
        filler->cells[cell] = (uint64_t)ED_TRIE_NONE << 8 | (~cell & 0xFFu);
    }

    uint32_t *cell_of = ed_calloc(builder->n_nodes > 0 ? builder->n_nodes : 1, sizeof *cell_of);
    if (!cell_of)
        return false;
    bool ok = true;
    for (size_t i = 0; i < builder->n_nodes && ok; i++) {
        const uint32_t *mine = children + first_child[i];
        size_t n_mine = first_child[i + 1] - first_child[i];
        uint32_t base = ED_TRIE_DEAD;
        if (n_mine > 0 && !(ok = find_base(filler, builder, mine, n_mine, &base)))
            break;
        for (size_t j = 0; j < n_mine; j++) {
            const struct ed_trie_node *child = &builder->nodes[mine[j]];
            uint32_t cell = base ^ child->byte;
            take_cell(filler, cell);
            filler->cells[cell] = (uint64_t)child->value << 8 | child->byte;
            cell_of[mine[j]] = cell;
        }
        if (i == 0)
            *root = base;
        else
            filler->cells[cell_of[i]] |= (uint64_t)base << 32;
    }
    ed_free(cell_of);
    if (ok)
        close_free_cells(filler);
    return ok;
}

/* A base whose children's cells are all free. */
static bool find_base(cell_filler *filler, const ed_trie_builder *builder, const uint32_t *children,
                      size_t n_children, uint32_t *base)
{
    size_t n_tries = 0;
    for (uint32_t free = filler->first_free; free != LIST_END && n_tries < TRIES_MAX;
         free = filler->next[free], n_tries++) {
        uint32_t candidate = free ^ builder->nodes[children[0]].byte;
        bool fits = !filler->base_taken[candidate];
        for (size_t i = 1; i < n_children && fits; i++) {
            uint32_t cell = candidate ^ builder->nodes[children[i]].byte;
            fits = filler->previous[cell] != cell; /* a taken cell points at itself */
        }
        if (fits) {
            filler->base_taken[candidate] = true;
            *base = candidate;
            return true;
        }
    }
    size_t block = filler->n_cells;
    if (!add_block(filler))
        return false;
    filler->base_taken[block] = true;
    *base = (uint32_t)block;
    return true;
}

/* Its cells become the first of the free list. */
static bool add_block(cell_filler *filler)
{
    if (filler->n_cells == filler->cap) {
        size_t cap = filler->cap ? filler->cap * 2 : BLOCK * 4;
        if (cap > NODES_MAX * 4)
            return false;
        uint64_t *cells = ed_realloc(filler->cells, cap, sizeof *cells);
        filler->cells = cells ? cells : filler->cells;
        uint32_t *next = ed_realloc(filler->next, cap, sizeof *next);
        filler->next = next ? next : filler->next;
        uint32_t *previous = ed_realloc(filler->previous, cap, sizeof *previous);
        filler->previous = previous ? previous : filler->previous;
        bool *base_taken = ed_realloc(filler->base_taken, cap, sizeof *base_taken);
        filler->base_taken = base_taken ? base_taken : filler->base_taken;
        if (!cells || !next || !previous || !base_taken)
            return false;
        filler->cap = cap;
    }
    uint32_t begin = (uint32_t)filler->n_cells, end = begin + BLOCK;
    filler->n_cells = end;
    for (uint32_t cell = begin; cell < end; cell++) {
        filler->previous[cell] = cell == begin ? LIST_END : cell - 1;
        filler->next[cell] = cell + 1 == end ? filler->first_free : cell + 1;
        filler->base_taken[cell] = false;
    }
    if (filler->first_free != LIST_END)
        filler->previous[filler->first_free] = end - 1;
    filler->first_free = begin;
    return true;
}

static void take_cell(cell_filler *filler, uint32_t cell)
{
    uint32_t next = filler->next[cell], previous = filler->previous[cell];
    if (next != LIST_END)
        filler->previous[next] = previous;
    if (previous != LIST_END)
        filler->next[previous] = next;
    else
        filler->first_free = next;
    filler->previous[cell] = cell;
}

/* A free cell gets a byte with which no taken base leads to it. There is one: a block with a free
 * cell has fewer than 256 children, so fewer than 256 bases. */
static void close_free_cells(cell_filler *filler)
{
    for (uint32_t cell = filler->first_free; cell != LIST_END; cell = filler->next[cell]) {
        uint32_t byte = 0;
        while (filler->base_taken[cell ^ byte])
            byte++;
        filler->cells[cell] = (uint64_t)ED_TRIE_NONE << 8 | byte;
    }
}

/* ---- lookups --------------------------------------------------------------------------------- */

void ed_trie_close(ed_trie *trie)
{
    ed_free(trie->cells);
    *trie = (ed_trie){0};
}

uint32_t ed_trie_walk(const ed_trie *trie, uint32_t base, const char *bytes, size_t n_bytes)
{
    uint32_t value;
    for (size_t i = 0; i < n_bytes; i++)
        if (!ed_trie_step(trie, &base, (unsigned char)bytes[i], &value))
            break;
    return base;
}

uint32_t ed_trie_find(const ed_trie *trie, const char *bytes, size_t n_bytes)
{
    uint32_t base = trie->root, value = ED_TRIE_NONE;
    for (size_t i = 0; i < n_bytes; i++)
        if (!ed_trie_step(trie, &base, (unsigned char)bytes[i], &value))
            return ED_TRIE_NONE;
    return value;
}
