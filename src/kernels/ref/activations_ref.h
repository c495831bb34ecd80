/* An activation of one number, for the files of ref/. */
#ifndef ED_ACTIVATIONS_REF_H
#define ED_ACTIVATIONS_REF_H

#include "kernels/kernels.h"

float ed_activate_ref(float x, ed_activation activation);

#endif
