/* The names of the pooling modes, and lists of modes in one number. */
#include <stdio.h>
#include <string.h>

#include "model/modules.h"

static const char *const mode_names[] = {
    [EMBEDD_POOLING_CLS] = "cls",
    [EMBEDD_POOLING_MAX] = "max",
    [EMBEDD_POOLING_MEAN] = "mean",
    [EMBEDD_POOLING_MEAN_SQRT_LEN] = "mean_sqrt_len",
    [EMBEDD_POOLING_WEIGHTEDMEAN] = "weightedmean",
    [EMBEDD_POOLING_LASTTOKEN] = "lasttoken",
};
#define N_MODE_NAMES (sizeof mode_names / sizeof *mode_names)

const char *embedd_pooling_names(void)
{
    return "cls, max, mean, mean_sqrt_len, weightedmean, lasttoken";
}

bool embedd_pooling_parse(const char *name, embedd_pooling *out)
{
    /* sentence-transformers itself writes the longer name. */
    if (strcmp(name, "mean_sqrt_len_tokens") == 0)
        name = "mean_sqrt_len";
    for (embedd_pooling mode = 1; mode < N_MODE_NAMES; mode++) {
        if (strcmp(name, mode_names[mode]) == 0) {
            *out = mode;
            return true;
        }
    }
    return false;
}

size_t ed_pooling_count(embedd_pooling pooling)
{
    size_t n_modes = 0;

    for (; pooling != 0; pooling >>= 4, n_modes++)
        if ((pooling & 15) == 0 || (pooling & 15) >= N_MODE_NAMES)
            return 0;
    return n_modes;
}

embedd_pooling ed_pooling_at(embedd_pooling pooling, size_t mode_index)
{
    return (pooling >> (4 * mode_index)) & 15;
}

void ed_pooling_format(embedd_pooling pooling, char *out, size_t cap)
{
    size_t n_modes = ed_pooling_count(pooling), used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n_modes && used < cap; i++)
        used += (size_t)snprintf(out + used, cap - used, "%s%s", i ? "+" : "",
                                 mode_names[ed_pooling_at(pooling, i)]);
}
