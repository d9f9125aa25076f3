// Products of bf16 activations and weights two at a time; include after vector_avx512.h, the tile shapes, and after
// defining PAIR_DOT(acc, a, b): acc plus both products of each 32-bit lane's pairs.
//
// The packed form already has the pairs of an output together, so weights are used as they are.

#define TILE_NAME pair_body
#define TILE_ACTIVATION uint32_t
#define TILE_AT(r, k, rows) ((k) * (rows) + (r))
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) _mm512_loadu_si512((p) + (j)*VW * 4)
#define TILE_BROADCAST(p) _mm512_set1_epi32((int)*(p))
#define TILE_DOT(acc, a, b) PAIR_DOT(acc, a, b)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 0
#include "gemm_tile.h"

static void pair_tile(const gemm_tile *t) { TILE_SHAPES(pair_body) }

/// Loads up to sixteen pairs from `n` elements; a missing partner is zero.
static inline vf load_pairs(const uint16_t *p, size_t n) {
    if (n >= 2 * VW) return vf_load((const float *)p);
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16((__mmask32)((1ull << n) - 1), p));
}

static void pack_pairs(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel) {
    const uint16_t *in = x;
    float *out = panel;  // pairs travel as 32-bit lanes; nothing computes with them here
    size_t pairs = padded_inputs(inputs) / 2;
    for (size_t k = 0; k < pairs; k += VW) {
        size_t columns = min_size(VW, pairs - k);
        vf r[VW];
        for (size_t i = 0; i < VW; i++) {
            r[i] = i < rows ? load_pairs(in + i * ldx + 2 * k, inputs - 2 * k) : vf_zero();
            if (i < rows) _mm_prefetch((const char *)(in + i * ldx + 2 * k) + 2 * 64, _MM_HINT_T0);
        }
        if (rows == 1) {
            vf_store_n(out + k, r[0], columns);
            continue;
        }
        vf_transpose(r);
        for (size_t i = 0; i < columns; i++) store_column(out, (k + i) * rows, pairs * rows, rows, r[i]);
    }
}

static void fill_pair_dot(kernel_table *t) {
    t->gemm[KERNELS_BF16] = (gemm_kernels){.wide_rows = WIDE_ROWS,
        .tile_rows = TILE_ROWS,
        .tile_blocks = TILE_BLOCKS,
        .tile_step = 2,
        .panel_bytes = 4,
        .panel_columns = 2,
        .pack_panel = pack_pairs,
        .tile = pair_tile};
}
