/* The rules, written without the chunker's own tables: places are looked up in the text itself. */
#include "support/chunk_rules.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

/* For each byte the number of code points in the grapheme cluster it lies inside of; 0 = a cluster
 * begins here. */
static size_t *clusters_of(embedd_text text)
{
    size_t *clusters = calloc(text.n_bytes + 1, sizeof *clusters);
    utf8proc_int32_t state = 0, before = 0;
    size_t begin = 0, n = 0, n_used;
    for (size_t at = 0; clusters && at <= text.n_bytes; at += n_used) {
        bool end = at == text.n_bytes;
        utf8proc_int32_t c =
            end ? 0 : (utf8proc_int32_t)ed_utf8_decode(text.bytes + at, text.n_bytes - at, &n_used);
        if (end || (at > 0 && utf8proc_grapheme_break_stateful(before, c, &state))) {
            for (size_t i = begin + 1; i < at; i++)
                clusters[i] = n;
            begin = at;
            n = 0;
        }
        if (end)
            break;
        before = c;
        n++;
    }
    return clusters;
}

static size_t count(embedd_text text, size_t begin, size_t end)
{
    size_t n = 0;
    for (size_t i = begin; i < end; i++)
        n += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return n;
}

static bool starts_character(embedd_text text, size_t at)
{
    return at == text.n_bytes || ((unsigned char)text.bytes[at] & 0xC0) != 0x80;
}

static const char *broken_alone(embedd_text text, const ed_chunk_options *options,
                                const size_t *clusters, const ed_chunk *chunk)
{
    if (chunk->begin >= chunk->end || chunk->end > text.n_bytes)
        return "a chunk is a piece of the text";
    if (!starts_character(text, chunk->begin) || !starts_character(text, chunk->end))
        return "a chunk is whole code points";
    if (chunk->n_characters != count(text, chunk->begin, chunk->end))
        return "a chunk knows its size";
    if (chunk->n_characters > options->size)
        return "a chunk is not longer than its limit";
    if ((clusters[chunk->begin] > 0 && clusters[chunk->begin] <= options->size) ||
        (clusters[chunk->end] > 0 && clusters[chunk->end] <= options->size))
        return "a grapheme cluster that fits is whole";
    return NULL;
}

static const char *broken_beside(embedd_text text, const ed_chunk_options *options,
                                 const ed_chunk *chunk, const ed_chunk *next)
{
    if (next->begin > chunk->end)
        return "every character is in a chunk";
    if (next->begin <= chunk->begin || next->end <= chunk->end)
        return "each chunk brings something new";
    if (count(text, next->begin, chunk->end) > options->overlap)
        return "chunks overlap no more than they may";
    if (next->first_character != chunk->first_character + count(text, chunk->begin, next->begin))
        return "a chunk knows where it begins";
    return NULL;
}

const char *chunk_rule_broken(embedd_text text, const ed_chunk_options *options,
                              const ed_chunks *chunks)
{
    const char *broken = NULL;
    size_t n = chunks->n_chunks;
    size_t *clusters = clusters_of(text);
    if (!clusters)
        return "memory";
    if (n > options->chunks_max)
        broken = "there are not more chunks than their limit";
    else if (n > 0 && (chunks->chunks[0].begin != 0 || chunks->chunks[0].first_character != 0))
        broken = "the first chunk is the text's beginning";
    else if (chunks->cut != ((n ? chunks->chunks[n - 1].end : 0) < text.n_bytes))
        broken = "what is left out is told";
    else if (chunks->cut && n < options->chunks_max)
        broken = "nothing is left out before the limit";
    for (size_t i = 0; i < n && !broken; i++) {
        broken = broken_alone(text, options, clusters, &chunks->chunks[i]);
        if (!broken && i + 1 < n)
            broken = broken_beside(text, options, &chunks->chunks[i], &chunks->chunks[i + 1]);
    }
    free(clusters);
    return broken;
}
