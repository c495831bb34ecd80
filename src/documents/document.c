/* In: the bytes of a file, which may be anything. Out: valid UTF-8. Never guesses an encoding: what
 * is not UTF-8 is replaced and counted, what is no text is refused. */
#include "documents/document.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>
#include <strings.h>

#define UTF8_MAX     4
#define REPLACEMENT  0xFFFDu
#define GROWTH_UTF16 2 /* two bytes become three at most */

typedef struct type_row {
    ed_document_type type;
    const char *word; /* a file's ending, or a media type */
} type_row;

static const type_row endings[] = {
    {ED_DOCUMENT_TEXT, ".txt"},          {ED_DOCUMENT_TEXT, ".text"},
    {ED_DOCUMENT_TEXT, ".log"},          {ED_DOCUMENT_MARKDOWN, ".md"},
    {ED_DOCUMENT_MARKDOWN, ".mkd"},      {ED_DOCUMENT_MARKDOWN, ".mdown"},
    {ED_DOCUMENT_MARKDOWN, ".markdown"},
};

static const type_row media[] = {
    {ED_DOCUMENT_TEXT, "text/plain"},
    {ED_DOCUMENT_MARKDOWN, "text/markdown"},
    {ED_DOCUMENT_MARKDOWN, "text/x-markdown"},
};

static embedd_status check_is_text(const char *bytes, size_t n_bytes, embedd_error *err);
static embedd_status replace_invalid(ed_document *document, embedd_error *err);
static embedd_status from_utf16(ed_document *document, bool big_endian, embedd_error *err);

ed_document_type ed_document_type_of_name(embedd_text name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i].word);
        if (name.n_bytes > n && strncasecmp(name.bytes + name.n_bytes - n, endings[i].word, n) == 0)
            return endings[i].type;
    }
    return ED_DOCUMENT_OTHER;
}

ed_document_type ed_document_type_of_media(const char *content_type)
{
    size_t n = content_type ? strcspn(content_type, "; \t") : 0;
    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (strlen(media[i].word) == n && strncasecmp(content_type, media[i].word, n) == 0)
            return media[i].type;
    return ED_DOCUMENT_OTHER;
}

const char *ed_document_types(void)
{
    return "plain text and Markdown (.txt, .text, .log, .md, .mkd, .mdown, .markdown)";
}

embedd_status ed_document_open(ed_document *document, ed_document_type type, const char *bytes,
                               size_t n_bytes, embedd_error *err)
{
    *document = (ed_document){.text = bytes, .n_bytes = n_bytes};
    if (type == ED_DOCUMENT_OTHER)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "only %s are read", ed_document_types());
    if (n_bytes >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return from_utf16(document, bytes[0] == '\xfe', err);
    embedd_status status = check_is_text(bytes, n_bytes, err);
    if (status != EMBEDD_OK)
        return status;
    if (n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        document->text += 3;
        document->n_bytes -= 3;
    }
    return replace_invalid(document, err);
}

void ed_document_close(ed_document *document)
{
    ed_free(document->own);
    *document = (ed_document){0};
}

/* A PDF may be free of NUL bytes, and RTF is, but neither is the text that one sees. */
static embedd_status check_is_text(const char *bytes, size_t n_bytes, embedd_error *err)
{
    static const char *const others[] = {"%PDF-", "{\\rtf", "PK\x03\x04"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (n_bytes >= strlen(others[i]) && memcmp(bytes, others[i], strlen(others[i])) == 0)
            return ed_fail(err, EMBEDD_UNSUPPORTED,
                           "the file is not text but a document of another kind; only %s are read",
                           ed_document_types());
    const char *nul = n_bytes ? memchr(bytes, '\0', n_bytes) : NULL;
    if (nul)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "the file is not text: byte %zu is NUL",
                       (size_t)(nul - bytes));
    return EMBEDD_OK;
}

static void put(ed_document *document, uint32_t code_point)
{
    document->n_bytes += ed_utf8_encode(code_point, document->own + document->n_bytes);
}

/* One U+FFFD for each byte that is part of no character. */
static embedd_status replace_invalid(ed_document *document, embedd_error *err)
{
    const char *bytes = document->text;
    size_t n_bytes = document->n_bytes, n_invalid = 0;
    for (size_t at = 0; (at += ed_utf8_valid_prefix(bytes + at, n_bytes - at)) < n_bytes; at++)
        n_invalid++;
    if (n_invalid == 0)
        return EMBEDD_OK;
    document->own = ed_realloc(NULL, n_bytes + 2 * n_invalid, 1); /* one byte becomes three */
    if (!document->own)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the text");
    document->n_bytes = 0;
    for (size_t at = 0; at < n_bytes; at++) {
        size_t n_valid = ed_utf8_valid_prefix(bytes + at, n_bytes - at);
        memcpy(document->own + document->n_bytes, bytes + at, n_valid);
        document->n_bytes += n_valid;
        at += n_valid;
        if (at < n_bytes)
            put(document, REPLACEMENT);
    }
    document->text = document->own;
    document->n_replaced = n_invalid;
    return EMBEDD_OK;
}

static uint32_t unit_at(const unsigned char *bytes, bool big_endian)
{
    return big_endian ? (uint32_t)bytes[0] << 8 | bytes[1] : (uint32_t)bytes[1] << 8 | bytes[0];
}

static embedd_status from_utf16(ed_document *document, bool big_endian, embedd_error *err)
{
    const unsigned char *bytes = (const unsigned char *)document->text;
    size_t n_bytes = document->n_bytes;
    document->own = ed_realloc(NULL, n_bytes, GROWTH_UTF16);
    if (!document->own)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the text");
    document->text = document->own;
    document->n_bytes = 0;
    for (size_t at = 2; at < n_bytes; at += 2) {
        uint32_t code_point = REPLACEMENT, next = 0; /* of half a unit at the end */
        if (n_bytes - at >= 2)
            code_point = unit_at(bytes + at, big_endian);
        if (n_bytes - at >= 4)
            next = unit_at(bytes + at + 2, big_endian);
        if (code_point == 0)
            return ed_fail(err, EMBEDD_UNSUPPORTED, "the file is not text: NUL at byte %zu", at);
        if (code_point >> 10 == 0xD800 >> 10 && next >> 10 == 0xDC00 >> 10) {
            code_point = 0x10000 + ((code_point & 0x3FF) << 10 | (next & 0x3FF));
            at += 2;
        } else if (code_point >> 11 == 0xD800 >> 11) {
            code_point = REPLACEMENT;
            document->n_replaced++;
        } else if (n_bytes - at < 2) {
            document->n_replaced++;
        }
        put(document, code_point);
    }
    return EMBEDD_OK;
}
