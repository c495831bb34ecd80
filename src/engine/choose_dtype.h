/* --dtype auto: the fastest number type whose vectors of this model are near enough to f32's. */
#ifndef ED_CHOOSE_DTYPE_H
#define ED_CHOOSE_DTYPE_H

#include "engine/model_handle.h"

/* Opens the model's parts in one type after the other, and leaves them closed. What came out is
 * kept in the cache folder, and costs nothing the next time. The choice depends on the model and
 * the CPU level only: never on time. Fills model->dtype_reason. Fails as opening in f32 does. */
embedd_status ed_dtype_choose(embedd_model *model, const ed_config *config,
                              const embedd_model_options *options, embedd_dtype *out,
                              embedd_error *err);

#endif
