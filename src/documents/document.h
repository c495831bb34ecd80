/* The text of a file: which kinds there are, and their bytes as UTF-8.
 *
 * This header is the door for every kind of document. A kind whose bytes are text is decoded here.
 * One that has to be parsed (PDF, DOCX) would be read by a program of its own, with limits, that
 * prints the text: then ed_document_open starts it, and nothing behind this door changes. */
#ifndef ED_DOCUMENT_H
#define ED_DOCUMENT_H

#include "embedd.h"

typedef enum ed_document_type {
    ED_DOCUMENT_OTHER, /* not read here */
    ED_DOCUMENT_TEXT,
    ED_DOCUMENT_MARKDOWN
} ed_document_type;

/* By the ending of a file's name, or by a Content-Type; case and parameters do not count. */
ed_document_type ed_document_type_of_name(embedd_text name);
ed_document_type ed_document_type_of_media(const char *content_type);
/* "plain text and Markdown (.txt ...)", for sentences that say what is read. */
const char *ed_document_types(void);

typedef struct ed_document {
    const char *text; /* [n_bytes] valid UTF-8 without a byte order mark */
    size_t n_bytes;
    size_t n_replaced; /* U+FFFD that stand for what was not UTF-8, or not UTF-16 */
    char *own;         /* the text's memory, if it is not in the bytes given */
} ed_document;

/* `bytes` must live as long as the document. UTF-8, or UTF-16 with a byte order mark. UNSUPPORTED:
 * another type, or bytes that are no text; MEMORY. */
embedd_status ed_document_open(ed_document *document, ed_document_type type, const char *bytes,
                               size_t n_bytes, embedd_error *err);
void ed_document_close(ed_document *document); /* a zeroed one is allowed */

#endif
