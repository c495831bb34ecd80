/* Whether a client's name for a model means the one that is served. */
#ifndef ED_MODEL_NAME_H
#define ED_MODEL_NAME_H

#include "embedd.h"

/* The last part of a folder, of "org/name" or of "ollama:name:tag". Points into model_id. */
embedd_text ed_model_name_short(const char *model_id);

/* True for the id itself, its last part, either with or without a tag (":latest" is none) and with
 * "-embed" behind it, for clients that look for that word. Case does not count. */
bool ed_model_name_means(embedd_text name, const char *model_id);

#endif
