/* In: a text. Out: for each place how well it divides. Two passes: characters give graphemes, words
 * and sentences; lines give paragraphs, headings and fenced code. Never looks further ahead than
 * one line, and never at one twice. */
#include "documents/breaks.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* ---- characters ------------------------------------------------------------------------------ */

typedef enum ending {
    NO_ENDING,
    MAYBE_ENDED, /* after ".", "!", "?": if white space follows, and no small letter */
    ENDED        /* after an ideographic full stop, which nothing needs to follow */
} ending;

typedef struct character_state {
    uint32_t before;
    utf8proc_int32_t grapheme;
    ending sentence;
    size_t n_letters; /* letters and digits right before */
    bool space;       /* the one before is white space */
} character_state;

static bool is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    if (c == 0xA0 || c == 0x202F) /* they mean: do not divide here */
        return false;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static bool is_letter_or_digit(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static bool is_closer(uint32_t c)
{
    if (c < 0x80)
        return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == '*' || c == '_';
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF;
}

static bool is_small_letter(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z';
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_LL;
}

/* A letter or digit alone before the point is an initial, "e.g.", or a list's number. */
static ending ending_of(uint32_t c, const character_state *state)
{
    switch (c) {
    case '.':
        return state->n_letters == 1 ? NO_ENDING : MAYBE_ENDED;
    case '!':
    case '?':
    case 0x2026: /* ellipsis */
    case 0x061F: /* Arabic question mark */
    case 0x06D4: /* Arabic full stop */
    case 0x0964: /* danda */
    case 0x0965:
        return MAYBE_ENDED;
    case 0x3002: /* ideographic full stop, and its halfwidth form */
    case 0xFF61:
    case 0xFF01: /* fullwidth ! and ? */
    case 0xFF1F:
        return ENDED;
    default:
        return NO_ENDING;
    }
}

static bool joins(character_state *state, uint32_t c)
{
    if (state->before < 0x80 && c < 0x80) {
        state->grapheme = 0;
        return state->before == '\r' && c == '\n';
    }
    return !utf8proc_grapheme_break_stateful((utf8proc_int32_t)state->before, (utf8proc_int32_t)c,
                                             &state->grapheme);
}

/* How well the place before `c` divides. */
static ed_break break_before(character_state *state, uint32_t c, bool space)
{
    if (joins(state, c))
        return ED_BREAK_NEVER;
    if (state->before == '\f' || state->before == 0x2029) /* a new page, a paragraph separator */
        return ED_BREAK_PARAGRAPH;
    if (space)
        return ED_BREAK_CHARACTER;
    bool more = is_closer(c) || ending_of(c, state) != NO_ENDING;
    if (state->sentence == ENDED && (state->space || !more))
        return ED_BREAK_SENTENCE;
    if (!state->space)
        return ED_BREAK_CHARACTER;
    return state->sentence == MAYBE_ENDED && !is_small_letter(c) ? ED_BREAK_SENTENCE
                                                                 : ED_BREAK_WORD;
}

static void advance(character_state *state, uint32_t c, bool space)
{
    ending now = ending_of(c, state);
    if (now > state->sentence)
        state->sentence = now;
    else if (now == NO_ENDING && (state->space || !is_closer(c)) && !space)
        state->sentence = NO_ENDING;
    state->n_letters = is_letter_or_digit(c) ? state->n_letters + 1 : 0;
    state->space = space;
    state->before = c;
}

static void break_characters(const char *text, size_t n_bytes, unsigned char *breaks)
{
    character_state state = {0};
    size_t n_used;
    for (size_t at = 0; at < n_bytes; at += n_used) {
        uint32_t c = ed_utf8_decode(text + at, n_bytes - at, &n_used);
        bool space = is_space(c);
        breaks[at] = (unsigned char)(at ? break_before(&state, c, space) : ED_BREAK_CHARACTER);
        memset(breaks + at + 1, ED_BREAK_NEVER, n_used - 1);
        advance(&state, c, space);
    }
    breaks[n_bytes] = ED_BREAK_CHARACTER;
}

/* ---- lines ----------------------------------------------------------------------------------- */

typedef struct line {
    const char *bytes; /* without its indentation and its end */
    size_t n_bytes;
    size_t begin, next; /* the whole line, in the text */
    size_t indent;
    bool blank;
} line;

typedef struct line_state {
    size_t begin;      /* of the line before */
    bool blank;        /* the line before is */
    bool paragraph;    /* it may be the text of a heading that is underlined */
    bool heading;      /* only empty lines since a heading */
    bool fence_closed; /* the line before ended fenced code */
    char fence;        /* '`' or '~' inside fenced code, else 0 */
    size_t n_fence;
} line_state;

static line line_at(const char *text, size_t n_bytes, size_t begin)
{
    line l = {.begin = begin};
    size_t at = begin;
    while (at < n_bytes && (text[at] == ' ' || text[at] == '\t'))
        at++;
    l.bytes = text + at;
    l.indent = at - begin;
    size_t end = at;
    for (; at < n_bytes && text[at] != '\n' && text[at] != '\r'; at++)
        if (text[at] != ' ' && text[at] != '\t')
            end = at + 1;
    l.n_bytes = (size_t)(text + end - l.bytes);
    l.blank = l.n_bytes == 0;
    if (at < n_bytes && text[at++] == '\r' && at < n_bytes && text[at] == '\n')
        at++;
    l.next = at;
    return l;
}

static size_t run_of(const line *l, char c)
{
    size_t n = 0;
    while (n < l->n_bytes && l->bytes[n] == c)
        n++;
    return n;
}

static bool is_heading(const line *l)
{
    size_t n = run_of(l, '#');
    return l->indent < 4 && n >= 1 && n <= 6 &&
           (n == l->n_bytes || l->bytes[n] == ' ' || l->bytes[n] == '\t');
}

static bool is_underline(const line *l)
{
    size_t n = run_of(l, '=') + run_of(l, '-');
    return l->indent < 4 && n >= 2 && n == l->n_bytes;
}

/* Opens fenced code, or closes it. */
static bool is_fence(const line *l, const line_state *state)
{
    char c = l->blank ? '\0' : l->bytes[0];
    size_t n = run_of(l, c);
    if (l->indent >= 4 || (c != '`' && c != '~') || n < 3)
        return false;
    if (state->fence)
        return c == state->fence && n >= state->n_fence && n == l->n_bytes;
    return c == '~' || !memchr(l->bytes + n, '`', l->n_bytes - n);
}

/* Code has words and lines, but no sentences. */
static void flatten(unsigned char *breaks, const line *l)
{
    for (size_t at = l->begin + 1; at < l->next; at++)
        if (breaks[at] > ED_BREAK_WORD)
            breaks[at] = ED_BREAK_WORD;
}

/* How well the place before the line divides, and what the line does to what follows. */
static ed_break break_markdown(const line *l, line_state *state, unsigned char *breaks)
{
    bool fence = is_fence(l, state), after_heading = state->heading;
    ed_break before =
        state->fence_closed || (state->blank && !l->blank) ? ED_BREAK_PARAGRAPH : ED_BREAK_LINE;
    state->fence_closed = false;
    if (state->fence) {
        flatten(breaks, l);
        state->fence_closed = fence;
        if (fence)
            state->fence = '\0';
        return fence ? ED_BREAK_WORD : ED_BREAK_LINE;
    }
    if (fence) {
        state->fence = l->bytes[0];
        state->n_fence = run_of(l, l->bytes[0]);
        before = ED_BREAK_PARAGRAPH;
    }
    if (state->paragraph && is_underline(l)) { /* so the line before was a heading */
        if (breaks[state->begin] > ED_BREAK_CHARACTER)
            breaks[state->begin] = ED_BREAK_SECTION;
        state->heading = true;
        state->paragraph = false;
        return ED_BREAK_WORD;
    }
    state->heading = is_heading(l) || (state->heading && l->blank);
    state->paragraph = !l->blank && !state->heading && !fence;
    if (after_heading) /* which stays with what it heads */
        return ED_BREAK_WORD;
    return is_heading(l) ? ED_BREAK_SECTION : before;
}

static void break_lines(const char *text, size_t n_bytes, bool markdown, unsigned char *breaks)
{
    line_state state = {0};
    for (size_t at = 0; at < n_bytes;) {
        line l = line_at(text, n_bytes, at);
        ed_break before = state.blank && !l.blank ? ED_BREAK_PARAGRAPH : ED_BREAK_LINE;
        if (markdown)
            before = break_markdown(&l, &state, breaks);
        bool lower = before == ED_BREAK_WORD || state.fence;
        if (at > 0 && breaks[at] != ED_BREAK_NEVER && (lower || breaks[at] < before))
            breaks[at] = (unsigned char)before;
        state.blank = l.blank;
        state.begin = at;
        at = l.next;
    }
}

void ed_breaks_find(const char *text, size_t n_bytes, bool markdown, unsigned char *breaks)
{
    break_characters(text, n_bytes, breaks);
    break_lines(text, n_bytes, markdown, breaks);
}
