// Arithmetic of the engine: matrix products over packed weights, attention over cache slots, and row operations.
//
// Every operation runs on the fixed thread pool inside a `kernels_compute`, allocates nothing, and gives each row
// the same bits whatever other rows are in the call, however the call is split, and however many threads there are.
#ifndef SRT_KERNELS_H
#define SRT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction set levels, each a superset of the one before.
typedef enum {
    KERNELS_SCALAR = 0,
    KERNELS_AVX2 = 1,       ///< avx2, fma, f16c
    KERNELS_AVX512 = 2,     ///< avx512 f, bw, dq, vl
    KERNELS_AVX512BF16 = 3  ///< also avx512_bf16
} kernels_isa;

/// Element types of activations, weights and caches.
typedef enum { KERNELS_F32 = 0, KERNELS_F16 = 1, KERNELS_BF16 = 2, KERNELS_DTYPES = 3 } kernels_dtype;

/// How the rows of a packed matrix are ordered in its blocks of 32.
typedef enum {
    KERNELS_PLAIN = 0,   ///< block b holds rows 32b ... 32b+31
    KERNELS_GATE_UP = 1  ///< block b holds gate rows 16b ... 16b+15, then the up rows of the same numbers
} kernels_packing;

/// How the numbers of a packed matrix are stored.
typedef enum {
    KERNELS_PLAIN_NUMBERS = 0,  ///< in the matrix's dtype
    KERNELS_INT8 = 1,           ///< signed bytes, one scale for each output
    KERNELS_INT4 = 2,           ///< codes 0 ... 15, a scale and a minimum for each output and group of inputs
    KERNELS_BLOCKS = 3,         ///< the blocks of a GGUF file, value for value
    KERNELS_FLOAT8 = 4          ///< E4M3, a scale for each output and group of inputs; products as of plain numbers
} kernels_format;

/// Kinds of blocks in a GGUF file that have kernels: those of 32 inputs and, with K or XS in their names, of 256.
typedef enum {
    KERNELS_Q8_0,
    KERNELS_Q5_0,
    KERNELS_Q5_1,
    KERNELS_Q2_K,
    KERNELS_Q3_K,
    KERNELS_Q4_K,
    KERNELS_Q5_K,
    KERNELS_Q6_K,
    KERNELS_IQ4_NL,
    KERNELS_IQ4_XS,
    KERNELS_MXFP4,
    KERNELS_Q4_0,
    KERNELS_Q4_1
} kernels_blocks;

/// A weight matrix in packed form: blocks of 32 outputs. In plain numbers each is `[K][32]`, or `[K/2][32][2]` for
/// bf16, K padded to even; quantized, K is padded to a multiple of 8 and scales lie in the block.
typedef struct {
    const void *data;
    size_t outputs;  ///< rows before padding; for gate-up the gate and the up rows together
    size_t inputs;
    kernels_dtype dtype;  ///< of the activations, and of plain numbers
    kernels_packing packing;
    kernels_format format;
    size_t group;           ///< inputs that share a scale in int4: 32, 64 or 128; in float8 a multiple of 32, 0 for all
    kernels_blocks blocks;  ///< of KERNELS_BLOCKS, whose inputs are whole blocks
    /// Column k of a quantized matrix is input order[k]; these int32 numbers lie behind the blocks.
    bool ordered;
} kernels_matrix;

/// Rows of quantized weights before packing: int8 codes with one scale a row, int4 codes (one a byte, 0 ... 15) with
/// a scale and a minimum, both exact in f16, for each group of a row, or float8 with a scale for each group.
typedef struct {
    const uint8_t *codes;
    const float *scales, *minimums;
} kernels_codes;

/// Head counts and head size of an attention layer.
typedef struct {
    size_t query_heads, kv_heads, head_dim;
} kernels_heads;

/// Functions of single numbers inside an MLP.
typedef enum {
    KERNELS_SILU = 0,
    KERNELS_GELU = 1,       ///< by erf
    KERNELS_GELU_TANH = 2,  ///< its approximation by tanh
    KERNELS_RELU = 3,
    KERNELS_ACTIVATIONS = 4,
    /// Of gates alone, as in gpt-oss: gates at most 7 times sigmoid(1.702 gate), times ups of -7 ... 7 plus one.
    KERNELS_CLAMPED_SWIGLU = 4,
    KERNELS_GATES = 5
} kernels_activation;

/// Element types of a key-value cache; the first three are those of `kernels_dtype`.
typedef enum {
    KERNELS_CACHE_F32 = 0,
    KERNELS_CACHE_F16 = 1,
    KERNELS_CACHE_BF16 = 2,
    KERNELS_CACHE_I8 = 3,  ///< codes of -127 ... 127 times a scale for each slot and head
    KERNELS_CACHE_DTYPES = 4
} kernels_cache_dtype;

/// Keys and values of one layer, each `[kv_heads][slots][head_dim]`; the scales, of int8 only, are `[kv_heads][slots]`.
typedef struct {
    void *keys, *values;
    float *key_scales, *value_scales;
    size_t slots;
    kernels_cache_dtype dtype;
} kernels_cache;

/// One sequence of a step: its rows are the last `row_count` of its `length` positions.
typedef struct {
    int32_t row_start, row_count, slot_start, length;
} kernels_sequence;

/// Rotary embedding tables `[positions][rotary_dim / 2]`; the halves of the first `rotary_dim` elements are rotated, or with
/// `interleaved` their pairs of neighbours, which are stored as halves then: scores do not depend on the order.
typedef struct {
    const float *cosines, *sines;
    size_t rotary_dim;
    bool interleaved;
    /// Factors on queries by position; null is none.
    const float *query_factors;
} kernels_rotary;

/// RMS norms of single heads before rotation; a null weight means none.
typedef struct {
    const float *query_weight, *key_weight;
    float epsilon;
} kernels_head_norm;

typedef struct kernels_compute kernels_compute;

/// The highest level this processor and operating system support, at most `ceiling`.
kernels_isa kernels_detect(kernels_isa ceiling);

/// Creates a kernel table for `isa` (lowered to what is present) and a pool of `threads` including the caller.
/// `cores[i]` is the core of thread i; null leaves threads unpinned. Returns null when memory or threads run out.
kernels_compute *kernels_compute_create(kernels_isa isa, size_t threads, const int32_t *cores);
void kernels_compute_destroy(kernels_compute *c);
kernels_isa kernels_compute_isa(const kernels_compute *c);

/// What `thread` uses alone inside `kernels_run_apart`: operations on it run on the calling thread. It lives as long as `c`.
kernels_compute *kernels_compute_part(kernels_compute *c, size_t thread);

/// Work on item `item` by `thread`, with operations on that thread's part.
typedef void (*kernels_part_work)(void *context, size_t thread, size_t item);

/// Runs `work` on items 0 ..< count, each as a whole on one thread, and returns when all are done: where items have nothing to
/// do with each other, no thread waits for another between two operations. Operations on `c` itself are not allowed meanwhile.
void kernels_run_apart(kernels_compute *c, size_t count, kernels_part_work work, void *context);

/// For tests: from here on `c` multiplies bf16 the way the AVX512-BF16 level does, with the dot instruction emulated.
/// False, and nothing changes, below the AVX-512 level.
bool kernels_emulate_pair_dot(kernels_compute *c);

/// For tests: from here on `c` multiplies bytes without AVX512-VNNI, which it uses from the AVX-512 level on where the
/// processor has it.
void kernels_leave_vnni(kernels_compute *c);

/// Pins the calling thread to `core`; false when the system refuses.
bool kernels_pin_calling_thread(int32_t core);

/// Lets the calling thread run on any core that the process may use; false when the system refuses.
bool kernels_free_calling_thread(void);

/// Writes the first `capacity` cores this thread may run on, ascending, and returns how many it wrote.
size_t kernels_available_cores(int32_t *cores, size_t capacity);

/// Between begin and end idle threads spin briefly for work before they sleep; outside they sleep at once.
void kernels_step_begin(kernels_compute *c);
void kernels_step_end(kernels_compute *c);

/// One parallel loop of an operation: nanoseconds of CLOCK_MONOTONIC at its begin and end.
typedef struct {
    const char *name;
    int64_t begin, end;
} kernels_timing;

/// From here on loops are written into `spans`, which stay the caller's, up to `capacity` of them; null ends that.
void kernels_record(kernels_compute *c, kernels_timing *spans, size_t capacity);
/// Loops written since then.
size_t kernels_recorded(const kernels_compute *c);

// Packing

/// Bytes of the packed form of `matrix` (its `data` is ignored), a multiple of 64.
size_t kernels_packed_bytes(const kernels_matrix *matrix);

/// Writes rows `first ..< first+count` of `matrix` (its `data` is ignored) into `packed`. Row numbers of a gate-up
/// matrix run over all gate rows, then all up rows. Padding is zeroed by the calls that touch it: columns with each
/// row, rows with the last row. Calls for disjoint rows may run at the same time. Quantized formats choose scales here.
void kernels_pack(const kernels_matrix *matrix, const float *rows, size_t first, size_t count, void *packed);

/// The same for rows that are quantized already, code for code.
void kernels_pack_codes(
    const kernels_matrix *matrix, const kernels_codes *rows, size_t first, size_t count, void *packed);

/// The same for rows of a GGUF file's blocks as they are in the file, `row_bytes` apart.
void kernels_pack_blocks(
    const kernels_matrix *matrix, const void *rows, size_t row_bytes, size_t first, size_t count, void *packed);

/// The numbers that `columns` columns of a GGUF file's blocks, whole ones, stand for.
void kernels_dequantize_blocks(kernels_blocks kind, const void *blocks, size_t columns, float *out);

/// Reads one row of a packed matrix back as f32, column by column.
void kernels_unpack_row(const kernels_matrix *matrix, size_t row, float *out);

// Matrix products

/// out[t] (+)= x[t]·Wᵀ + bias for `rows` activations of the matrix's dtype. Accumulation is in f32 over ascending k;
/// bias is added to the sum, and with `accumulate` that is added to what `out` holds.
///
/// For quantized weights activations are rounded to int8 with scale max |x| / 127, of the row for int8 weights and of
/// each group of it for the others; products are summed as integers over the same columns, and groups in f32, ascending.
/// Rows of `out` are `stride` numbers apart, at least the outputs.
void kernels_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, const float *bias,
    bool accumulate, float *out, size_t stride);

/// out[t] = f(gate[t]) * up[t] in the matrix's dtype, [rows][outputs / 2], for a gate-up matrix.
void kernels_gate_up(
    kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, kernels_activation f, void *out);

/// out[t] = f(x[t]·Wᵀ + bias) in the matrix's dtype, for a plain matrix.
void kernels_activated_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w,
    const float *bias, kernels_activation f, void *out);

// Mixtures of experts

/// The gated MLPs of a layer of experts, all of one shape: the matrices of expert e lie e times the packed bytes of one
/// behind those of the first.
typedef struct {
    kernels_matrix gate_up, down;
    size_t count;
    /// Biases, packed as f32 matrices with one input; no data stands for none.
    kernels_matrix gate_up_bias, down_bias;
    kernels_activation activation;
} kernels_experts;

/// The `each` largest of every row's `experts` scores (0 ... 1), largest first, the lower index first on ties, and the
/// scores as weights; with `normalizes` these are divided by their sum, and then multiplied by `factor`. With `bias`,
/// one number for each expert, the largest sums of scores and bias are chosen; it has no part in weights. A row of NaN
/// gets the first experts, weighted NaN. `scores` is changed.
void kernels_choose_experts(kernels_compute *c, float *scores, size_t rows, size_t experts, size_t each,
    const float *bias, bool normalizes, float factor, int32_t *chosen, float *weights);

/// x[i] = 1 / (1 + exp(-x[i])).
void kernels_sigmoid(kernels_compute *c, float *x, size_t size);

/// out[t] += weights[t][i] * down(f(gate(x[t])) * up(x[t])) of expert chosen[t][i], for the `each` different experts
/// of every row, in ascending order of the experts. `gated` is working memory, [rows * each][down.inputs] of the
/// experts' dtype; inputs are at most 65536.
void kernels_mix_experts(kernels_compute *c, const void *x, size_t rows, const kernels_experts *e,
    const int32_t *chosen, const float *weights, size_t each, void *gated, float *out);

// Rows

/// out[t] = table[tokens[t] + offset] * scale, or adds that to `out[t]`; null tokens are all 0.
void kernels_embed(kernels_compute *c, const int32_t *tokens, size_t count, size_t offset, const kernels_matrix *table,
    float scale, bool accumulate, float *out);

/// out[t] = x[t] / rms(x[t]) * weight, rounded to `dtype`.
void kernels_rms_norm(kernels_compute *c, const float *x, size_t rows, size_t size, const float *weight, float epsilon,
    kernels_dtype dtype, void *out);

/// out[t] = (x[t] - mean) / deviation * weight + bias, rounded to `dtype`; a null bias is none. With `kept`, which may be x,
/// the same goes there as f32.
void kernels_layer_norm(kernels_compute *c, const float *x, size_t rows, size_t size, const float *weight,
    const float *bias, float epsilon, kernels_dtype dtype, void *out, float *kept);

/// Neighbouring rows, before which `skipped` others of the same text stand.
typedef struct {
    int32_t first, count, skipped;
} kernels_row_span;

/// How rows become one; sums run over ascending rows.
typedef enum {
    KERNELS_POOL_MEAN = 0,
    KERNELS_POOL_MAX = 1,
    KERNELS_POOL_MEAN_SQUARE_ROOT = 2,  ///< the sum over the root of the count
    KERNELS_POOL_WEIGHTED_MEAN = 3      ///< row i of the text, from 1, counts i times
} kernels_pooling;

/// Pools the rows of each span, at least one, to one row of `out`.
void kernels_pool_rows(kernels_compute *c, const float *x, size_t size, const kernels_row_span *spans, size_t count,
    kernels_pooling pooling, float *out);

/// x[i] = cap * tanh(x[i] * scale / cap), or x[i] * scale where the cap is 0.
void kernels_cap(kernels_compute *c, float *x, size_t size, float scale, float cap);

/// Root mean squares of parts of rows `stride` apart, for norms whose rows are spread over ranks: out[t] = Σ x[t][i]²,
/// in the same order at every level.
void kernels_sum_squares(kernels_compute *c, const float *x, size_t rows, size_t size, size_t stride, float *out);

/// x[t][i] *= weight[i] / sqrt(squares[t] / total + epsilon), in place.
void kernels_scale_to_norm(kernels_compute *c, float *x, size_t rows, size_t size, size_t stride, const float *squares,
    size_t total, float epsilon, const float *weight);

/// Copies rows of `row_bytes` each: out[i] = source[indices[i]].
void kernels_gather_rows(
    kernels_compute *c, const void *source, const int32_t *indices, size_t count, size_t row_bytes, void *out);

/// out[i] += parts[0][i] + parts[1][i] + …, the parts summed in order before `out` is added to.
void kernels_add_sum(kernels_compute *c, const float *const *parts, size_t count, size_t size, float *out);

/// Rounds to nearest even; NaN stays NaN.
void kernels_from_float(kernels_compute *c, const float *x, size_t count, kernels_dtype dtype, void *out);
void kernels_to_float(kernels_compute *c, const void *x, size_t count, kernels_dtype dtype, float *out);

// Attention

/// Splits rows of `[q heads | k heads | v heads]`, norms and rotates q and k, writes q to `query` as f32
/// `[rows][query_heads][head_dim]`, and stores k and v of row t in slot `slots[t]`, rounded to the cache's type. For
/// int8 a head's scale is its largest magnitude / 127, so that what is stored depends on the row alone.
void kernels_rope_store(kernels_compute *c, const float *qkv, size_t rows, const kernels_heads *heads,
    const kernels_rotary *rotary, const kernels_head_norm *norm, const int32_t *positions, const int32_t *slots,
    const kernels_cache *cache, float *query);

/// What a row at position p sees: positions p - before ... p + after of its sequence; and what its scores become.
typedef struct {
    size_t before, after;  ///< SIZE_MAX stands for no limit
    /// Scores become soft_cap * tanh(score / soft_cap); 0 leaves them.
    float soft_cap;
    /// For each query head a score that takes part in its softmax and has no value; null is none.
    const float *sinks;
    /// Added to scores, `[query_heads][2 * reach + 1]`, the key's position minus the row's from -reach on, beyond which the
    /// ends count; null is none.
    const float *bias;
    size_t reach;
} kernels_sight;

/// Attention of each sequence's rows over the slots they see; out is `[rows][query_heads * head_dim]` of `out_dtype`,
/// whatever the cache's type. Positions are reduced in blocks of 256 that start at multiples of 256, in position order.
/// head_dim is a multiple of 4 up to 512, query_heads a multiple of kv_heads.
void kernels_attention(kernels_compute *c, const float *query, const kernels_heads *heads, const kernels_cache *cache,
    const kernels_sequence *sequences, size_t sequence_count, const int32_t *slots, float scale,
    const kernels_sight *sight, kernels_dtype out_dtype, void *out);

// Logits

// A logit of minus infinity is forbidden. Elements of plus infinity leave nothing to the others. Scales are inverse
// temperatures; they are taken as the nearest positive finite number, so that 0 forgives no forbidden element and
// infinity favours only the largest ones.

/// Index of the largest element of each row, the lowest one on ties; -1 for a row with a NaN, and for one in which all
/// is forbidden.
void kernels_argmax(kernels_compute *c, const float *x, size_t rows, size_t size, int32_t *out);

/// Makes minus infinity of all numbers whose bit is not set; bit i is bit i % 64 of allowed[i / 64].
void kernels_mask_logits(float *x, size_t size, const uint64_t *allowed);

/// What turns the logits of a row into log probabilities, with sums over exp(x * scale).
typedef struct {
    float scale;    ///< as it was taken
    float largest;  ///< element of the row
    float sum;      ///< log of the sum; infinite where float32 cannot hold it
    float
        relative;  ///< log of the sum over what elements are below the largest; finite unless there is no distribution
} kernels_normalizer;

/// The normalizer of each row; all NaN for a row with a NaN.
void kernels_normalize(
    kernels_compute *c, const float *x, size_t rows, size_t size, float scale, kernels_normalizer *out);

/// out[t] = softmax(x[t] * scales[t]), or softmax(x[t]) when `scales` is null; in place is allowed. Elements of plus
/// infinity share evenly. All NaN for a row with a NaN, and for one in which all is forbidden.
void kernels_softmax(kernels_compute *c, const float *x, size_t rows, size_t size, const float *scales, float *out);

/// The `count` largest elements of one row, largest first, lower index first on ties; NaN is never chosen.
/// Returns how many were found, at most min(count, size).
size_t kernels_top_k(kernels_compute *c, const float *x, size_t size, size_t count, float *values, int32_t *indices);

// Measurement

/// Reads `bytes` at `data` once with all threads and returns seconds taken.
double kernels_time_read(kernels_compute *c, const void *data, size_t bytes);

/// Runs the dot instructions of `dtype` in registers on all threads for `iterations` rounds; returns operations per
/// second (a multiply and an add are two).
double kernels_dot_peak(kernels_compute *c, kernels_dtype dtype, size_t iterations);

/// The same for the products of bytes that quantized weights use.
double kernels_int8_dot_peak(kernels_compute *c, size_t iterations);

#endif
