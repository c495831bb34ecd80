/* Times the tokenizer alone, on one thread.
 *
 *     build/bench_tokenizer models/all-MiniLM-L6-v2 tests/data/prose/sentences.txt
 *     build/bench_tokenizer FOLDER FILE -
 *
 * In: a tokenizer's folder, and a text file whose lines are the texts. Out: the time to open, and
 * the best and the median of ROUNDS passes over the lines. With "-": one pass over the file for
 * each line that comes in, answered by "nanoseconds tokens"; this is how
 * bench/peers/compare_tokenizers.py takes turns with others. */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS         21
#define ROUND_BYTES    ((size_t)8 << 20) /* the lines are repeated up to this */
#define FILE_BYTES_MAX ((size_t)1 << 30)
#define TOKENS_MAX     8192

typedef struct pass {
    size_t n_bytes, n_tokens;
    uint64_t ns;
} pass;

static int compare_ns(const void *a, const void *b)
{
    const pass *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static bool encode_lines(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                         const char *text, size_t n_bytes, pass *out)
{
    int32_t ids[TOKENS_MAX];
    size_t n_ids, n_total;
    embedd_error err;
    for (const char *line = text, *end = text + n_bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        embedd_text one = {line, (size_t)((stop ? stop : end) - line)};
        if (ed_tokenizer_encode(tokenizer, scratch, one, TOKENS_MAX, ids, &n_ids, &n_total, &err) !=
            EMBEDD_OK) {
            fprintf(stderr, "%s\n", err.message);
            return false;
        }
        out->n_bytes += one.n_bytes + 1;
        out->n_tokens += n_total;
        line = stop ? stop + 1 : end;
    }
    return true;
}

static void print_pass(const char *name, const pass *p)
{
    double seconds = (double)p->ns / 1e9;
    printf("%-7s %8.1f MB/s %8.2f million tokens/s\n", name, (double)p->n_bytes / 1e6 / seconds,
           (double)p->n_tokens / 1e6 / seconds);
}

static bool serve_passes(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                         const char *text, size_t n_bytes)
{
    char line[8];
    while (fgets(line, sizeof line, stdin)) {
        pass one = {0};
        uint64_t begin = ed_clock_ns();
        if (!encode_lines(tokenizer, scratch, text, n_bytes, &one))
            return false;
        printf("%llu %zu\n", (unsigned long long)(ed_clock_ns() - begin), one.n_tokens);
        fflush(stdout);
    }
    return true;
}

int main(int argc, char **argv)
{
    ed_tokenizer *tokenizer = NULL;
    ed_tokenizer_scratch *scratch = NULL;
    char *text = NULL;
    size_t n_bytes = 0;
    pass passes[ROUNDS] = {0};
    embedd_error err;
    int code = 1;
    bool serves = argc == 4 && strcmp(argv[3], "-") == 0;
    if (argc != 3 && !serves) {
        fprintf(stderr, "usage: bench_tokenizer FOLDER FILE [-]\n");
        return 2;
    }
    uint64_t begin = ed_clock_ns();
    if (ed_tokenizer_open(&tokenizer, argv[1], NULL, &err) != EMBEDD_OK)
        goto done;
    if (!serves)
        printf("open    %8.1f ms\n", (double)(ed_clock_ns() - begin) / 1e6);
    if (ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK ||
        ed_file_read(argv[2], FILE_BYTES_MAX, &text, &n_bytes, &err) != EMBEDD_OK)
        goto done;
    if (serves) {
        code = !serve_passes(tokenizer, scratch, text, n_bytes);
        goto done;
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        begin = ed_clock_ns();
        while (n_bytes > 0 && passes[i].n_bytes < ROUND_BYTES)
            if (!encode_lines(tokenizer, scratch, text, n_bytes, &passes[i]))
                goto done;
        passes[i].ns = ed_clock_ns() - begin;
    }
    qsort(passes, ROUNDS, sizeof *passes, compare_ns);
    print_pass("best", &passes[0]);
    print_pass("median", &passes[ROUNDS / 2]);
    code = 0;
done:
    if (code != 0)
        fprintf(stderr, "%s\n", err.message);
    ed_free(text);
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
    return code;
}
