/* config_sentence_transformers.json: prompts by name, and the default one. */
#ifndef ED_PROMPTS_H
#define ED_PROMPTS_H

#include "model/modules.h"

/* Fills prompts, n_prompts, default_prompt; none where the file is missing. */
embedd_status ed_prompts_read(ed_modules *modules, const char *folder, embedd_error *err);
void ed_prompts_clear(ed_modules *modules);

/* NULL if there is no prompt of that name. */
const embedd_prompt *ed_prompts_find(const ed_modules *modules, const char *name);

#endif
