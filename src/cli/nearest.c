/* Edit distance in which two swapped neighbours count as one mistake (optimal string alignment).
 * Words are short: longer input is no typing mistake and has no nearest word. */
#include "cli/nearest.h"

#include <string.h>

#define WORD_MAX 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, const char *b)
{
    size_t n_a = strlen(a);
    size_t n_b = strlen(b);
    size_t cost[WORD_MAX + 1][WORD_MAX + 1]; /* of turning a[..i] into b[..j] */

    for (size_t i = 0; i <= n_a; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= n_b; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        for (size_t j = 1; j <= n_b; j++) {
            size_t change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            cost[i][j] = least(change, least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[n_a][n_b];
}

const char *ed_nearest(const char *typed, const char *const *words, size_t n_words)
{
    const char *best = NULL;
    size_t best_distance = WORD_MAX;

    if (typed[0] == 0 || strlen(typed) > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n_words; i++) {
        if (words[i] == NULL || strlen(words[i]) > WORD_MAX)
            continue;
        size_t d = distance(typed, words[i]);
        if (d < best_distance && d <= (strlen(words[i]) + 2) / 3) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}
