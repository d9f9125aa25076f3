// Conversions of single 16-bit floats in portable C, the definition every level agrees with bit for bit.
#ifndef SRT_HALF_H
#define SRT_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

static inline float bits_float(uint32_t u) {
    float x;
    memcpy(&x, &u, 4);
    return x;
}

static inline float bf16_to_float(uint16_t h) { return bits_float((uint32_t)h << 16); }

/// Nearest even; NaN keeps sign and upper payload and becomes quiet.
static inline uint16_t bf16_from_float(float x) {
    uint32_t u = float_bits(x);
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static inline float f16_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    if (rest > 0x7c00) return bits_float(sign | 0x7fc00000 | rest << 13);
    if (rest == 0x7c00) return bits_float(sign | 0x7f800000);
    if (rest >= 0x400) return bits_float(sign | ((rest << 13) + (112u << 23)));
    float subnormal = (float)rest * 0x1p-24f;
    return bits_float(sign | float_bits(subnormal));
}

/// Nearest even; overflow gives infinity, NaN becomes quiet.
static inline uint16_t f16_from_float(float x) {
    uint32_t u = float_bits(x), sign = u >> 16 & 0x8000, rest = u & 0x7fffffff;
    if (rest > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (rest >> 13 & 0x3ff));
    if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (rest >= 0x38800000) {
        uint32_t rounded = rest + 0xfff + (rest >> 13 & 1);
        return (uint16_t)(sign | (rounded - (112u << 23)) >> 13);
    }
    // Adding 0.5 leaves the subnormal's 2^-24 steps in the last bits, rounded by the addition itself.
    float shifted = bits_float(rest) + 0.5f;
    return (uint16_t)(sign | (float_bits(shifted) - 0x3f000000));
}

#endif
