// Spreading and multiplying a GGUF file's blocks on any vector level; include from codes_vector.h.
//
// Beside what that needs: vi_or, vi_shift_right and vi_shift_left of 16-bit lanes, vi_set_bytes, vi_lookup (bytes 0 ... 15
// through a table), and load_u8, load_i8, load_low4 and load_high4 (VW bytes, or their nibbles, as floats), and
// DIRECT_ROWS, the most rows that multiply codes as they are unpacked.
#include "blocks.h"

/// How far ahead of its use a super-block is fetched into the second-level cache: taking codes apart is work enough to
/// hide the way from there, and its places for outstanding misses are more than the first level's.
#define BLOCKS_AHEAD 8192

/// Scales and minimums of one group, VW outputs from `j` on.
static inline __attribute__((always_inline)) void group_scales(
    const block_shape s, const char *super, const char *scales, size_t j, vf *scale_out, vf *minimum_out) {
    vf factor = s.scales == SCALES_POWER ? load_bf16(super + 2 * j) : load_f16(super + 2 * j), scale = factor;
    vf below = s.minimums ? load_f16(super + 2 * BLOCK + 2 * j) : vf_zero(), minimum = below;
    if (s.scales == SCALES_BYTES) {
        scale = vf_mul(factor, load_u8(scales + j));
        if (s.minimums) minimum = vf_mul(vf_mul(below, load_u8(scales + BLOCK + j)), vf_set1(-1));
    } else if (s.scales == SCALES_SIGNED) {
        scale = vf_mul(factor, load_i8(scales + j));
    } else if (s.scales == SCALES_NIBBLES) {
        scale = vf_mul(factor, load_low4(scales + j));
        minimum = vf_mul(vf_mul(below, load_high4(scales + j)), vf_set1(-1));
    }
    if (s.offset) minimum = vf_mul(scale, vf_set1((float)-s.offset));
    *scale_out = scale;
    *minimum_out = minimum;
}

/// `bits` bits of step `step` of a plane.
static inline __attribute__((always_inline)) vi plane_bits(
    const char *plane, const size_t bits, size_t step, size_t at) {
    size_t each = 8 / bits;
    vi x = vi_load(plane + step / each * STEP_BYTES + at);
    if (bits == 8) return x;
    return vi_and(vi_shift_right(x, (int)(step % each * bits)), vi_set_bytes((char)((1 << bits) - 1)));
}

/// The codes of step `step` of a super-block as they are spread, the vector at byte `at` of them.
static inline __attribute__((always_inline)) vi step_codes(
    const block_shape s, const char *super, size_t step, size_t at) {
    vi code = plane_bits(super + low_plane(s), s.low, step, at);
    if (s.high) code = vi_or(code, vi_shift_left(plane_bits(super + high_plane(s), s.high, step, at), (int)s.low));
    if (s.table) code = vi_xor(vi_lookup(s.table, code), vi_set_bytes((char)CODE_OFFSET));
    return code;
}

static inline __attribute__((always_inline)) void spread_group(
    const block_shape s, const char *super, size_t group, char *out) {
    const char *scales = super + factor_bytes(s) + group * scale_bytes(s);
    for (size_t j = 0; j < BLOCK; j += VW) {
        vf scale, minimum;
        group_scales(s, super, scales, j, &scale, &minimum);
        vf_store((float *)out + j, scale);
        vf_store((float *)out + BLOCK + j, minimum);
    }
    out += SPREAD_SCALE_BYTES;
    const size_t steps = s.group / 4;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < steps; i++)
#pragma clang loop unroll(full)
        for (size_t at = 0; at < STEP_BYTES; at += VECTOR_BYTES)
            vi_store(out + i * STEP_BYTES + at, step_codes(s, super, group * steps + i, at));
}

static inline __attribute__((always_inline)) void spread_supers(
    const block_shape s, const char *super, size_t columns, char *out) {
    for (size_t k = 0; k < columns; k += s.columns, super += super_bytes(s)) {
#pragma clang loop unroll(disable)
        for (size_t group = 0; group < s.columns / s.group; group++) {
            spread_group(s, super, group, out);
            out += SPREAD_SCALE_BYTES + s.group * BLOCK;
        }
    }
}

#define SPREAD_CASE(kind)                                                                                              \
    case kind:                                                                                                         \
        return spread_supers(shape_of(kind), blocks, columns, out)

static void spread_blocks(kernels_blocks kind, const char *blocks, size_t columns, char *out) {
    switch (kind) {
        SPREAD_CASE(KERNELS_Q2_K);
        SPREAD_CASE(KERNELS_Q3_K);
        SPREAD_CASE(KERNELS_Q4_K);
        SPREAD_CASE(KERNELS_Q5_K);
        SPREAD_CASE(KERNELS_Q6_K);
        SPREAD_CASE(KERNELS_Q5_0);
        SPREAD_CASE(KERNELS_Q5_1);
        SPREAD_CASE(KERNELS_Q8_0);
        SPREAD_CASE(KERNELS_IQ4_NL);
        SPREAD_CASE(KERNELS_IQ4_XS);
        SPREAD_CASE(KERNELS_MXFP4);
    }
}

/// Adds one group of a super-block, group `number` of the tile, to the sums of `rows` rows: what spreading it and
/// multiplying what it was spread to gives, without the way through memory.
static inline __attribute__((always_inline)) void add_direct_group(const block_shape s, const size_t rows,
    const code_tile *t, const char *super, size_t group, size_t number) {
    const size_t steps = s.group / 4;
    const int8_t *a = t->a + number * s.group * rows;
    const int32_t *starts = (const int32_t *)t->group_sums + number * rows;
    vi sum[DIRECT_ROWS][WIDE * VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) sum[r][i] = vi_set1(s.bytes ? starts[r] : 0);
#pragma clang loop unroll(full)
    for (size_t step = 0; step < steps; step++) {
        vi w[VECTORS];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) w[i] = step_codes(s, super, group * steps + step, i * VECTOR_BYTES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            vi x = vi_broadcast(a + 4 * (step * rows + r));
#pragma clang loop unroll(full)
            for (size_t i = 0; i < VECTORS; i++)
                sum[r][i] = s.bytes ? dot_bytes(sum[r][i], w[i], x) : dot_codes(sum[r][i], w[i], x);
        }
    }
    vf scale[VECTORS], minimum[VECTORS];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VECTORS; i++)
        group_scales(s, super, super + factor_bytes(s) + group * scale_bytes(s), i * VW, &scale[i], &minimum[i]);
    add_group(rows, 1, t, sum, scale, s.bytes ? NULL : minimum, number, t->load || number > 0);
}

static inline __attribute__((always_inline)) void direct_body(
    const block_shape s, const size_t rows, const code_tile *t) {
    const char *super = t->b;
    const size_t groups = s.columns / s.group, lines = (super_bytes(s) / groups + 63) / 64;
    for (size_t k = 0; k < t->columns; k += s.columns, super += super_bytes(s)) {
        const char *ahead = super + BLOCKS_AHEAD;
#pragma clang loop unroll(disable)
        for (size_t group = 0; group < groups; group++) {
#pragma clang loop unroll(full)
            for (size_t i = 0; i < lines; i++, ahead += 64) _mm_prefetch(ahead, _MM_HINT_T1);
            add_direct_group(s, rows, t, super, group, k / s.group + group);
        }
    }
}

#define DIRECT_CASE(kind)                                                                                              \
    case kind:                                                                                                         \
        return direct_rows(shape_of(kind), t)

static inline __attribute__((always_inline)) void direct_rows(const block_shape s, const code_tile *t) {
    switch (t->rows) {
    case 1:
        return direct_body(s, 1, t);
#if DIRECT_ROWS > 1
    case 2:
        return direct_body(s, 2, t);
    case 3:
        return direct_body(s, 3, t);
    case 4:
        return direct_body(s, 4, t);
#endif
    default:
        __builtin_trap();
    }
}

static void blocks_tile(kernels_blocks kind, const code_tile *t) {
    switch (kind) {
        DIRECT_CASE(KERNELS_Q2_K);
        DIRECT_CASE(KERNELS_Q3_K);
        DIRECT_CASE(KERNELS_Q4_K);
        DIRECT_CASE(KERNELS_Q5_K);
        DIRECT_CASE(KERNELS_Q6_K);
        DIRECT_CASE(KERNELS_Q5_0);
        DIRECT_CASE(KERNELS_Q5_1);
        DIRECT_CASE(KERNELS_Q8_0);
        DIRECT_CASE(KERNELS_IQ4_NL);
        DIRECT_CASE(KERNELS_IQ4_XS);
        DIRECT_CASE(KERNELS_MXFP4);
    }
}
