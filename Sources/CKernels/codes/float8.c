// Weights of 8 bits in floating point become plain numbers for a product, see float8.h.
#include "float8.h"

/// Codes that are expanded at a time: as floats they stay in the first-level cache.
#define PIECE 1024
/// How far ahead of their use codes are fetched.
#define CODES_AHEAD 2048

/// Expands codes of one group.
static void expand_group(
    const kernel_table *t, kernels_dtype dtype, const uint8_t *codes, size_t n, const float *lanes, char *out) {
    float numbers[PIECE];
    for (size_t done = 0; done < n; done += PIECE) {
        size_t count = min_size(PIECE, n - done);
        for (size_t i = 0; i < count; i += 64) __builtin_prefetch(codes + done + i + CODES_AHEAD);
        char *target = out + done * dtype_size(dtype);
        t->float8_numbers(codes + done, count, lanes, dtype == KERNELS_F32 ? (float *)target : numbers);
        if (dtype != KERNELS_F32) t->from_float[dtype](numbers, count, target);
    }
}

void expand_float8(
    const kernel_table *t, const kernels_matrix *w, size_t block, size_t k, size_t columns, char *out) {
    const float *scales = (const float *)((const char *)w->data + block * block_bytes(w));
    const uint8_t *codes = (const uint8_t *)(scales + float8_groups(w) * BLOCK);
    size_t end = k + columns, group = w->group ? w->group : max_size(end, 1);
    while (k < end) {
        size_t last = min_size(end, (k / group + 1) * group), n = (last - k) * BLOCK;
        const float *own = scales + k / group * BLOCK;
        float lanes[FLOAT8_STEP];
        for (size_t i = 0; i < FLOAT8_STEP; i++) lanes[i] = own[w->dtype == KERNELS_BF16 ? i / 2 : i % BLOCK];
        expand_group(t, w->dtype, codes + k * BLOCK, n, lanes, out);
        out += n * dtype_size(w->dtype);
        k = last;
    }
}
