/* A charsmap of any bytes, and a text: refused with a message, or what comes out is valid UTF-8.
 * The first byte of the input says how long the text is that follows it; the rest is the map. */
#include "base/utf8.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/json_writer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes == 0)
        return 0;
    size_t text_bytes = data[0] < n_bytes - 1 ? data[0] : n_bytes - 1;
    embedd_text text = {(const char *)data + 1, text_bytes};
    ed_charsmap map;
    ed_buf base64, out;
    embedd_error err = {.message = ""};
    ed_buf_init(&base64, SIZE_MAX / 4);
    ed_buf_init(&out, SIZE_MAX / 4);
    ed_json_write_base64(
        &base64, (embedd_text){(const char *)data + 1 + text_bytes, n_bytes - 1 - text_bytes});
    text.n_bytes = ed_utf8_valid_prefix(text.bytes, text.n_bytes);
    if (ed_charsmap_open(&map, base64.data + 1, base64.n_bytes - 2, "f", &err) != EMBEDD_OK) {
        if (strncmp(err.message, "f: ", 3) != 0)
            abort();
    } else {
        for (int longest = 0; longest < 2; longest++) {
            map.longest = longest;
            if (!ed_charsmap_run(&map, text, &out) ||
                ed_utf8_valid_prefix(out.data, out.n_bytes) != out.n_bytes)
                abort();
        }
    }
    ed_charsmap_close(&map);
    ed_buf_clear(&base64);
    ed_buf_clear(&out);
    return 0;
}
