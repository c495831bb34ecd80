/* Names, paths and contents of model folders: what every place that holds models needs. */
#ifndef ED_MODEL_FOLDER_H
#define ED_MODEL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* The hub's rules for a name, and for one part of it: letters, digits, '-', '_', '.', but no '-' or
 * '.' at the ends and neither ".." nor "--". A name that keeps them can be part of a path. */
bool ed_model_name_is_valid(const char *name);
bool ed_model_name_part_is_valid(const char *part, size_t n_bytes);

/* printf into new memory (ed_free); NULL if out of memory or longer than any path. */
char *ed_new_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of an environment variable, with "~/" expanded, in new memory; NULL if it is not set or
 * empty. `below` is put behind it if not NULL. */
char *ed_path_variable(const char *variable, const char *below);

/* Whether `folder` holds a model that can be opened: a configuration and safetensors weights.
 * *n_bytes is the size of its files and those of its modules. */
bool ed_model_folder_measure(const char *folder, size_t *n_bytes);

#endif
