/* The merges of a SentencePiece BPE, which has only scores: a piece is merged from every two pieces
 * that make it up, those of better scores first. */
#ifndef ED_SCORE_MERGES_H
#define ED_SCORE_MERGES_H

#include "base/memory.h"
#include "embedd.h"

/* Appends `,"merges":[["a","b"],...]`. Pieces are valid UTF-8, scores finite. UNSUPPORTED, MEMORY.
 */
embedd_status ed_score_merges_write(ed_buf *json, const embedd_text *pieces, const float *scores,
                                    size_t n_pieces, const char *where, embedd_error *err);

#endif
