// The packed form of a GGUF file's blocks: writing it from the file's bytes, and reading it back number by number.
#include "blocks.h"

#include <string.h>

#include "half.h"
#include "table.h"

const int8_t curve_nibbles[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
const int8_t float_nibbles[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// A super-block of one row, taken apart.
typedef struct {
    /// Factors of scales and minimums, as they are packed.
    uint16_t factor, minimum_factor;
    uint8_t scales[16], minimums[16];
    /// One a byte, as they are packed.
    uint8_t codes[256];
} super_parts;

static uint16_t half_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

/// Nibbles of 32 columns: low ones are the first 16.
static void take_nibbles(const uint8_t *p, uint8_t *codes) {
    for (size_t i = 0; i < 16; i++) {
        codes[i] = p[i] & 15;
        codes[i + 16] = p[i] >> 4;
    }
}

/// The fifth bits of 32 columns.
static void take_fifth_bits(const uint8_t *p, uint8_t *codes) {
    for (size_t i = 0; i < 32; i++) codes[i] |= (uint8_t)((p[i / 8] >> i % 8 & 1) << 4);
}

/// Blocks of 32 columns.
static void take_small(kernels_blocks kind, const uint8_t *p, super_parts *out) {
    if (kind == KERNELS_MXFP4) {
        // 2^(e - 127), halved as the table is doubled; bfloat16 has all of these, 2^-128 as a subnormal number.
        out->factor = p[0] >= 2 ? (uint16_t)((p[0] - 1) << 7) : (uint16_t)(0x20 << p[0]);
        return take_nibbles(p + 1, out->codes);
    }
    out->factor = half_at(p);
    if (kind == KERNELS_Q8_0) {
        for (size_t i = 0; i < 32; i++) out->codes[i] = (uint8_t)(p[2 + i] + CODE_OFFSET);
        return;
    }
    p += 2;
    if (kind == KERNELS_Q4_1 || kind == KERNELS_Q5_1) {
        out->minimum_factor = half_at(p);
        p += 2;
    }
    if (kind != KERNELS_Q5_0 && kind != KERNELS_Q5_1) return take_nibbles(p, out->codes);
    take_nibbles(p + 4, out->codes);
    take_fifth_bits(p, out->codes);
}

/// Q4_K and Q5_K: twelve bytes hold eight pairs of six bits.
static void take_k45(bool fifth, const uint8_t *p, super_parts *out) {
    const uint8_t *s = p + 4, *codes = p + (fifth ? 48 : 16);
    out->factor = half_at(p);
    out->minimum_factor = half_at(p + 2);
    for (size_t j = 0; j < 8; j++) {
        out->scales[j] = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (uint8_t)(s[j - 4] >> 6 << 4);
        out->minimums[j] = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (uint8_t)(s[j] >> 6 << 4);
        for (size_t i = 0; i < 32; i++) {
            uint8_t pair = codes[j / 2 * 32 + i], upper = fifth ? p[16 + i] >> j & 1 : 0;
            out->codes[32 * j + i] = (uint8_t)((j % 2 ? pair >> 4 : pair & 15) | upper << 4);
        }
    }
}

static void take_q6k(const uint8_t *p, super_parts *out) {
    out->factor = half_at(p + 208);
    memcpy(out->scales, p + 192, 16);
    for (size_t k = 0; k < 256; k++) {
        size_t side = k / 128, quarter = k % 128 / 32, i = k % 32;
        uint8_t low = p[side * 64 + quarter % 2 * 32 + i], high = p[128 + side * 32 + i] >> 2 * quarter & 3;
        out->codes[k] = (uint8_t)((quarter < 2 ? low & 15 : low >> 4) | high << 4);
    }
}

static void take_q2k(const uint8_t *p, super_parts *out) {
    memcpy(out->scales, p, 16);
    out->factor = half_at(p + 80);
    out->minimum_factor = half_at(p + 82);
    for (size_t k = 0; k < 256; k++) out->codes[k] = p[16 + k / 128 * 32 + k % 32] >> k % 128 / 32 * 2 & 3;
}

/// Q3_K: sixteen scales of six bits, four lower ones in eight bytes and two upper ones in four.
static void take_q3k(const uint8_t *p, super_parts *out) {
    const uint8_t *s = p + 96;
    out->factor = half_at(p + 108);
    for (size_t j = 0; j < 16; j++) {
        uint8_t low = j < 8 ? s[j] & 15 : s[j - 8] >> 4, high = s[8 + j % 4] >> j / 4 * 2 & 3;
        out->scales[j] = (uint8_t)((low | high << 4) - 32);
    }
    for (size_t k = 0; k < 256; k++) {
        uint8_t low = p[32 + k / 128 * 32 + k % 32] >> k % 128 / 32 * 2 & 3;
        out->codes[k] = (uint8_t)(low | (p[k % 32] >> k / 32 & 1) << 2);
    }
}

static void take_iq4xs(const uint8_t *p, super_parts *out) {
    out->factor = half_at(p);
    for (size_t j = 0; j < 8; j++) {
        uint8_t low = p[4 + j / 2] >> j % 2 * 4 & 15, high = half_at(p + 2) >> 2 * j & 3;
        out->scales[j] = (uint8_t)((low | high << 4) - 32);
        take_nibbles(p + 8 + 16 * j, out->codes + 32 * j);
    }
}

/// Takes a super-block of the file apart; returns where the next one begins.
static const uint8_t *take_super(kernels_blocks kind, const uint8_t *p, super_parts *out) {
    switch (kind) {
    case KERNELS_Q2_K:
        return take_q2k(p, out), p + 84;
    case KERNELS_Q3_K:
        return take_q3k(p, out), p + 110;
    case KERNELS_Q4_K:
        return take_k45(false, p, out), p + 144;
    case KERNELS_Q5_K:
        return take_k45(true, p, out), p + 176;
    case KERNELS_Q6_K:
        return take_q6k(p, out), p + 210;
    case KERNELS_IQ4_XS:
        return take_iq4xs(p, out), p + 136;
    default:
        take_small(kind, p, out);
    }
    const size_t bytes[] = {[KERNELS_Q4_0] = 18,
        [KERNELS_Q4_1] = 20,
        [KERNELS_Q5_0] = 22, [KERNELS_Q5_1] = 24,
        [KERNELS_Q8_0] = 34, [KERNELS_IQ4_NL] = 18, [KERNELS_MXFP4] = 17};
    return p + bytes[kind];
}

/// Puts `bits` bits of a code into a plane.
static void put_bits(char *plane, size_t bits, size_t k, size_t lane, uint8_t code) {
    size_t each = 8 / bits, step = k / (4 * each), shift = k / 4 % each * bits;
    ((uint8_t *)plane)[(step * BLOCK + lane) * 4 + k % 4] |= (uint8_t)((code & ((1u << bits) - 1)) << shift);
}

static uint8_t get_bits(const char *plane, size_t bits, size_t k, size_t lane) {
    size_t each = 8 / bits, step = k / (4 * each), shift = k / 4 % each * bits;
    return (uint8_t)(((const uint8_t *)plane)[(step * BLOCK + lane) * 4 + k % 4] >> shift & ((1u << bits) - 1));
}

/// Where a column of a packed super-block lies.
typedef struct {
    size_t unit, group;       // the unit's first byte, the group's number in it
    size_t column, in_upper;  // in the group, and among the columns whose upper bits lie together
} column_place;

static column_place place_of_column(const block_shape *s, size_t k) {
    size_t i = k % unit_columns(*s);
    return (column_place){unit_at(*s, k), i / s->group, i % s->group, i % high_columns(*s)};
}

/// Empties one output's codes of a super-block.
static void clear_lane(const block_shape *s, char *super, size_t lane) {
    for (size_t k = 0; k < s->columns; k += s->group) {
        column_place p = place_of_column(s, k);
        char *low = super + p.unit + low_at(*s, p.group), *high = super + p.unit + high_at(*s, p.group);
        for (size_t at = 4 * lane; at < low_bytes(*s); at += 4 * BLOCK) memset(low + at, 0, 4);
        if (s->high && p.in_upper == 0) memset(high + 4 * lane, 0, 4);
    }
}

static void write_super(const block_shape *s, char *super, size_t lane, const super_parts *parts) {
    uint16_t *factors = (uint16_t *)super;
    factors[lane] = parts->factor;
    if (s->minimums) factors[BLOCK + lane] = parts->minimum_factor;
    for (size_t g = 0; g < s->columns / s->group && scale_bytes(*s); g++) {
        column_place p = place_of_column(s, g * s->group);
        uint8_t *scales = (uint8_t *)super + p.unit + scales_at(*s, p.group);
        scales[lane] = parts->scales[g];
        if (scale_bytes(*s) > BLOCK) scales[BLOCK + lane] = parts->minimums[g];
    }
    clear_lane(s, super, lane);
    for (size_t k = 0; k < s->columns; k++) {
        column_place p = place_of_column(s, k);
        char *unit = super + p.unit;
        put_bits(unit + low_at(*s, p.group), s->low, p.column, lane, parts->codes[k]);
        if (s->high)
            put_bits(unit + high_at(*s, p.group), s->high, p.in_upper, lane, (uint8_t)(parts->codes[k] >> s->low));
    }
}

/// Writes one row of the file where it lives; a null row zeroes the lane.
static void write_blocks(const kernels_matrix *w, row_place place, const uint8_t *row, char *packed) {
    const block_shape shape = shape_of(w->blocks);
    char *super = packed + place.block * block_bytes(w);
    for (size_t k = 0; k < w->inputs; k += shape.columns, super += super_bytes(shape)) {
        super_parts parts = {0};
        if (row) row = take_super(w->blocks, row, &parts);
        write_super(&shape, super, place.lane, &parts);
    }
}

void kernels_pack_blocks(
    const kernels_matrix *w, const void *rows, size_t row_bytes, size_t first, size_t count, void *packed) {
    if (count == 0) return;
    for (size_t i = 0; i < count; i++)
        write_blocks(w, place_of(w, first + i), (const uint8_t *)rows + i * row_bytes, packed);
    if (first + count < w->outputs) return;
    // Lanes of the last block that have no row.
    size_t last = block_count(w) - 1, used = w->packing == KERNELS_PLAIN ? w->outputs : w->outputs / 2;
    size_t run = w->packing == KERNELS_PLAIN ? BLOCK : 16;
    for (size_t lane = (used - 1) % run + 1; lane < run; lane++)
        for (size_t half = lane; half < BLOCK; half += run) write_blocks(w, (row_place){last, half}, NULL, packed);
}

uint8_t block_code(const block_shape *s, const char *super, size_t k, size_t lane) {
    column_place p = place_of_column(s, k);
    const char *unit = super + p.unit;
    uint8_t code = get_bits(unit + low_at(*s, p.group), s->low, p.column, lane);
    if (s->high) code |= (uint8_t)(get_bits(unit + high_at(*s, p.group), s->high, p.in_upper, lane) << s->low);
    return s->table ? (uint8_t)(s->table[code] + CODE_OFFSET) : code;
}

/// Scale and minimum of a group from its factors and, where there are some, its small numbers.
static void group_numbers(const block_shape *s, uint16_t factor, uint16_t minimum_factor, uint8_t small,
    uint8_t small_minimum, float *scale, float *minimum) {
    float unit = s->scales == SCALES_POWER ? bf16_to_float(factor) : f16_to_float(factor);
    float below = s->minimums ? f16_to_float(minimum_factor) : 0;
    *scale = unit;
    *minimum = below;
    switch (s->scales) {
    case SCALES_BYTES:
        *scale = unit * (float)small;
        if (s->minimums) *minimum = -(below * (float)small_minimum);
        break;
    case SCALES_SIGNED:
        *scale = unit * (float)(int8_t)small;
        break;
    case SCALES_NIBBLES:
        *scale = unit * (float)(small & 15);
        *minimum = -(below * (float)(small >> 4));
        break;
    default:
        break;
    }
    if (s->offset) *minimum = *scale * (float)-s->offset;
}

void block_group(const block_shape *s, const char *super, size_t group, size_t lane, float *scale, float *minimum) {
    const uint16_t *factors = (const uint16_t *)super;
    column_place p = place_of_column(s, group * s->group);
    const uint8_t *small = (const uint8_t *)super + p.unit + scales_at(*s, p.group);
    group_numbers(s, factors[lane], s->minimums ? factors[BLOCK + lane] : 0, scale_bytes(*s) ? small[lane] : 0,
        scale_bytes(*s) > BLOCK ? small[BLOCK + lane] : 0, scale, minimum);
}

void kernels_dequantize_blocks(kernels_blocks kind, const void *blocks, size_t columns, float *out) {
    const block_shape shape = shape_of(kind);
    const uint8_t *next = blocks;
    for (size_t k = 0; k < columns; k += shape.columns) {
        super_parts p = {0};
        next = take_super(kind, next, &p);
        float scale, minimum;
        for (size_t i = 0; i < shape.columns; i++) {
            size_t g = i / shape.group;
            if (i % shape.group == 0)
                group_numbers(&shape, p.factor, p.minimum_factor, p.scales[g], p.minimums[g], &scale, &minimum);
            int below = shape.bytes && !shape.table ? CODE_OFFSET : shape.offset;
            int code = shape.table ? shape.table[p.codes[i]] : p.codes[i] - below;
            out[k + i] = shape.minimums ? scale * (float)code + minimum : scale * (float)code;
        }
    }
}

void unpack_blocks_row(const kernels_matrix *w, size_t block, size_t lane, float *out) {
    const block_shape shape = shape_of(w->blocks);
    const char *super = (const char *)w->data + block * block_bytes(w);
    for (size_t k = 0; k < w->inputs; k += shape.columns, super += super_bytes(shape)) {
        float scale, minimum;
        for (size_t i = 0; i < shape.columns; i++) {
            if (i % shape.group == 0) block_group(&shape, super, i / shape.group, lane, &scale, &minimum);
            float code = (float)(block_code(&shape, super, i, lane) - (shape.bytes ? CODE_OFFSET : 0));
            out[k + i] = scale * code + minimum;
        }
    }
}
