// Tile shapes for 32 registers: up to 24 sums, weight vectors and a broadcast. Six rows of two blocks read ten vectors
// for 24 multiply-adds, twelve rows of one block fourteen; with 28 sums weights no longer stay in registers.

#define WIDE_ROWS 6
#define TILE_ROWS 6
#define TILE_BLOCKS WIDE

#define SIX_ROWS(body, blocks)                                                                                         \
    TILE_CASE(body, 1, blocks)                                                                                         \
    TILE_CASE(body, 2, blocks)                                                                                         \
    TILE_CASE(body, 3, blocks) TILE_CASE(body, 4, blocks) TILE_CASE(body, 5, blocks) TILE_CASE(body, 6, blocks)
#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) { SIX_ROWS(body, 1) SIX_ROWS(body, WIDE) default : __builtin_trap(); }
