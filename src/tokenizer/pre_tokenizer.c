/* In: text. Out: its words, batch by batch, after all steps. */
#include "tokenizer/pre_tokenizer.h"

#include "base/checked.h"
#include "base/error.h"

#define TEXT_BYTES_MAX (SIZE_MAX / 4)
#define GROWTH_MAX     4 /* bytes that a rewritten byte may become, and again for each word */

struct ed_pre_stage {
    embedd_text words[ED_PRE_WORDS_MAX]; /* [n] */
    size_t n, next;                      /* next: the first that is not used up */
    size_t at;                           /* inside of it, for next_words */
    ed_split_cursor cursor;              /* likewise, for what cuts at matches */
    bool begins_text;                    /* words[0] does */
    ed_buf text;                         /* of words that were written anew */
};

static embedd_status run_step(const ed_pre_step *step, ed_pre_scratch *scratch, ed_pre_stage *in,
                              ed_pre_stage *out);
static embedd_status rewrite(const ed_pre_step *step, ed_pre_stage *in, ed_pre_stage *out);
static embedd_status cut_word(const ed_pre_step *step, ed_pre_scratch *scratch, ed_pre_stage *in,
                              ed_pre_stage *out);
static embedd_status next_word(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                               ed_split_cursor *cursor, embedd_text *word);
static embedd_status take(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                          ed_split_cursor *cursor, ed_split_segment *segment);
static embedd_status peek(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                          ed_split_cursor *cursor);

embedd_status ed_pre_scratch_open(ed_pre_scratch *scratch, const ed_pre_tokenizer *pre,
                                  embedd_error *err)
{
    *scratch = (ed_pre_scratch){.n_stages = pre->n_steps + 1};
    scratch->stages = ed_calloc(scratch->n_stages, sizeof *scratch->stages);
    if (!scratch->stages)
        return ed_fail(err, EMBEDD_MEMORY, "tokenizer scratch: out of memory");
    for (size_t i = 0; i < scratch->n_stages; i++)
        ed_buf_init(&scratch->stages[i].text, TEXT_BYTES_MAX);
    return EMBEDD_OK;
}

void ed_pre_scratch_close(ed_pre_scratch *scratch)
{
    for (size_t i = 0; i < scratch->n_stages && scratch->stages; i++)
        ed_buf_clear(&scratch->stages[i].text);
    ed_free(scratch->stages);
    ed_pattern_scratch_clear(&scratch->pattern);
    *scratch = (ed_pre_scratch){0};
}

void ed_pre_tokenizer_begin(const ed_pre_tokenizer *pre, ed_pre_scratch *scratch, embedd_text text,
                            bool begins_text)
{
    for (size_t i = 0; i <= pre->n_steps; i++)
        scratch->stages[i].n = scratch->stages[i].next = 0;
    ed_pre_stage *first = &scratch->stages[0];
    first->words[0] = text;
    first->n = text.n_bytes > 0;
    first->at = 0;
    first->cursor = (ed_split_cursor){0};
    first->begins_text = begins_text;
}

embedd_status ed_pre_tokenizer_next(const ed_pre_tokenizer *pre, ed_pre_scratch *scratch,
                                    const embedd_text **words, size_t *n_words)
{
    ed_pre_stage *stages = scratch->stages, *last = &stages[pre->n_steps];
    *n_words = 0;
    while (last->next == last->n) {
        size_t step = pre->n_steps; /* the last one that has words to work on */
        while (step > 0 && stages[step - 1].next == stages[step - 1].n)
            step--;
        if (step == 0)
            return EMBEDD_OK;
        embedd_status status =
            run_step(&pre->steps[step - 1], scratch, &stages[step - 1], &stages[step]);
        if (status != EMBEDD_OK)
            return status;
    }
    *words = last->words;
    *n_words = last->n;
    last->next = last->n;
    return EMBEDD_OK;
}

/* Fills `out` from `in`, as far as there is room. */
static embedd_status run_step(const ed_pre_step *step, ed_pre_scratch *scratch, ed_pre_stage *in,
                              ed_pre_stage *out)
{
    embedd_status status = EMBEDD_OK;
    out->n = out->next = out->at = 0;
    out->cursor = (ed_split_cursor){0};
    out->begins_text = false;
    if (step->rewrite)
        return rewrite(step, in, out);
    while (in->next < in->n && out->n < ED_PRE_WORDS_MAX && status == EMBEDD_OK) {
        if (step->next_words) {
            out->n += step->next_words(in->words[in->next], &in->at, out->words + out->n,
                                       ED_PRE_WORDS_MAX - out->n);
            if (out->n < ED_PRE_WORDS_MAX) {
                in->next++;
                in->at = 0;
            }
        } else {
            status = cut_word(step, scratch, in, out);
        }
    }
    return status;
}

static embedd_status rewrite(const ed_pre_step *step, ed_pre_stage *in, ed_pre_stage *out)
{
    size_t n_bytes = 0;
    ed_buf_reset(&out->text);
    for (size_t i = in->next; i < in->n; i++)
        if (!ed_add_size(n_bytes, in->words[i].n_bytes + 1, &n_bytes))
            return EMBEDD_MEMORY;
    /* All at once: words point into it. */
    if (!ed_mul_size(n_bytes, GROWTH_MAX, &n_bytes) || !ed_buf_reserve(&out->text, n_bytes))
        return EMBEDD_MEMORY;
    out->begins_text = in->begins_text && in->next == 0;
    for (; in->next < in->n; in->next++) {
        size_t begin = out->text.n_bytes;
        if (!step->rewrite(step, in->words[in->next], in->begins_text && in->next == 0, &out->text))
            return EMBEDD_MEMORY;
        out->words[out->n++] = (embedd_text){out->text.data + begin, out->text.n_bytes - begin};
    }
    return EMBEDD_OK;
}

static embedd_status cut_word(const ed_pre_step *step, ed_pre_scratch *scratch, ed_pre_stage *in,
                              ed_pre_stage *out)
{
    embedd_text text = in->words[in->next];
    while (out->n < ED_PRE_WORDS_MAX) {
        embedd_text word;
        embedd_status status = next_word(step, scratch, text, &in->cursor, &word);
        if (status != EMBEDD_OK)
            return status;
        if (!word.bytes) {
            in->next++;
            in->cursor = (ed_split_cursor){0};
            return EMBEDD_OK;
        }
        if (in->begins_text && in->next == 0 && word.bytes == text.bytes)
            out->begins_text = true;
        out->words[out->n++] = word;
    }
    return EMBEDD_OK;
}

/* The next word that is not empty; bytes NULL: there is none. */
static embedd_status next_word(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                               ed_split_cursor *cursor, embedd_text *word)
{
    *word = (embedd_text){NULL, 0};
    for (;;) {
        ed_split_segment segment;
        embedd_status status = take(step, scratch, text, cursor, &segment);
        if (status != EMBEDD_OK || segment.begin == SIZE_MAX)
            return status;
        bool merges = true;
        while (merges && step->behavior >= ED_SPLIT_CONTIGUOUS) {
            status = peek(step, scratch, text, cursor);
            if (status != EMBEDD_OK)
                return status;
            bool follows = cursor->next.begin != SIZE_MAX, matches = cursor->next.matches;
            merges = follows &&
                     (step->behavior == ED_SPLIT_CONTIGUOUS      ? matches == segment.matches
                      : step->behavior == ED_SPLIT_WITH_PREVIOUS ? matches && !segment.matches
                                                                 : !matches && segment.matches);
            if (merges) {
                segment.end = cursor->next.end;
                cursor->peeked = false;
            }
            if (step->behavior != ED_SPLIT_CONTIGUOUS)
                break; /* no more than one joins */
        }
        if (segment.end == segment.begin || (segment.matches && step->behavior == ED_SPLIT_REMOVED))
            continue;
        *word = (embedd_text){text.bytes + segment.begin, segment.end - segment.begin};
        return EMBEDD_OK;
    }
}

/* The next segment, match or not; begin SIZE_MAX: there is none. */
static embedd_status take(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                          ed_split_cursor *cursor, ed_split_segment *segment)
{
    embedd_status status = peek(step, scratch, text, cursor);
    *segment = cursor->next;
    cursor->peeked = false;
    return status;
}

static embedd_status peek(const ed_pre_step *step, ed_pre_scratch *scratch, embedd_text text,
                          ed_split_cursor *cursor)
{
    embedd_status status = EMBEDD_OK;
    if (cursor->peeked)
        return EMBEDD_OK;
    cursor->peeked = true;
    if (!cursor->found && step->pattern)
        status = ed_pattern_next(step->pattern, &scratch->pattern, text, &cursor->pattern,
                                 &cursor->match_begin, &cursor->match_end);
    else if (!cursor->found &&
             !step->find(step, text, cursor->at, &cursor->match_begin, &cursor->match_end))
        cursor->match_begin = cursor->match_end = SIZE_MAX;
    cursor->found = true;

    if (cursor->match_begin != SIZE_MAX && cursor->match_begin == cursor->at) {
        cursor->next = (ed_split_segment){cursor->at, cursor->match_end, !step->invert};
        cursor->found = false;
    } else if (cursor->at < text.n_bytes) {
        size_t end = cursor->match_begin != SIZE_MAX ? cursor->match_begin : text.n_bytes;
        cursor->next = (ed_split_segment){cursor->at, end, step->invert};
    } else {
        cursor->next = (ed_split_segment){SIZE_MAX, SIZE_MAX, false};
    }
    cursor->at = cursor->next.begin == SIZE_MAX ? text.n_bytes : cursor->next.end;
    return status;
}
