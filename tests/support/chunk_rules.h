/* What holds for the chunks of any text. */
#ifndef CHUNK_RULES_H
#define CHUNK_RULES_H

#include "documents/chunker.h"

/* NULL, or the rule that is broken. */
const char *chunk_rule_broken(embedd_text text, const ed_chunk_options *options,
                              const ed_chunks *chunks);

#endif
