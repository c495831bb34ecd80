/* In: a text and where it may be cut. Out: chunks. Each takes at least half of what it may have
 * anew, so that the whole is linear; where several places divide equally well, the last one ends a
 * chunk and the first one begins its overlap. */
#include "documents/chunker.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "documents/breaks.h"

#define CHUNKS_FIRST 16

typedef struct cutter {
    embedd_text text;
    const unsigned char *breaks; /* [bytes_needed + 1] */
    const ed_chunk_options *options;
} cutter;

static size_t bytes_needed(const cutter *c);
static bool add(ed_chunks *out, size_t *cap, ed_chunk chunk);
static size_t find_end(const cutter *c, size_t begin);
static size_t find_next_begin(const cutter *c, size_t begin, size_t end);
static size_t reach_of(const cutter *c, size_t end);
static size_t best_overlap(const cutter *c, size_t earliest, size_t latest, size_t end);
static bool starts_character(const cutter *c, size_t at);
static size_t forward(const cutter *c, size_t at, size_t n_characters);
static size_t back(const cutter *c, size_t at, size_t n_characters, size_t least);
static size_t count(const cutter *c, size_t begin, size_t end);

embedd_status ed_chunks_make(ed_chunks *out, embedd_text text, const ed_chunk_options *options,
                             embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    size_t cap = 0, begin = 0, first = 0;
    *out = (ed_chunks){0};
    if (options->size == 0 || options->overlap > options->size / 2)
        return ed_fail(err, EMBEDD_ARGUMENT, "an overlap of %zu in chunks of %zu characters",
                       options->overlap, options->size);
    cutter c = {.text = text, .options = options};
    size_t n_looked_at = bytes_needed(&c);
    unsigned char *breaks = ed_calloc(n_looked_at + 1, 1);
    if (!breaks)
        return ed_fail(err, EMBEDD_MEMORY, "no memory to cut a text of %zu bytes", n_looked_at);
    ed_breaks_find(text.bytes, n_looked_at, options->markdown, breaks);
    c.breaks = breaks;
    while (begin < text.n_bytes && out->n_chunks < options->chunks_max) {
        size_t end = find_end(&c, begin);
        if (!add(out, &cap, (ed_chunk){begin, end, first, count(&c, begin, end)})) {
            ed_chunks_clear(out);
            status = ed_fail(err, EMBEDD_MEMORY, "no memory for the chunks");
            goto done;
        }
        size_t next = end < text.n_bytes ? find_next_begin(&c, begin, end) : end;
        first += count(&c, begin, next);
        begin = next;
    }
    out->cut = begin < text.n_bytes;
done:
    ed_free(breaks);
    return status;
}

size_t ed_chunk_overlap_default(size_t size)
{
    return size / 2 < ED_CHUNK_OVERLAP ? size / 2 : ED_CHUNK_OVERLAP;
}

void ed_chunks_clear(ed_chunks *chunks)
{
    ed_free(chunks->chunks);
    *chunks = (ed_chunks){0};
}

/* What the chunks can hold, and a little beyond, where the last of them may not end. */
static size_t bytes_needed(const cutter *c)
{
    size_t n_characters;
    if (!ed_add_size(c->options->chunks_max, 2, &n_characters) ||
        !ed_mul_size(n_characters, c->options->size, &n_characters))
        return c->text.n_bytes;
    return forward(c, 0, n_characters);
}

static bool add(ed_chunks *out, size_t *cap, ed_chunk chunk)
{
    if (out->n_chunks == *cap) {
        size_t more = *cap ? *cap * 2 : CHUNKS_FIRST;
        ed_chunk *chunks = ed_realloc(out->chunks, more, sizeof *chunks);
        if (!chunks)
            return false;
        out->chunks = chunks;
        *cap = more;
    }
    out->chunks[out->n_chunks++] = chunk;
    return true;
}

static size_t find_end(const cutter *c, size_t begin)
{
    size_t size = c->options->size, overlap = c->options->overlap;
    size_t limit = forward(c, begin, size), end = 0;
    if (limit == c->text.n_bytes)
        return limit;
    size_t least = forward(c, begin, overlap + (size - overlap + 1) / 2);
    for (size_t at = limit; at >= least; at--)
        if (c->breaks[at] > (end ? c->breaks[end] : ED_BREAK_NEVER))
            end = at;
    for (size_t at = least; at > begin && !end; at--) /* before a long grapheme cluster */
        if (c->breaks[at] != ED_BREAK_NEVER)
            end = at;
    return end > begin ? end : limit;
}

/* Early enough for the overlap, late enough that the next chunk gets beyond `end`. */
static size_t find_next_begin(const cutter *c, size_t begin, size_t end)
{
    size_t size = c->options->size, overlap = c->options->overlap;
    size_t reach = reach_of(c, end);
    if (overlap == 0 || !reach)
        return end;
    size_t earliest = back(c, end, overlap, begin + 1);
    size_t earliest_reaching = back(c, reach, size, begin + 1);
    if (earliest < earliest_reaching)
        earliest = earliest_reaching;
    size_t latest = back(c, end, overlap / 2, begin + 1);
    return earliest < end ? best_overlap(c, earliest, latest, end) : end;
}

/* Where the grapheme cluster after `end` ends, or 0 if no chunk can hold it. */
static size_t reach_of(const cutter *c, size_t end)
{
    size_t at = end;
    for (size_t n = 0; n < c->options->size; n++) {
        at = forward(c, at, 1);
        if (at == c->text.n_bytes || c->breaks[at] != ED_BREAK_NEVER)
            return at;
    }
    return 0;
}

/* A sentence's or a word's beginning in the overlap's first half, else any character's. */
static size_t best_overlap(const cutter *c, size_t earliest, size_t latest, size_t end)
{
    size_t best = end, any = end;
    int best_break = ED_BREAK_CHARACTER;
    for (size_t at = earliest; at < end && (at <= latest || any == end); at++) {
        int found = c->breaks[at] < ED_BREAK_SENTENCE ? c->breaks[at] : ED_BREAK_SENTENCE;
        if (found != ED_BREAK_NEVER && any == end)
            any = at;
        if (found > best_break && at <= latest) {
            best = at;
            best_break = found;
        }
    }
    return best < end ? best : any;
}

/* ---- walking over code points ---------------------------------------------------------------- */

static bool starts_character(const cutter *c, size_t at)
{
    return ((unsigned char)c->text.bytes[at] & 0xC0) != 0x80;
}

/* n_characters on, or the end. */
static size_t forward(const cutter *c, size_t at, size_t n_characters)
{
    while (n_characters > 0 && at < c->text.n_bytes) {
        at++;
        while (at < c->text.n_bytes && !starts_character(c, at))
            at++;
        n_characters--;
    }
    return at;
}

/* n_characters back, but not below `least`. */
static size_t back(const cutter *c, size_t at, size_t n_characters, size_t least)
{
    while (n_characters > 0 && at > least) {
        at--;
        while (at > least && !starts_character(c, at))
            at--;
        n_characters--;
    }
    return at;
}

static size_t count(const cutter *c, size_t begin, size_t end)
{
    size_t n = 0;
    for (size_t at = begin; at < end; at++)
        n += starts_character(c, at);
    return n;
}
