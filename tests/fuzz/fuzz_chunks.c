/* Files of any bytes, in chunks of any size: what is accepted is UTF-8 and its chunks keep their
 * rules; what is refused is refused with a sentence. The first four bytes are the options. */
#include "base/utf8.h"
#include "documents/document.h"
#include "support/chunk_rules.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_document document;
    ed_chunks chunks;
    embedd_error err = {0};
    if (n_bytes < 4)
        return 0;
    bool markdown = data[2] & 1;
    const ed_chunk_options options = {.size = (size_t)data[0] + 1,
                                      .overlap = ((size_t)data[0] + 1) / 2 * data[1] / 255,
                                      .chunks_max = (size_t)data[3] * data[3],
                                      .markdown = markdown};
    embedd_status status =
        ed_document_open(&document, markdown ? ED_DOCUMENT_MARKDOWN : ED_DOCUMENT_TEXT,
                         (const char *)data + 4, n_bytes - 4, &err);
    if (status == EMBEDD_OK) {
        embedd_text text = {document.text, document.n_bytes};
        if (ed_utf8_valid_prefix(text.bytes, text.n_bytes) != text.n_bytes ||
            ed_chunks_make(&chunks, text, &options, &err) != EMBEDD_OK ||
            chunk_rule_broken(text, &options, &chunks))
            abort();
        ed_chunks_clear(&chunks);
    } else if (status != EMBEDD_UNSUPPORTED || err.message[0] == '\0') {
        abort();
    }
    ed_document_close(&document);
    return 0;
}
