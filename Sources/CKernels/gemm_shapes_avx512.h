// Tile shapes for 32 registers: up to 24 sums, two weight vectors and a broadcast. With a row or two four blocks are in
// flight, so that there are sums enough to hide the latency of an addition.

#define TILE_ROWS 12
#define FEW_ROWS 2
#define BLOCKS_IN_FLIGHT 4

#define TILE_CASE(body, rows, blocks)                                                                                  \
    case (rows)*8 + (blocks):                                                                                          \
        body(rows, blocks, t);                                                                                         \
        break;
#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1)                                                                                          \
        TILE_CASE(body, 2, 1)                                                                                          \
        TILE_CASE(body, 3, 1) TILE_CASE(body, 4, 1) TILE_CASE(body, 5, 1) TILE_CASE(body, 6, 1) TILE_CASE(body, 7, 1)  \
            TILE_CASE(body, 8, 1) TILE_CASE(body, 9, 1) TILE_CASE(body, 10, 1) TILE_CASE(body, 11, 1)                  \
                TILE_CASE(body, 12, 1) TILE_CASE(body, 1, 4) TILE_CASE(body, 2, 4) default : __builtin_trap();         \
    }
