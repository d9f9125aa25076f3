// Tile shapes for 32 registers: up to 24 sums, weight vectors and a broadcast.

#define TILE_ROWS 12
#define WIDE_ROWS 6
#define FEW_ROWS 24

#define TILE_CASE(body, rows, blocks)                                                                                  \
    case (rows)*8 + (blocks):                                                                                          \
        body(rows, blocks, t);                                                                                         \
        break;
#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1) TILE_CASE(body, 2, 1) TILE_CASE(body, 3, 1) TILE_CASE(body, 4, 1)                        \
        TILE_CASE(body, 5, 1) TILE_CASE(body, 6, 1) TILE_CASE(body, 7, 1) TILE_CASE(body, 8, 1)                        \
        TILE_CASE(body, 9, 1) TILE_CASE(body, 10, 1) TILE_CASE(body, 11, 1) TILE_CASE(body, 12, 1)                     \
        TILE_CASE(body, 1, WIDE) TILE_CASE(body, 2, WIDE) TILE_CASE(body, 3, WIDE)                                     \
        TILE_CASE(body, 4, WIDE) TILE_CASE(body, 5, WIDE) TILE_CASE(body, 6, WIDE)                                     \
    default:                                                                                                           \
        __builtin_trap();                                                                                              \
    }
