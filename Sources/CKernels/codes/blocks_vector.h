// Spreading and multiplying a GGUF file's blocks on any vector level; include from codes_vector.h.
//
// Beside what that needs: vi_or, vi_shift_right and vi_shift_left of 16-bit lanes, vi_set_bytes, vi_lookup (bytes 0 ...
// 15 through a table), vi_sixteenth (of int32 lanes), load_u8, load_i8, load_low4 and load_high4 (VW bytes, or their
// nibbles, as floats), DIRECT_ROWS, the most rows that multiply codes as they are unpacked, and UPPER_NIBBLES, whether
// dot_codes takes codes of 16 ... 240 too.
#include "blocks.h"

/// Factors of scales and of minimums of a super-block, VW outputs from `j` on; the latter with the sign they are used
/// with.
static inline __attribute__((always_inline)) void super_factors(
    const block_shape s, const char *super, size_t j, vf *factor, vf *below) {
    *factor = s.scales == SCALES_POWER ? load_bf16(super + 2 * j) : load_f16(super + 2 * j);
    *below = s.minimums ? load_f16(super + 2 * BLOCK + 2 * j) : vf_zero();
    if (s.scales == SCALES_BYTES || s.scales == SCALES_NIBBLES) *below = vf_mul(*below, vf_set1(-1));
}

/// Scales and minimums of one group, VW outputs from `j` on.
static inline __attribute__((always_inline)) void group_scales(
    const block_shape s, vf factor, vf below, const char *scales, size_t j, vf *scale_out, vf *minimum_out) {
    vf scale = factor, minimum = below;
    if (s.scales == SCALES_BYTES) {
        scale = vf_mul(factor, load_u8(scales + j));
        if (s.minimums) minimum = vf_mul(below, load_u8(scales + BLOCK + j));
    } else if (s.scales == SCALES_SIGNED) {
        scale = vf_mul(factor, load_i8(scales + j));
    } else if (s.scales == SCALES_NIBBLES) {
        scale = vf_mul(factor, load_low4(scales + j));
        minimum = vf_mul(below, load_high4(scales + j));
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

/// The codes of step `step` of group `group` of a unit as they are spread, the vector at byte `at` of them.
static inline __attribute__((always_inline)) vi step_codes(
    const block_shape s, const char *unit, const size_t group, const size_t step, const size_t at) {
    vi code = plane_bits(unit + low_at(s, group), s.low, step, at);
    if (s.high) {
        const size_t before = group * s.group % high_columns(s) / 4;
        vi high = plane_bits(unit + high_at(s, group), s.high, before + step, at);
        code = vi_or(code, vi_shift_left(high, (int)s.low));
    }
    if (s.table) code = vi_xor(vi_lookup(s.table, code), vi_set_bytes((char)CODE_OFFSET));
    return code;
}

/// The upper nibbles of a step of odd number where they stand: sixteen times the codes.
static inline __attribute__((always_inline)) vi upper_nibbles(
    const block_shape s, const char *unit, const size_t group, const size_t step, const size_t at) {
    return vi_and(vi_load(unit + low_at(s, group) + step / 2 * STEP_BYTES + at), vi_set_bytes((char)0xf0));
}

/// Spreads group `group` of a unit.
static inline __attribute__((always_inline)) void spread_group(
    const block_shape s, const char *super, const char *unit, const size_t group, char *out) {
    const char *scales = unit + scales_at(s, group);
    for (size_t j = 0; j < BLOCK; j += VW) {
        vf factor, below, scale, minimum;
        super_factors(s, super, j, &factor, &below);
        group_scales(s, factor, below, scales, j, &scale, &minimum);
        vf_store((float *)out + j, scale);
        vf_store((float *)out + BLOCK + j, minimum);
    }
    out += SPREAD_SCALE_BYTES;
    const size_t steps = s.group / 4;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < steps; i++)
#pragma clang loop unroll(full)
        for (size_t at = 0; at < STEP_BYTES; at += VECTOR_BYTES)
            vi_store(out + i * STEP_BYTES + at, step_codes(s, unit, group, i, at));
}

static inline __attribute__((always_inline)) void spread_supers(
    const block_shape s, const char *super, size_t columns, char *out) {
    for (size_t k = 0; k < columns; k += s.columns, super += super_bytes(s)) {
        const char *unit = super + factor_bytes(s);
#pragma clang loop unroll(disable)
        for (size_t i = 0; i < s.columns / unit_columns(s); i++, unit += unit_bytes(s)) {
#pragma clang loop unroll(full)
            for (size_t group = 0; group < unit_groups(s); group++) {
                spread_group(s, super, unit, group, out);
                out += SPREAD_SCALE_BYTES + s.group * BLOCK;
            }
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
        SPREAD_CASE(KERNELS_Q4_0);
        SPREAD_CASE(KERNELS_Q4_1);
        SPREAD_CASE(KERNELS_Q5_0);
        SPREAD_CASE(KERNELS_Q5_1);
        SPREAD_CASE(KERNELS_Q8_0);
        SPREAD_CASE(KERNELS_IQ4_NL);
        SPREAD_CASE(KERNELS_IQ4_XS);
        SPREAD_CASE(KERNELS_MXFP4);
    }
}

/// What is kept in registers while super-blocks pass: their factors, and the sums of all rows.
typedef struct {
    vf factor[VECTORS], below[VECTORS], total[DIRECT_ROWS][VECTORS];
} direct_state;

/// The integer sums of group `group` of a unit for `rows` rows, `a` being the group's part of the panel.
static inline __attribute__((always_inline)) void sum_direct_group(const block_shape s, const size_t rows,
    const char *unit, const size_t group, const int8_t *a, const int32_t *starts, vi sum[DIRECT_ROWS][VECTORS]) {
    const size_t steps = s.group / 4;
    // Upper nibbles of a row or two are multiplied where they stand; sixteen times their sum is divided without a rest.
    const bool apart = UPPER_NIBBLES && rows <= 2 && s.low == 4 && !s.high && !s.table;
    vi upper[DIRECT_ROWS][VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) {
            sum[r][i] = vi_set1(s.bytes ? starts[r] : 0);
            upper[r][i] = vi_set1(0);
        }
#pragma clang loop unroll(full)
    for (size_t step = 0; step < steps; step++) {
        const bool is_upper = apart && step % 2 == 1;
        vi w[VECTORS];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++)
            w[i] = is_upper ? upper_nibbles(s, unit, group, step, i * VECTOR_BYTES)
                            : step_codes(s, unit, group, step, i * VECTOR_BYTES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            vi x = vi_broadcast(a + 4 * (step * rows + r));
#pragma clang loop unroll(full)
            for (size_t i = 0; i < VECTORS; i++) {
                vi *to = is_upper ? &upper[r][i] : &sum[r][i];
                *to = s.bytes ? dot_bytes(*to, w[i], x) : dot_codes(*to, w[i], x);
            }
        }
    }
    if (!apart) return;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) sum[r][i] = vi_add(sum[r][i], vi_sixteenth(upper[r][i]));
}

/// Adds group `group` of a unit, group `number` of the tile, to the sums of `rows` rows: what spreading it and
/// multiplying what it was spread to gives, without the way through memory.
static inline __attribute__((always_inline)) void add_direct_group(const block_shape s, const size_t rows,
    const code_tile *t, const char *unit, const size_t group, size_t number, direct_state *d) {
    const char *scales = unit + scales_at(s, group);
    const float *row_scales = t->group_scales + number * rows, *row_sums = t->group_sums + number * rows;
    vi sum[DIRECT_ROWS][VECTORS];
    sum_direct_group(s, rows, unit, group, t->a + number * s.group * rows, (const int32_t *)row_sums, sum);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VECTORS; i++) {
        vf scale, minimum;
        group_scales(s, d->factor[i], d->below[i], scales, i * VW, &scale, &minimum);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            vf *total = &d->total[r][i];
            *total = vf_fma(vi_to_float(sum[r][i]), vf_mul(scale, vf_set1(row_scales[r])), *total);
            if (!s.bytes) *total = vf_fma(vf_set1(row_sums[r]), minimum, *total);
        }
    }
}

/// `rows` rows times a block; `prefetch_step` of the tile is how many lines are fetched with each unit.
static inline __attribute__((always_inline)) void direct_body(
    const block_shape s, const size_t rows, const code_tile *t) {
    const char *super = t->b, *ahead = t->prefetch;
    const size_t lines = t->prefetch_step;
    size_t number = 0;
    float *c = t->c;
    direct_state d;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) d.total[r][i] = t->load ? vf_load(c + r * t->ldc + i * VW) : vf_zero();
#pragma clang loop unroll(disable)
    for (size_t k = 0; k < t->columns; k += s.columns, super += super_bytes(s)) {
        const char *unit = super + factor_bytes(s);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) super_factors(s, super, i * VW, &d.factor[i], &d.below[i]);
#pragma clang loop unroll(disable)
        for (size_t i = 0; i < s.columns / unit_columns(s); i++, unit += unit_bytes(s)) {
            if (rows > 2)
#pragma clang loop unroll(disable)
                for (size_t line = 0; line < lines; line++, ahead += LINE_BYTES) _mm_prefetch(ahead, _MM_HINT_T1);
#pragma clang loop unroll(full)
            for (size_t group = 0; group < unit_groups(s); group++)
                add_direct_group(s, rows, t, unit, group, number++, &d);
        }
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) vf_store(c + r * t->ldc + i * VW, d.total[r][i]);
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
    case 5:
        return direct_body(s, 5, t);
    case 6:
        return direct_body(s, 6, t);
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
        DIRECT_CASE(KERNELS_Q4_0);
        DIRECT_CASE(KERNELS_Q4_1);
        DIRECT_CASE(KERNELS_Q5_0);
        DIRECT_CASE(KERNELS_Q5_1);
        DIRECT_CASE(KERNELS_Q8_0);
        DIRECT_CASE(KERNELS_IQ4_NL);
        DIRECT_CASE(KERNELS_IQ4_XS);
        DIRECT_CASE(KERNELS_MXFP4);
    }
}
