/* The table of angles. Frequencies and angles are rounded to float32 where the reference rounds
 * them: at position 8,000 that rounding is larger than the tolerance of the vectors. */
#include "model/rotary.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"

embedd_status ed_rotary_open(ed_rotary *rotary, double theta, size_t n_positions, size_t head_size,
                             embedd_error *err)
{
    size_t half = head_size / 2;

    *rotary = (ed_rotary){.n_positions = n_positions};
    rotary->cosine = ed_calloc(n_positions * half, sizeof *rotary->cosine);
    rotary->sine = ed_calloc(n_positions * half, sizeof *rotary->sine);
    if (!rotary->cosine || !rotary->sine) {
        ed_rotary_close(rotary);
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the rotary angles");
    }
    for (size_t i = 0; i < half; i++) {
        float exponent = (float)(2 * i) / (float)head_size;
        float frequency = 1.0F / (float)pow(theta, (double)exponent);
        for (size_t position = 0; position < n_positions; position++) {
            float angle = (float)position * frequency;
            rotary->cosine[position * half + i] = (float)cos((double)angle);
            rotary->sine[position * half + i] = (float)sin((double)angle);
        }
    }
    return EMBEDD_OK;
}

void ed_rotary_close(ed_rotary *rotary)
{
    ed_free(rotary->cosine);
    ed_free(rotary->sine);
    *rotary = (ed_rotary){0};
}
