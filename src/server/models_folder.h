/* The folder of --models-dir: what is in it that can be served. */
#ifndef ED_MODELS_FOLDER_H
#define ED_MODELS_FOLDER_H

#include "embedd.h"

/* Calls `found` for each NAME and ORG/NAME below `folder` that holds a config.json, and each
 * NAME.gguf, in the order of their names; false if the folder cannot be read. */
bool ed_models_folder_scan(const char *folder,
                           bool (*found)(void *context, const char *id, const char *path),
                           void *context);

#endif
