/* From a number of rows to the micro-kernel made for it. Included after a level's tile header. */
#ifndef ED_TILE_ROWS_H
#define ED_TILE_ROWS_H

#define NR (TILE_VECTORS * VF_LANES)

/* Columns of a product that are packed together as depth of the next: whole panels of it, whole
 * blocks of any type, and little enough to stay in the first cache. */
#define PACK_COLS (NR % 3 == 0 ? 384 : 128)

/* Few rows take several panels at once, or the latency of their few sums would dominate. */
ED_INLINE size_t panels_at_once(size_t n_rows)
{
    return n_rows <= TILE_ROWS / 4 ? 4 : n_rows <= TILE_ROWS / 2 ? 2 : 1;
}

static inline void multiply_1_panel(size_t n_rows, const ed_tile *t)
{
    switch (n_rows) {
    case 1:
        multiply_tile(1, 1, t);
        break;
    case 2:
        multiply_tile(2, 1, t);
        break;
    case 3:
        multiply_tile(3, 1, t);
        break;
    case 4:
        multiply_tile(4, 1, t);
        break;
    case 5:
        multiply_tile(5, 1, t);
        break;
#if TILE_ROWS > 6
    case 6:
        multiply_tile(6, 1, t);
        break;
    case 7:
        multiply_tile(7, 1, t);
        break;
#endif
#if TILE_ROWS > 8
    case 8:
        multiply_tile(8, 1, t);
        break;
    case 9:
        multiply_tile(9, 1, t);
        break;
    case 10:
        multiply_tile(10, 1, t);
        break;
    case 11:
        multiply_tile(11, 1, t);
        break;
#endif
    default:
        multiply_tile(TILE_ROWS, 1, t);
    }
}

static inline void multiply_2_panels(size_t n_rows, const ed_tile *t)
{
    switch (n_rows) {
    case 1:
        multiply_tile(1, 2, t);
        break;
    case 2:
        multiply_tile(2, 2, t);
        break;
#if TILE_ROWS > 6
    case 3:
        multiply_tile(3, 2, t);
        break;
#endif
#if TILE_ROWS > 8
    case 4:
        multiply_tile(4, 2, t);
        break;
    case 5:
        multiply_tile(5, 2, t);
        break;
#endif
    default:
        multiply_tile(TILE_ROWS / 2, 2, t);
    }
}

static inline void multiply_4_panels(size_t n_rows, const ed_tile *t)
{
    switch (n_rows) {
    case 1:
        multiply_tile(1, 4, t);
        break;
#if TILE_ROWS > 8
    case 2:
        multiply_tile(2, 4, t);
        break;
#endif
    default:
        multiply_tile(TILE_ROWS / 4, 4, t);
    }
}

#endif
