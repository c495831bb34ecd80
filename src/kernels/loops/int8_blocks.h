/* The int8 product's blocks: short enough that few numbers share a scale, long enough that scales
 * cost little: 3 of 35 instructions of a block, with blocks of 64 3 of 19. Included first. */
#ifndef ED_INT8_BLOCKS_H
#define ED_INT8_BLOCKS_H

#define BLOCK_DEPTH 128
#include "kernels/loops/pack_blocks.h"

#endif
