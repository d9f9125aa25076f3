// Products of int8 rows with quantized weights: packed forms, and what each instruction set level fills in.
//
// Blocks of GGUF files have a page of their own, blocks.h. Weights of the other two formats are unsigned bytes or nibbles and activations signed bytes, the operand order of VPDPBUSD.
// A packed block holds 32 outputs, its columns padded to a multiple of eight:
//
//   int8   [columns / 4][32][4] bytes, weight + 128; then 32 scales as f32
//   int4   per group of columns: 32 scales, then 32 minimums, as f16; then [columns / 8][32][4] bytes. Byte i of a
//          step's output has column i in its low and column i + 4 in its high nibble. Weight = scale * code + minimum.
//
// Int32 sums of products are exact, so every level has the same ones. With int8 weights a row of activations has one
// scale, as checkpoints of that kind expect. With int4 weights each group of a row has its own, which costs one
// multiplication and keeps a few large activations from coarsening the whole row. Each group turns its sum into float
// and adds it to the output's float sum, groups ascending, in every shape of call.
#ifndef SRT_QUANTIZED_H
#define SRT_QUANTIZED_H

#include "kernels.h"

/// Columns are padded to a multiple of this.
#define CODE_COLUMNS 8
/// Bytes of one block's scales and minimums of an int4 group, and of the scales of an int8 block.
#define SCALE_BYTES 128
/// What is added to an int8 weight to store it.
#define CODE_OFFSET 128
/// Bytes of an int4 group's float scales and minimums once its codes are spread to bytes.
#define SPREAD_SCALE_BYTES 256

/// A tile of outputs over some columns.
///
/// int8: int32 c[r][j] = Σ a[r][k] · b[k][j], begun with `starts[r]`, or with what c holds if `load`.
/// int4: f32 c[r][j] (+)= Σ over groups of (scale · row_scale · Σ a · code + minimum · row_sum), where the row's scale
/// and sum are the group's. `a` is a panel `[columns / 4][rows][4]`; blocks are `b_stride` bytes apart, block i fills
/// columns 32i ..< 32i+32. `prefetch` is what the first-level cache should hold soon; it moves on by `prefetch_step`
/// bytes for each 128 bytes of a block and exists once for each block, `b_stride` apart. It is never read, so it may
/// point anywhere; with a step of 0 nothing is fetched.
typedef struct {
    size_t rows, blocks, columns;
    const int8_t *a;
    const char *b;
    size_t b_stride;
    void *c;
    size_t ldc;
    bool load;
    const int32_t *starts;
    /// Columns of an int4 group; the columns of the tile start at a group, and its last group may be shorter.
    size_t group;
    /// Scales of the activations of each group, and what they sum up to in it: `[groups][rows]`. For codes that are
    /// spread plus CODE_OFFSET the latter are int32: what their sums begin with.
    const float *group_scales, *group_sums;
    const char *prefetch;
    size_t prefetch_step;
} code_tile;

/// Finished sums of some rows of one block and what becomes of them: out (+)= c + bias, with c · scales · row_scales
/// for int8.
typedef struct {
    const void *c;
    size_t ldc, rows, columns;
    /// Of the block's outputs and of the rows, for int8.
    const float *scales, *row_scales;
    const float *bias;
    bool accumulate;
    float *out;
    size_t ldout;
} code_sums;

/// Quantized products of one level.
typedef struct {
    /// Most rows of a tile, and of one of spread codes; and up to `few_rows` rows, tiles of WIDE blocks and at most
    /// `wide_rows` rows.
    size_t max_rows, group_rows, few_rows, wide_rows, direct_rows;
    /// An int8 sum begins with minus this times the sum of its activations: CODE_OFFSET where the level multiplies
    /// stored weights as they are, 0 where it takes the offset off first.
    int32_t start_factor;
    void (*int8_tile)(const code_tile *t);
    /// Over packed groups.
    void (*int4_tile)(const code_tile *t);
    /// Over groups from `spread`: scales and minimums as f32, codes one a byte in the order of int8.
    void (*spread_tile)(const code_tile *t);
    /// The same for codes plus CODE_OFFSET, which have no minimums.
    void (*spread_bytes_tile)(const code_tile *t);
    /// Spreads `columns` columns of a block of int4 groups, so that many row tiles can use them.
    void (*spread)(const char *groups, size_t columns, size_t group, char *out);
    /// Over one block of a GGUF file's super-blocks, at most `direct_rows` rows: the sums of a spread tile. `prefetch_step` is
    /// the lines that three rows and more fetch with each unit of columns, see blocks.h.
    void (*blocks_tile)(kernels_blocks kind, const code_tile *t);
    /// Spreads `columns` columns of a block of a GGUF file's super-blocks, whole ones.
    void (*spread_blocks)(kernels_blocks kind, const char *blocks, size_t columns, char *out);

    /// codes[i] = x[i] / scale rounded to nearest even, with scale = max |x| / 127. A row with a NaN or an infinity
    /// gets zeros and scale NaN; one too small to divide by, zeros and scale 0.
    float (*quantize)(const float *x, size_t n, int8_t *codes);
    /// The same for whole groups, each with a scale, and Σ of its codes.
    void (*quantize_groups)(
        const float *x, size_t groups, size_t group, int8_t *codes, float *scales, int32_t *sums);
    /// Σ codes.
    int32_t (*sum)(const int8_t *codes, size_t n);
    /// Interleaves `rows` rows of n codes into a panel.
    void (*interleave)(const int8_t *codes, size_t rows, size_t n, int8_t *panel);

    void (*settle_int8)(const code_sums *s);
    void (*settle_floats)(const code_sums *s);
    /// Runs byte dot instructions in registers; returns operations done.
    double (*dot_peak)(size_t iterations);
} code_kernels;

/// Columns after padding.
static inline size_t padded_codes(size_t inputs) { return (inputs + CODE_COLUMNS - 1) / CODE_COLUMNS * CODE_COLUMNS; }
/// Bytes of the first `columns` columns of an int4 block; `columns` ends a group or the block.
static inline size_t int4_bytes(size_t columns, size_t group) {
    return padded_codes(columns) * 16 + (columns + group - 1) / group * SCALE_BYTES;
}
/// Bytes of the same columns after `spread`.
static inline size_t spread_bytes(size_t columns, size_t group) {
    return padded_codes(columns) * 32 + (columns + group - 1) / group * SPREAD_SCALE_BYTES;
}
/// Bytes of one packed block of 32 outputs.
size_t code_block_bytes(const kernels_matrix *w);

/// The scale that the largest magnitude of a row gives, and what to multiply with before rounding. The magnitude comes
/// as bits, in which a NaN is larger than infinity and infinity than any number.
static inline float row_scale(uint32_t magnitude, float *factor) {
    const uint32_t infinity = 0x7f800000, smallest = (127u - 100) << 23;
    float largest;
    __builtin_memcpy(&largest, &magnitude, 4);
    *factor = 0;
    if (magnitude >= infinity) return __builtin_nanf("");
    if (magnitude < smallest) return 0;
    *factor = 127 / largest;
    return largest / 127;
}

// Each level fills its part.
void fill_codes_scalar(code_kernels *t);
void fill_codes_avx2(code_kernels *t);
void fill_codes_avx512(code_kernels *t);
void fill_codes_vnni(code_kernels *t);

/// The scale of a row and what its numbers are multiplied with before they are rounded, and the rounding, as `quantize`
/// does both; packing uses them on every level.
float quantize_scale(const float *x, size_t n, float *factor);
void quantize_codes(const float *x, size_t n, float factor, int8_t *codes);

// Pieces of the packing of quantized formats, see pack_codes.c.
void pack_quantized(const kernels_matrix *w, const float *rows, size_t first, size_t count, void *packed);
void unpack_quantized_row(const kernels_matrix *w, size_t block, size_t lane, float *out);
void unpack_blocks_row(const kernels_matrix *w, size_t block, size_t lane, float *out);

/// What becomes of a product's sums: they go to `out`, or through a function to `rounded_out` in the weights' dtype.
typedef struct {
    const float *bias;
    const float *packed_bias;  ///< of a chosen product, see products.h
    bool accumulate;
    float *out;
    size_t stride;  ///< floats from one row of `out` to the next
    char *rounded_out;
    kernels_activation activation;
} product_end;

/// Products with quantized weights, see codes.c.
void run_quantized_product(
    kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, product_end end);

#endif
