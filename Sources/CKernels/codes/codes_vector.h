// Quantized products on any vector level; include after a vector_*.h and after defining
//   vi                    a vector of VW int32, with vi_load, vi_store, vi_set1, vi_add, vi_largest, vi_magnitude (of
//                         floats), vi_broadcast (four bytes), vi_to_float, vi_from_bits, sum_lanes and largest_lane
//   dot_bytes(acc, w, x)  acc plus the products of stored int8 weights and activations, four to a lane
//   dot_codes(acc, w, x)  the same for codes 0 ... 15
//   what blocks_vector.h needs
//   low_nibbles, high_nibbles, count_bytes (four signed bytes of a lane added up), vi_round (of floats) and store_bytes
//                         (the low bytes of int32 lanes that fit)
//   START_FACTOR          see code_kernels
//   TILE_SHAPES(body), TILE_ROWS, FEW_ROWS, WIDE_ROWS; GROUP_SHAPES(body), GROUP_ROWS: those of spread codes
#include "codes_tile.h"

static void int8_tile(const code_tile *t) { TILE_SHAPES(int8_body) }
static void int4_tile(const code_tile *t) { TILE_SHAPES(int4_body) }
static void spread_tile(const code_tile *t) { GROUP_SHAPES(spread_body) }
static void spread_bytes_tile(const code_tile *t) { GROUP_SHAPES(spread_bytes_body) }

static void spread(const char *groups, size_t columns, size_t group, char *out) {
    for (size_t k = 0; k < columns; k += group) {
        for (size_t j = 0; j < 2 * BLOCK; j += VW) vf_store((float *)out + j, load_f16(groups + 2 * j));
        groups += SCALE_BYTES;
        out += SPREAD_SCALE_BYTES;
        for (size_t step = 0; step < min_size(group, columns - k) / 8; step++) {
            for (size_t i = 0; i < STEP_BYTES; i += VECTOR_BYTES) {
                vi codes = vi_load(groups + i);
                vi_store(out + i, low_nibbles(codes));
                vi_store(out + STEP_BYTES + i, high_nibbles(codes));
            }
            groups += STEP_BYTES;
            out += 2 * STEP_BYTES;
        }
    }
}

#include "blocks_vector.h"

static float quantize(const float *x, size_t n, int8_t *codes) {
    size_t whole = n / VW * VW;
    vi largest = vi_set1(0);
    for (size_t i = 0; i < whole; i += VW) largest = vi_largest(largest, vi_magnitude(vi_load(x + i)));
    if (whole < n) {
        // Missing lanes are zero, which no magnitude is below.
        vf rest = vf_load_n(x + whole, n - whole);
        largest = vi_largest(largest, vi_magnitude(vi_from_bits(rest)));
    }
    float factor, scale = row_scale((uint32_t)largest_lane(largest), &factor);
    if (factor == 0) {
        memset(codes, 0, n);
        return scale;
    }
    vf f = vf_set1(factor);
    for (size_t i = 0; i < whole; i += VW) store_bytes(codes + i, vi_round(vf_mul(vf_load(x + i), f)));
    if (whole < n) {
        int8_t rest[VW];
        store_bytes(rest, vi_round(vf_mul(vf_load_n(x + whole, n - whole), f)));
        memcpy(codes + whole, rest, n - whole);
    }
    return scale;
}

/// The lanes of each of VW vectors as one number: lane g of what is left of them is vector g's.
static inline __attribute__((always_inline)) void turn_lanes(const int32_t lanes[VW * VW], vi turned[VW]) {
    vf r[VW];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VW; i++) r[i] = load_f32(lanes + i * VW);
    vf_transpose(r);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VW; i++) turned[i] = vi_from_bits(r[i]);
}

/// Up to VW groups side by side, since what crosses lanes and the divisions are most of the work with one.
static inline __attribute__((always_inline)) void quantize_some(
    const float *x, size_t groups, size_t group, int8_t *codes, float *scales, int32_t *sums) {
    int32_t lanes[VW * VW], found[VW];
    float factors[VW];
    vi turned[VW];
    for (size_t g = 0; g < VW; g++) {
        vi largest = vi_set1(0);
        for (size_t i = 0; g < groups && i < group; i += VW)
            largest = vi_largest(largest, vi_magnitude(vi_load(x + g * group + i)));
        vi_store(lanes + g * VW, largest);
    }
    turn_lanes(lanes, turned);
    for (size_t i = 1; i < VW; i++) turned[0] = vi_largest(turned[0], turned[i]);
    vi_store(found, turned[0]);
    for (size_t g = 0; g < groups; g++) scales[g] = row_scale((uint32_t)found[g], &factors[g]);
    for (size_t g = 0; g < groups; g++) {
        vi sum = vi_set1(0);
        vf f = vf_set1(factors[g]);
        for (size_t i = 0; i < group; i += VW) {
            // With a factor of zero the group may hold numbers that have no product.
            vi code = factors[g] == 0 ? vi_set1(0) : vi_round(vf_mul(vf_load(x + g * group + i), f));
            store_bytes(codes + g * group + i, code);
            sum = vi_add(sum, code);
        }
        vi_store(lanes + g * VW, sum);
    }
    turn_lanes(lanes, turned);
    for (size_t i = 1; i < VW; i++) turned[0] = vi_add(turned[0], turned[i]);
    vi_store(found, turned[0]);
    for (size_t g = 0; g < groups; g++) sums[g] = found[g];
}

static void quantize_groups(
    const float *x, size_t groups, size_t group, int8_t *codes, float *scales, int32_t *sums) {
    for (size_t g = 0; g < groups; g += VW) {
        size_t here = min_size(VW, groups - g);
        const float *from = x + g * group;
        int8_t *to = codes + g * group;
        if (here == VW && group == 32)
            quantize_some(from, VW, 32, to, scales + g, sums + g);
        else if (here == VW && group == 16)
            quantize_some(from, VW, 16, to, scales + g, sums + g);
        else
            quantize_some(from, here, group, to, scales + g, sums + g);
    }
}

static int32_t sum_codes(const int8_t *codes, size_t n) {
    size_t i = 0;
    vi lanes = vi_set1(0);
    for (; i + VECTOR_BYTES <= n; i += VECTOR_BYTES) lanes = vi_add(lanes, count_bytes(vi_load(codes + i)));
    int32_t sum = sum_lanes(lanes);
    for (; i < n; i++) sum += codes[i];
    return sum;
}

/// Four codes travel as one 32-bit lane; nothing computes with them here.
static void interleave(const int8_t *codes, size_t rows, size_t n, int8_t *panel) {
    const float *in = (const float *)(const void *)codes;
    float *out = (float *)(void *)panel;
    size_t lanes = n / 4;
    if (rows == 1) {
        memcpy(panel, codes, n);
        return;
    }
    for (size_t k = 0; k < lanes; k += VW) {
        size_t columns = min_size(VW, lanes - k);
        for (size_t first = 0; first < rows; first += VW) {
            size_t count = min_size(VW, rows - first);
            vf r[VW];
            for (size_t i = 0; i < VW; i++)
                r[i] = i < count ? vf_load_n(in + (first + i) * lanes + k, columns) : vf_zero();
            vf_transpose(r);
            for (size_t i = 0; i < columns; i++) vf_store_n(out + (k + i) * rows + first, r[i], count);
        }
    }
}

/// Stores finished outputs, with `biased` and `accumulate` as constants.
static inline __attribute__((always_inline)) void settle_rows(
    const code_sums *s, const bool int8, const bool biased, const bool accumulate) {
    for (size_t r = 0; r < s->rows; r++) {
        const char *c = (const char *)s->c + r * s->ldc * 4;
        vf row = int8 ? vf_set1(s->row_scales[r]) : vf_zero();
        float *out = s->out + r * s->ldout;
        for (size_t i = 0; i < s->columns; i += VW) {
            size_t n = min_size(VW, s->columns - i);
            vf value = load_f32(c + 4 * i);
            if (int8) value = vf_mul(vf_mul(vi_to_float(vi_from_bits(value)), vf_load(s->scales + i)), row);
            if (biased) value = vf_add(value, vf_load_n(s->bias + i, n));
            if (accumulate) value = vf_add(vf_load_n(out + i, n), value);
            if (n == VW)
                vf_store(out + i, value);
            else
                vf_store_n(out + i, value, n);
        }
    }
}

static inline __attribute__((always_inline)) void settle(const code_sums *s, const bool int8) {
    if (s->bias && s->accumulate)
        settle_rows(s, int8, true, true);
    else if (s->bias)
        settle_rows(s, int8, true, false);
    else if (s->accumulate)
        settle_rows(s, int8, false, true);
    else
        settle_rows(s, int8, false, false);
}

static void settle_int8(const code_sums *s) { settle(s, true); }
static void settle_floats(const code_sums *s) { settle(s, false); }

static double byte_dot_peak(size_t iterations) {
    vi sum[PEAK_SUMS], a = vi_set1(0x01020304), b = vi_set1(0x03010201);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < PEAK_SUMS; j++) sum[j] = vi_set1((int32_t)j);
    for (size_t i = 0; i < iterations; i++) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < PEAK_SUMS; j++) {
            sum[j] = dot_bytes(sum[j], a, b);
            __asm__ volatile("" : "+" VECTOR_REGISTER(sum[j]));
        }
    }
    return (double)iterations * PEAK_SUMS * VW * 4 * 2;
}

#include "codes_fill.h"
