// Products of bf16 activations and weights two at a time; include after vector_avx512.h, the tile shapes, and after
// defining PAIR_DOT(acc, a, b): acc plus both products of each 32-bit lane's pairs.
//
// The packed form already has the pairs of an output together, so weights are used as they are, and so are activations,
// row by row: a broadcast reads a pair wherever it lies.

#define TILE_NAME pair_body
#define TILE_ACTIVATION uint32_t
#define TILE_AT(r, k, rows) ((r)*a_stride + (k))
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) _mm512_loadu_si512((p) + (j)*VW * 4)
#define TILE_BROADCAST(p) _mm512_set1_epi32((int)*(p))
#define TILE_DOT(acc, a, b) PAIR_DOT(acc, a, b)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 0
#include "gemm_tile.h"

static void pair_tile(const gemm_tile *t) { TILE_SHAPES(pair_body) }

static void fill_pair_dot(kernel_table *t) {
    t->gemm[KERNELS_BF16] = (gemm_kernels){.wide_rows = WIDE_ROWS,
        .tile_rows = TILE_ROWS,
        .tile_blocks = TILE_BLOCKS,
        .tile_step = 2,
        .tile = pair_tile};
}
