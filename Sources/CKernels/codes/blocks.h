// Weights in the blocks of a GGUF file, packed for the kernels without changing a value.
//
// A row of the file is cut into super-blocks of 32 or 256 columns. A packed block of 32 outputs has its super-blocks one
// after another, and in each, plane by plane:
//
//   factors    32 halves; where there is a factor of minimums, 32 more
//   scales     for each group of columns 32 bytes; where minimums are stored apart, 32 more
//   codes      the lower 2, 4 or 8 bits: [steps][32][4] bytes. A step covers 16, 8 or 4 columns; byte i of an output has
//              columns i, i + 4, … from its lowest bits up
//   upper      1 or 2 more bits of each code in the same order, 32 or 16 columns a step
//
// A product spreads some columns to bytes with float scales and minimums (see quantized.h) and multiplies those, for few
// rows through the first-level cache. What a code stands for is scale * code + minimum. Signed codes of 8 bits, and those
// that a table gives, are stored or spread plus CODE_OFFSET as int8 weights are; they have no minimums.
#ifndef SRT_BLOCKS_H
#define SRT_BLOCKS_H

#include "table.h"

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
/// Where the lower plane of a super-block begins, where the upper one does, and where the super-block ends.
static inline size_t low_plane(const block_shape s) { return factor_bytes(s) + s.columns / s.group * scale_bytes(s); }
static inline size_t high_plane(const block_shape s) { return low_plane(s) + s.columns * s.low * (BLOCK / 8); }
static inline size_t super_bytes(const block_shape s) { return high_plane(s) + s.columns * s.high * (BLOCK / 8); }

/// The code of column k of a packed super-block for one output, as it is spread.
uint8_t block_code(const block_shape *s, const char *super, size_t k, size_t lane);
/// Scale and minimum of a group of a packed super-block for one output.
void block_group(const block_shape *s, const char *super, size_t group, size_t lane, float *scale, float *minimum);

#endif
