/* The "pre_tokenizer" of tokenizer.json: cuts normalized text into words.
 *
 * It is flattened into a list of steps when it is opened. A step cuts words into smaller ones, or
 * writes them anew: Metaspace does both, so it is two steps; Sequence is its parts. Words go
 * through the steps in batches, so that memory does not depend on how many there are. */
#ifndef ED_PRE_TOKENIZER_H
#define ED_PRE_TOKENIZER_H

#include "base/memory.h"
#include "tokenizer/pattern.h"

struct json_object;

#define ED_PRE_STEPS_MAX 16
#define ED_PRE_WORDS_MAX 256 /* of a batch */

/* What becomes of the places where a pattern matches. */
typedef enum ed_split_behavior {
    ED_SPLIT_ISOLATED,
    ED_SPLIT_REMOVED,
    ED_SPLIT_CONTIGUOUS,
    ED_SPLIT_WITH_PREVIOUS,
    ED_SPLIT_WITH_NEXT
} ed_split_behavior;

/* A stretch of the word that is being cut. */
typedef struct ed_split_segment {
    size_t begin, end;
    bool matches;
} ed_split_segment;

/* Where a step is in the word that it cuts; begins zeroed. */
typedef struct ed_split_cursor {
    size_t at;                     /* everything before is in a segment */
    size_t match_begin, match_end; /* found, begins at or after `at`... */
    bool found;                    /* ... if this is set */
    bool peeked;                   /* `next` was looked at and waits */
    ed_split_segment next;
    ed_pattern_cursor pattern;
} ed_split_cursor;

typedef struct ed_pre_step ed_pre_step;

/* The next match at or after `from` of a step that needs no memory for it; false = none. Matches
 * are not empty. */
typedef bool (*ed_find_match)(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                              size_t *end);
/* The next words of `text` from *at on, at most n_max; *at is where to go on. 0 = no more. */
typedef size_t (*ed_next_words)(embedd_text text, size_t *at, embedd_text *words, size_t n_max);

struct ed_pre_step {
    /* One of these. */
    ed_next_words next_words; /* cuts as it likes */
    ed_find_match find;       /* cuts where it matches */
    ed_pattern *pattern;      /* likewise; owned */
    bool (*rewrite)(const ed_pre_step *step, embedd_text word, bool begins_text, ed_buf *out);

    ed_split_behavior behavior; /* of find and pattern */
    bool invert;
    uint16_t flags; /* of unicode_class.h, for find */
    unsigned digits_max;
    char mark[4]; /* U+2581 or what stands for a space */
    size_t mark_bytes;
    bool prepend, prepend_first; /* the mark: to all words, or to that which begins the text */
};

typedef struct ed_pre_tokenizer {
    ed_pre_step *steps; /* [n_steps] */
    size_t n_steps;
    bool asks_begin; /* a step does something else to the word that begins the text */
} ed_pre_tokenizer;

/* `json` NULL or null: the whole text is one word. UNSUPPORTED (named), FORMAT, MEMORY. Close after
 * a failure, too. */
embedd_status ed_pre_tokenizer_open(ed_pre_tokenizer *pre, struct json_object *json,
                                    const char *where, embedd_error *err);
void ed_pre_tokenizer_close(ed_pre_tokenizer *pre); /* a zeroed struct is allowed */

typedef struct ed_pre_stage ed_pre_stage;
/* Memory of one thread's run. */
typedef struct ed_pre_scratch {
    ed_pre_stage *stages; /* [n_steps + 1]: the words that go into each step, and come out */
    size_t n_stages;
    ed_pattern_scratch pattern;
} ed_pre_scratch;

embedd_status ed_pre_scratch_open(ed_pre_scratch *scratch, const ed_pre_tokenizer *pre,
                                  embedd_error *err);
void ed_pre_scratch_close(ed_pre_scratch *scratch); /* a zeroed struct is allowed */

/* Begins with a valid text; `begins_text`: its first character is the first of what the caller of
 * the tokenizer gave. */
void ed_pre_tokenizer_begin(const ed_pre_tokenizer *pre, ed_pre_scratch *scratch, embedd_text text,
                            bool begins_text);
/* The next batch: words are not empty, and good until the next call. *n_words 0 = no more. MEMORY,
 * LIMIT (a pattern took too many steps). */
embedd_status ed_pre_tokenizer_next(const ed_pre_tokenizer *pre, ed_pre_scratch *scratch,
                                    const embedd_text **words, size_t *n_words);

/* The steps, one file for each kind. */
size_t ed_next_words_bert(embedd_text text, size_t *at, embedd_text *words, size_t n_max);
bool ed_find_flagged(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                     size_t *end);
bool ed_find_word_run(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                      size_t *end);
bool ed_find_mark(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                  size_t *end);
bool ed_find_gpt2(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                  size_t *end);
bool ed_find_cl100k(const ed_pre_step *step, embedd_text text, size_t from, size_t *begin,
                    size_t *end);
bool ed_rewrite_metaspace(const ed_pre_step *step, embedd_text word, bool begins_text, ed_buf *out);
bool ed_rewrite_prefix_space(const ed_pre_step *step, embedd_text word, bool begins_text,
                             ed_buf *out);
bool ed_rewrite_bytes(const ed_pre_step *step, embedd_text word, bool begins_text, ed_buf *out);

/* The regular expression that a scanner was written for, however it is spelled; false = none. Sets
 * find and digits_max. */
bool ed_known_pattern(ed_pre_step *step, const char *regex);

#endif
