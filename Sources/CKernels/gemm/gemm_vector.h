// Matrix products on any vector level; include after a vector_*.h and after defining TILE_SHAPES(body), the
// cases of a switch over rows * 8 + blocks, WIDE_ROWS, TILE_ROWS and TILE_BLOCKS (see table.h).
//
// A tile turns weights of two bytes into floats on the way: bf16 pairs by a shift (even k) and a mask (odd k), one
// operation for every `rows` multiply-adds. Where several tiles of rows use the same weights they are expanded once
// instead, by the same operations, so the sums have the same bits.

#define INTERLEAVED(r, k, rows) ((k) * (rows) + (r))
#define ROW_MAJOR(r, k, rows) ((r)*ATTENTION_STRIDE + (k))

static inline vf bf16_pair_part(const char *p, size_t odd) {
    vf pairs = load_f32(p);
    return odd ? vf_upper_half(pairs) : vf_lower_half(pairs);
}

#define TILE_NAME f32_body
#define TILE_ACTIVATION float
#define TILE_AT INTERLEAVED
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) load_f32((p) + (j)*VW * 4)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 0
#include "gemm_tile.h"

#define TILE_NAME f32_row_body
#define TILE_ACTIVATION float
#define TILE_AT ROW_MAJOR
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) load_f32((p) + (j)*VW * 4)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 0
#define TILE_EXPANDS 0
#include "gemm_tile.h"

#define TILE_NAME f16_body
#define TILE_ACTIVATION float
#define TILE_AT INTERLEAVED
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 64
#define TILE_WEIGHTS(p, j, s) load_f16((p) + (j)*VW * 2)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 0
#include "gemm_tile.h"

#define TILE_NAME f16_expanding_body
#define TILE_ACTIVATION float
#define TILE_AT INTERLEAVED
#define TILE_SUBSTEPS 1
#define TILE_STEP_BYTES 64
#define TILE_WEIGHTS(p, j, s) load_f16((p) + (j)*VW * 2)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 1
#include "gemm_tile.h"

#define TILE_NAME bf16_body
#define TILE_ACTIVATION float
#define TILE_AT INTERLEAVED
#define TILE_SUBSTEPS 2
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) bf16_pair_part((p) + (j)*VW * 4, s)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 0
#include "gemm_tile.h"

#define TILE_NAME bf16_expanding_body
#define TILE_ACTIVATION float
#define TILE_AT INTERLEAVED
#define TILE_SUBSTEPS 2
#define TILE_STEP_BYTES 128
#define TILE_WEIGHTS(p, j, s) bf16_pair_part((p) + (j)*VW * 4, s)
#define TILE_BROADCAST(p) vf_set1(*(p))
#define TILE_DOT(acc, a, b) vf_fma(a, b, acc)
#define TILE_PREFETCHES 1
#define TILE_EXPANDS 1
#include "gemm_tile.h"

static void f32_tile(const gemm_tile *t) { TILE_SHAPES(f32_body) }
static void f32_row_tile(const gemm_tile *t) { TILE_SHAPES(f32_row_body) }
static void f16_tile(const gemm_tile *t) { TILE_SHAPES(f16_body) }
static void f16_expanding_tile(const gemm_tile *t) { TILE_SHAPES(f16_expanding_body) }
static void bf16_tile(const gemm_tile *t) { TILE_SHAPES(bf16_body) }
static void bf16_expanding_tile(const gemm_tile *t){TILE_SHAPES(bf16_expanding_body)}

#define PANEL_PACKER(type, element)                                                                                    \
    static void pack_##type(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel) {                      \
        const element *in = x;                                                                                         \
        float *out = panel;                                                                                            \
        size_t padded = padded_inputs(inputs);                                                                         \
        for (size_t k = 0; k < padded; k += VW) {                                                                      \
            size_t lanes = min_size(VW, inputs - k), columns = min_size(VW, padded - k);                               \
            vf r[VW];                                                                                                  \
            for (size_t i = 0; i < VW; i++) {                                                                          \
                if (i >= rows)                                                                                         \
                    r[i] = vf_zero();                                                                                  \
                else if (lanes == VW)                                                                                  \
                    r[i] = load_##type(in + i * ldx + k);                                                              \
                else                                                                                                   \
                    r[i] = load_##type##_n(in + i * ldx + k, lanes);                                                   \
            }                                                                                                          \
            if (rows == 1) {                                                                                           \
                vf_store_n(out + k, r[0], columns);                                                                    \
                continue;                                                                                              \
            }                                                                                                          \
            vf_transpose(r);                                                                                           \
            for (size_t i = 0; i < columns; i++) store_column(out, (k + i) * rows, padded * rows, rows, r[i]);         \
        }                                                                                                              \
    }
PANEL_PACKER(f32, float) PANEL_PACKER(f16, uint16_t) PANEL_PACKER(bf16, uint16_t)

    static void fill_gemm(kernel_table *t) {
    gemm_kernels common = {.wide_rows = WIDE_ROWS,
        .tile_rows = TILE_ROWS,
        .tile_blocks = TILE_BLOCKS,
        .tile_step = 1,
        .expanded_tile = f32_tile};
    common.pack_panel = pack_f32;
    common.tile = f32_tile;
    t->gemm[KERNELS_F32] = common;
    common.pack_panel = pack_f16;
    common.tile = f16_tile;
    common.expanding_tile = f16_expanding_tile;
    t->gemm[KERNELS_F16] = common;
    common.pack_panel = pack_bf16;
    common.tile = bf16_tile;
    common.tile_step = 2;
    common.expanding_tile = bf16_expanding_tile;
    t->gemm[KERNELS_BF16] = common;
    t->row_tile = f32_row_tile;
}
