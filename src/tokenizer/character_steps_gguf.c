/* In: code points. Out: code points, changed by one step of the BERT normalizer that GGUF files are
 * made for, so that a text has the ids that llama.cpp and Ollama give it. It differs from Hugging
 * Face's where a text is not plain: of a composed character only the first part of its
 * decomposition is kept, Korean syllables become their leading consonant, all marks go, and
 * controls that are white space cut words.
 * Source: github.com/ggml-org/llama.cpp, src/llama-vocab.cpp, llm_tokenizer_wpm_session. */
#include "tokenizer/character_pass.h"

#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_normal.h"

bool ed_character_keep_bases(ed_code_points *points)
{
    for (size_t i = 0; i < points->n; i++)
        points->at[i] = ed_unicode_base(points->at[i]);
    return true;
}

bool ed_character_clean_gguf(ed_code_points *points)
{
    size_t n = 0;
    for (size_t i = 0; i < points->n; i++) {
        unsigned flags = ed_unicode_flags(points->at[i]);
        bool space = flags & ED_UNICODE_SPACE;
        points->at[n] = space ? ' ' : points->at[i];
        n += space || !(flags & ED_UNICODE_CONTROL);
    }
    points->n = n;
    return true;
}

/* One letter for one letter. */
bool ed_character_lower_simple(ed_code_points *points)
{
    for (size_t i = 0; i < points->n; i++)
        points->at[i] = points->at[i] == 0x130 ? 'i' : ed_unicode_lower(points->at[i]);
    return true;
}
