// Weights in the blocks of a GGUF file, packed for the kernels without changing a value.
//
// A row of the file is cut into super-blocks of 32 or 256 columns. A packed block of 32 outputs has its super-blocks one
// after another, and in each:
//
//   factors    32 halves; where there is a factor of minimums, 32 more
//   units      as many columns as have a cache line of scales, 32 or 64; all columns where there are no scales. In each,
//              group by group:
//     upper    1 or 2 more bits of each code, 32 or 16 columns in 128 bytes, before the first group of these columns
//     codes    the lower 2, 4 or 8 bits: [steps][32][4] bytes. A step covers 16, 8 or 4 columns; byte i of an output has
//              columns i, i + 4, … from its lowest bits up, as in the upper bits
//     scales   behind the first group: of each group 32 bytes; where minimums are stored apart, 32 more
//
// So a product reads its weights in one direction, line by line, which the processor fetches ahead of by itself.
//
// A product spreads some columns to bytes with float scales and minimums (see quantized.h) and multiplies those, for few
// rows through the first-level cache. What a code stands for is scale * code + minimum. Signed codes of 8 bits, and those
// that a table gives, are stored or spread plus CODE_OFFSET as int8 weights are; they have no minimums.
#ifndef SRT_BLOCKS_H
#define SRT_BLOCKS_H

#include "table.h"

/// Bytes of a cache line.
#define LINE_BYTES 64

/// What scales are made of.
typedef enum {
    SCALES_FACTOR,   ///< the factor, a float16
    SCALES_POWER,    ///< the factor, a power of two in bfloat16
    SCALES_BYTES,    ///< the factor times an unsigned byte
    SCALES_SIGNED,   ///< the factor times a signed byte
    SCALES_NIBBLES,  ///< the factor times the lower nibble of a byte whose upper one scales the factor of minimums
} block_scales;

/// How one kind of blocks is packed.
typedef struct {
    /// Of a super-block, and of a group in it.
    size_t columns, group;
    /// Bits of a code in the lower and in the upper plane.
    size_t low, high;
    block_scales scales;
    /// There are minimums.
    bool minimums;
    /// What code 0 is below zero, times the scale; codes with minimums or plus CODE_OFFSET have none.
    int offset;
    /// Codes are spread plus CODE_OFFSET.
    bool bytes;
    /// What nibbles stand for, or null.
    const int8_t *table;
} block_shape;

/// The nibbles of IQ4_NL and IQ4_XS, and those of MXFP4 (E2M1) doubled.
extern const int8_t curve_nibbles[16], float_nibbles[16];

/// The shape of a kind, a constant where the kind is one.
static inline __attribute__((always_inline)) block_shape shape_of(const kernels_blocks kind) {
    switch (kind) {
    case KERNELS_Q2_K:
        return (block_shape){256, 16, 2, 0, SCALES_NIBBLES, true, 0, false, 0};
    case KERNELS_Q3_K:
        return (block_shape){256, 16, 2, 1, SCALES_SIGNED, false, 4, false, 0};
    case KERNELS_Q4_K:
        return (block_shape){256, 32, 4, 0, SCALES_BYTES, true, 0, false, 0};
    case KERNELS_Q5_K:
        return (block_shape){256, 32, 4, 1, SCALES_BYTES, true, 0, false, 0};
    case KERNELS_Q6_K:
        return (block_shape){256, 16, 4, 2, SCALES_SIGNED, false, 32, false, 0};
    case KERNELS_Q4_0:
        return (block_shape){32, 32, 4, 0, SCALES_FACTOR, false, 8, false, 0};
    case KERNELS_Q4_1:
        return (block_shape){32, 32, 4, 0, SCALES_FACTOR, true, 0, false, 0};
    case KERNELS_Q5_0:
        return (block_shape){32, 32, 4, 1, SCALES_FACTOR, false, 16, false, 0};
    case KERNELS_Q5_1:
        return (block_shape){32, 32, 4, 1, SCALES_FACTOR, true, 0, false, 0};
    case KERNELS_IQ4_NL:
        return (block_shape){32, 32, 4, 0, SCALES_FACTOR, false, 0, true, curve_nibbles};
    case KERNELS_IQ4_XS:
        return (block_shape){256, 32, 4, 0, SCALES_SIGNED, false, 0, true, curve_nibbles};
    case KERNELS_MXFP4:
        return (block_shape){32, 32, 4, 0, SCALES_POWER, false, 0, true, float_nibbles};
    default:
        return (block_shape){32, 32, 8, 0, SCALES_FACTOR, false, 0, true, 0};
    }
}

/// Bytes of the factors of a super-block.
static inline size_t factor_bytes(const block_shape s) { return s.minimums ? 4 * BLOCK : 2 * BLOCK; }
/// Bytes of the scales of one group of a super-block.
static inline size_t scale_bytes(const block_shape s) {
    if (s.scales == SCALES_FACTOR || s.scales == SCALES_POWER) return 0;
    return s.minimums && s.scales == SCALES_BYTES ? 2 * BLOCK : BLOCK;
}
/// Groups and columns of a unit.
static inline size_t unit_groups(const block_shape s) {
    return scale_bytes(s) ? LINE_BYTES / scale_bytes(s) : s.columns / s.group;
}
static inline size_t unit_columns(const block_shape s) { return unit_groups(s) * s.group; }
/// Columns whose upper bits lie together.
static inline size_t high_columns(const block_shape s) { return s.high ? BLOCK / s.high : unit_columns(s); }
/// Bytes of the lower bits of a group, and of upper bits that lie together.
static inline size_t low_bytes(const block_shape s) { return s.group * s.low * (BLOCK / 8); }
static inline size_t high_bytes(const block_shape s) { return s.high ? BLOCK * 4 : 0; }
/// Where the lower and the upper bits of a group begin in a unit, and its scales; and the bytes of a unit.
static inline size_t low_at(const block_shape s, size_t group) {
    return group * low_bytes(s) + (group * s.group / high_columns(s) + 1) * high_bytes(s) +
           (group > 0 && scale_bytes(s) ? LINE_BYTES : 0);
}
static inline size_t high_at(const block_shape s, size_t group) {
    return low_at(s, group * s.group / high_columns(s) * high_columns(s) / s.group) - high_bytes(s);
}
static inline size_t scales_at(const block_shape s, size_t group) {
    return low_at(s, 0) + low_bytes(s) + group * scale_bytes(s);
}
static inline size_t unit_bytes(const block_shape s) {
    size_t last = unit_groups(s) - 1;
    return low_at(s, last) + low_bytes(s) + (last == 0 && scale_bytes(s) ? LINE_BYTES : 0);
}
/// Bytes of a super-block, and where the unit of a column begins in it.
static inline size_t super_bytes(const block_shape s) {
    return factor_bytes(s) + s.columns / unit_columns(s) * unit_bytes(s);
}
static inline size_t unit_at(const block_shape s, size_t k) {
    return factor_bytes(s) + k / unit_columns(s) * unit_bytes(s);
}

/// The code of column k of a packed super-block for one output, as it is spread.
uint8_t block_code(const block_shape *s, const char *super, size_t k, size_t lane);
/// Scale and minimum of a group of a packed super-block for one output.
void block_group(const block_shape *s, const char *super, size_t group, size_t lane, float *scale, float *minimum);

#endif
