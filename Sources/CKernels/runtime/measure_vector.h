// Reading and multiply-add at full speed, for any vector level.

/// Several places are read at once, as the products do; one stream alone starves at page boundaries.
static uint64_t read_memory(const void *p, size_t bytes) {
    enum { STREAMS = 4 };
    const char *at = p;
    size_t part = bytes / STREAMS / 256 * 256;
    vf sum[STREAMS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0; i < part; i += 128)
        for (size_t s = 0; s < STREAMS; s++)
            for (size_t j = 0; j < 128; j += VW * 4) sum[s] = vf_max(sum[s], load_f32(at + s * part + i + j));
    return (uint64_t)vf_sum(vf_max(vf_max(sum[0], sum[1]), vf_max(sum[2], sum[3])));
}

static double fma_peak(size_t iterations) {
    vf sum[SUMS], a = vf_set1(1), b = vf_set1(0.5f);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < SUMS; j++) sum[j] = vf_set1((float)j);
    for (size_t i = 0; i < iterations; i++) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < SUMS; j++) {
            sum[j] = vf_fma(a, b, sum[j]);
            __asm__ volatile("" : "+" VECTOR_REGISTER(sum[j]));
        }
    }
    return (double)iterations * SUMS * VW * 2;
}
