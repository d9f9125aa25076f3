// The table of function pointers that dispatch fills for one instruction set level, and the object operations run on.
#ifndef SRT_KERNEL_TABLE_H
#define SRT_KERNEL_TABLE_H

#include "kernels.h"
#include "pool.h"
#include "quantized.h"

/// Outputs in a block of packed weights.
#define BLOCK 32
/// Blocks of a wide tile: two streams of weights keep memory busier than one, and hide the latency of additions.
#define WIDE 2
/// Positions in one block of attention; partial results exist per block and merge in position order.
#define KV_BLOCK 256
/// Floats from one row to the next in attention scratch: off a power of two, so that rows do not share cache sets.
#define ATTENTION_STRIDE (KV_BLOCK + 16)
/// Largest head size attention handles.
#define MAX_HEAD_DIM 512
/// Elements of a head that lie together in attention scratch; of a wider one the next part lies HEAD_PART_FLOATS on.
#define HEAD_PART 256
/// Most rows of a tile of attention, query rows times the query heads that share a key-value head: unpacking a block of
/// keys and values is a tenth of what so many rows then do with it.
#define ATTENTION_ROWS 192
/// Floats from one part of the heads of all rows to the next.
#define HEAD_PART_FLOATS (ATTENTION_ROWS * ATTENTION_STRIDE)

/// The limit and the slope of KERNELS_CLAMPED_SWIGLU.
#define SWIGLU_LIMIT 7.0f
#define SWIGLU_SLOPE 1.702f

/// √(2/π), of GELU by tanh.
#define GELU_TANH_SCALE 0.7978845608f

/// A case of a switch over rows * 8 + blocks of tile `t`: the body for just that shape, so that its sums are registers.
#define TILE_CASE(body, rows, blocks)                                                                                  \
    case (rows)*8 + (blocks):                                                                                          \
        body(rows, blocks, t);                                                                                         \
        break;

/// Sums of a tile of outputs over `steps` steps of the panel: c[r][j] (+)= Σ a[r][k] · b[k][j].
///
/// `a` is an activation panel interleaved by `rows`, or its rows `a_stride` elements apart, `b` the first of `blocks`
/// weight blocks that are `b_stride` bytes apart, c is f32 with row stride `ldc`; block i fills columns 32i ..< 32i+32. With `load` the sums go on from c, else
/// from zero.
/// `prefetch` is what the first-level cache should hold soon: it moves on by `prefetch_step` bytes each step, covers as
/// many bytes as a step of weights, and exists once for each block, `prefetch_stride` apart. It is never read, so it
/// may point anywhere. An expanding tile writes its weights to `expanded` as f32 `[columns][32]` for each block,
/// `expanded_stride` floats apart.
typedef struct {
    size_t rows, blocks, steps;
    const void *a;
    size_t a_stride;
    const void *b;
    size_t b_stride;
    float *c;
    size_t ldc;
    bool load;
    const char *prefetch;
    size_t prefetch_step, prefetch_stride;
    float *expanded;
    size_t expanded_stride;
} gemm_tile;

/// How one dtype is multiplied at one level.
typedef struct {
    /// Up to this many rows, which memory and not arithmetic limits, one tile of WIDE blocks takes them all.
    size_t wide_rows;
    /// Shape of the tiles of more rows.
    size_t tile_rows, tile_blocks;
    /// Columns of K that one step of `tile` covers.
    size_t tile_step;
    /// Interleaves `rows` activation rows of `inputs` columns into a panel of floats; odd `inputs` are padded with zero.
    /// Null where the tile reads pairs of two-byte activations from rows.
    void (*pack_panel)(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel);
    /// Adds products of a panel and packed weights.
    void (*tile)(const gemm_tile *t);
    /// Like `tile`, and leaves the weights behind as f32; null where `tile` uses weights as they are stored.
    void (*expanding_tile)(const gemm_tile *t);
    /// Adds products of a panel and expanded weights, one column a step.
    void (*expanded_tile)(const gemm_tile *t);
} gemm_kernels;

/// Scales of the positions of a block of int8 keys and values, `padded` each; null pointers stand for ones.
typedef struct {
    const float *keys, *values;
} score_scales;

typedef struct {
    gemm_kernels gemm[KERNELS_DTYPES];

    // Conversion of `n` elements.
    void (*to_float[KERNELS_DTYPES])(const void *x, size_t n, float *out);
    void (*from_float[KERNELS_DTYPES])(const float *x, size_t n, void *out);
    /// See float8.h.
    void (*float8_numbers)(const uint8_t *codes, size_t n, const float *scales, float *out);
    /// out[i] = (x[i] + 0) * factor: a zero has no sign.
    void (*from_scaled[KERNELS_DTYPES])(const float *x, size_t n, float factor, void *out);

    /// out[i] = x[i] * s * w[i], with s = 1 / sqrt(mean square + epsilon).
    void (*rms_norm)(const float *x, const float *w, size_t n, float epsilon, float *out);
    /// out[i] = (x[i] - mean) * s * w[i] + bias[i], with s = 1 / sqrt(variance + epsilon); a null bias is none.
    void (*layer_norm)(const float *x, const float *w, const float *bias, size_t n, float epsilon, float *out);
    /// Rotates the halves of the first `rotary_dim` elements in place.
    void (*rotate)(float *x, const float *cosines, const float *sines, size_t rotary_dim);
    /// x[i] = cap * tanh(x[i] / cap).
    void (*soft_cap)(float *x, size_t n, float cap);
    /// out[i] = f(c[i] + bias[i]); a null bias is none.
    void (*activate[KERNELS_ACTIVATIONS])(const float *c, const float *bias, size_t n, float *out);
    /// out[i] = f(gate) * up over `blocks` blocks of 16 gates then 16 ups; 16 results per block.
    void (*gate[KERNELS_GATES])(const float *c, size_t blocks, float *out);

    /// Transposes keys of `count` slots into `[count/32][dim][32]` f32, missing slots as zero; int8 codes stay
    /// unscaled. `keys` is one head's, rows of `dim` elements. `ahead` of the slots, at least `count`, are wanted by
    /// this call or the next ones.
    void (*load_keys[KERNELS_CACHE_DTYPES])(
        const void *keys, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel);
    /// Gathers values of `count` slots into `[dim/32][count][32]` f32, missing columns as zero.
    void (*load_values[KERNELS_CACHE_DTYPES])(
        const void *values, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel);
    /// Like the f32 tile, with `a` in rows of ATTENTION_STRIDE floats and the rows and blocks of `gemm[KERNELS_F32]`.
    void (*row_tile)(const gemm_tile *t);
    /// Turns `valid` scores into 2^(score - max) and zeroes the rest up to `padded`, a multiple of 32; gives max and
    /// sum. `scales` multiply the scores before and their powers, outside of the sum, after.
    void (*block_softmax)(
        float *scores, const score_scales *scales, size_t valid, size_t padded, float *max, float *sum);
    /// Writes x as codes and returns their scale: the largest magnitude / 127, or NaN for a row that is not finite.
    float (*quantize)(const float *x, size_t n, int8_t *codes);
    /// acc = acc * a + o * b.
    void (*blend)(float *acc, float a, const float *o, float b, size_t n);

    /// Largest element and its lowest index, 0 when all are minus infinity; false when a NaN is present.
    bool (*argmax)(const float *x, size_t n, float *max, size_t *index);
    /// Σ exp((x - max) * scale).
    double (*sum_exp)(const float *x, size_t n, float max, float scale);
    /// out[i] = exp(x[i] - max) * factor.
    void (*exp_scale)(const float *x, size_t n, float max, float factor, float *out);
    void (*scale)(const float *x, size_t n, float factor, float *out);
    /// First index at or after `start` with x > threshold, else n.
    size_t (*find_greater)(const float *x, size_t start, size_t n, float threshold);

    /// Reads memory at the speed of the level; the result only keeps the loads alive.
    uint64_t (*read_memory)(const void *p, size_t bytes);
    /// Runs dot instructions in registers; returns operations done.
    double (*dot_peak[KERNELS_DTYPES])(size_t iterations);

    code_kernels codes;
} kernel_table;

/// Fills the table for the highest present level that is at most `ceiling`, and returns that level.
kernels_isa kernels_select(kernels_isa ceiling, kernel_table *t);

/// Whether the processor has AVX512-VNNI; only meaningful from the AVX-512 level on.
bool has_avx512vnni(void);

// Each family of each level fills its part of the table.
void fill_gemm_scalar(kernel_table *t);
void fill_attention_scalar(kernel_table *t);
void fill_rows_scalar(kernel_table *t);
void fill_convert_scalar(kernel_table *t);
void fill_sample_scalar(kernel_table *t);
void fill_measure_scalar(kernel_table *t);

void fill_gemm_avx2(kernel_table *t);
void fill_attention_avx2(kernel_table *t);
void fill_rows_avx2(kernel_table *t);
void fill_convert_avx2(kernel_table *t);
void fill_sample_avx2(kernel_table *t);
void fill_measure_avx2(kernel_table *t);

void fill_gemm_avx512(kernel_table *t);
void fill_attention_avx512(kernel_table *t);
void fill_rows_avx512(kernel_table *t);
void fill_convert_avx512(kernel_table *t);
void fill_sample_avx512(kernel_table *t);
void fill_measure_avx512(kernel_table *t);

void fill_gemm_avx512bf16(kernel_table *t);
void fill_convert_avx512bf16(kernel_table *t);
void fill_measure_avx512bf16(kernel_table *t);

struct kernels_compute {
    kernel_table table;
    kernels_isa isa;
    kernels_pool *pool;
    /// Memory all threads of an operation share, and each thread's own.
    char *shared;
    char *scratch;
    size_t scratch_bytes;
    /// An object for each thread to use alone; null where there is one thread.
    kernels_compute *parts;
};

/// Bytes of shared scratch: activation panels of one pass, or attention partials.
#define SHARED_BYTES ((size_t)24 << 20)
/// Bytes of each thread's scratch.
#define THREAD_BYTES ((size_t)4 << 20)

static inline char *thread_scratch(const kernels_compute *c, size_t thread) {
    return c->scratch + thread * THREAD_BYTES;
}

static inline size_t dtype_size(kernels_dtype d) { return d == KERNELS_F32 ? 4 : 2; }
static inline size_t cache_element_size(kernels_cache_dtype d) {
    return d == KERNELS_CACHE_F32 ? 4 : d == KERNELS_CACHE_I8 ? 1 : 2;
}
/// What elements are multiplied with to become int8 codes when `largest` is their largest magnitude; 0 for a row that
/// has no finite scale, or one so small that the factor would overflow: its codes are all 0.
static inline float quantization_factor(float largest) {
    return largest > 0x1p-100f && largest <= 0x1.fffffep127f ? 127 / largest : 0;
}
static inline size_t round_up(size_t x, size_t unit) { return (x + unit - 1) / unit * unit; }
static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/// Columns of K after padding to even.
static inline size_t padded_inputs(size_t inputs) { return round_up(inputs, 2); }
/// Bytes from one block of a packed matrix to the next.
static inline size_t block_bytes(const kernels_matrix *w) {
    if (w->format != KERNELS_PLAIN_NUMBERS) return code_block_bytes(w);
    return padded_inputs(w->inputs) * BLOCK * dtype_size(w->dtype);
}
/// Whether products are of bytes: float8 is multiplied as plain numbers are.
static inline bool has_byte_products(const kernels_matrix *w) {
    return w->format != KERNELS_PLAIN_NUMBERS && w->format != KERNELS_FLOAT8;
}
/// Blocks of a packed matrix.
static inline size_t block_count(const kernels_matrix *w) {
    return w->packing == KERNELS_GATE_UP ? (w->outputs / 2 + 15) / 16 : (w->outputs + BLOCK - 1) / BLOCK;
}

/// Bytes of a matrix without the order of its inputs.
static inline size_t packed_bytes(const kernels_matrix *w) { return block_count(w) * block_bytes(w); }
/// The input of each column; null where they come in order.
static inline const int32_t *input_order(const kernels_matrix *w) {
    return w->ordered ? (const int32_t *)((const char *)w->data + packed_bytes(w)) : 0;
}

/// Where a row of a packed matrix lives: its block, and its lane in the block.
typedef struct {
    size_t block, lane;
} row_place;

static inline row_place place_of(const kernels_matrix *w, size_t row) {
    if (w->packing == KERNELS_PLAIN) return (row_place){row / BLOCK, row % BLOCK};
    size_t half = w->outputs / 2, up = row >= half, r = up ? row - half : row;
    return (row_place){r / 16, r % 16 + 16 * up};
}

#endif
