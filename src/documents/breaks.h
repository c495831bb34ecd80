/* Where a text may be cut, and how gladly. */
#ifndef ED_BREAKS_H
#define ED_BREAKS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ed_break {
    ED_BREAK_NEVER,     /* inside a grapheme cluster */
    ED_BREAK_CHARACTER, /* between two */
    ED_BREAK_WORD,
    ED_BREAK_LINE,
    ED_BREAK_SENTENCE,
    ED_BREAK_PARAGRAPH, /* after an empty line; in Markdown around fenced code, too */
    ED_BREAK_SECTION    /* in Markdown before a heading */
} ed_break;

/* breaks[i] is an ed_break, of the place before byte i; [n_bytes + 1]. White space belongs to what
 * stands before it. `text` is valid UTF-8. Linear in n_bytes. */
void ed_breaks_find(const char *text, size_t n_bytes, bool markdown, unsigned char *breaks);

#endif
