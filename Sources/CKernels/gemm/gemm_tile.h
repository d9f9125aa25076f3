// The body of a tile of sums; a template, included once for each form of activations and weights.
//
// Before inclusion define
//   TILE_NAME            of the function
//   TILE_ACTIVATION      element type of the panel
//   TILE_AT(r, k, rows)  index of row r, element k of the panel; a_stride is the tile's
//   TILE_SUBSTEPS        panel elements per step
//   TILE_STEP_BYTES      bytes of one block of weights per step
//   TILE_WEIGHTS(p, j, s) vector j of substep s of the step at p
//   TILE_BROADCAST(p)    one panel element in all lanes
//   TILE_DOT(acc, a, b)  acc + a * b
//   TILE_PREFETCHES      1 if the tile prefetches, else 0
//   TILE_EXPANDS         1 if the tile leaves the weights behind as f32, else 0
// `rows` and `blocks` are constants at every call, so the loops over them vanish and the sums live in registers.

static inline __attribute__((always_inline)) void TILE_NAME(
    const size_t rows, const size_t blocks, const gemm_tile *t) {
    enum { VECTORS = BLOCK / VW };
    const TILE_ACTIVATION *a = t->a;
    const char *b = t->b, *prefetch = t->prefetch;
    const size_t a_stride __attribute__((unused)) = t->a_stride;
    const size_t stride = t->b_stride, ldc = t->ldc, steps = t->steps;
    const size_t prefetch_step = t->prefetch_step, prefetch_stride = t->prefetch_stride;
    float *c = t->c, *expanded = t->expanded;
    vf acc[16][2 * VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) acc[r][i] = t->load ? vf_load(c + r * ldc + i * VW) : vf_zero();
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < steps; step++) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < TILE_PREFETCHES * blocks * TILE_STEP_BYTES; i += 64)
            _mm_prefetch(prefetch + i / TILE_STEP_BYTES * prefetch_stride + i % TILE_STEP_BYTES, _MM_HINT_T0);
#pragma clang loop unroll(full)
        for (size_t s = 0; s < TILE_SUBSTEPS; s++) {
            // Weights are loaded again for each substep: kept, they would leave too few registers for the sums.
            if (s > 0) __asm__ volatile("" : : : "memory");
            __typeof__(TILE_WEIGHTS(b, 0, 0)) w[2 * VECTORS];
#pragma clang loop unroll(full)
            for (size_t i = 0; i < blocks * VECTORS; i++) {
                w[i] = TILE_WEIGHTS(b + i / VECTORS * stride, i % VECTORS, s);
                if (TILE_EXPANDS) vf_store(expanded + i / VECTORS * t->expanded_stride + i % VECTORS * VW, (vf)w[i]);
            }
            expanded += BLOCK;
#pragma clang loop unroll(full)
            for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
                for (size_t i = 0; i < blocks * VECTORS; i++)
                    acc[r][i] =
                        TILE_DOT(acc[r][i], TILE_BROADCAST(a + TILE_AT(r, step * TILE_SUBSTEPS + s, rows)), w[i]);
        }
        b += TILE_STEP_BYTES;
        prefetch += prefetch_step;
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) vf_store(c + r * ldc + i * VW, acc[r][i]);
}

#undef TILE_NAME
#undef TILE_ACTIVATION
#undef TILE_AT
#undef TILE_SUBSTEPS
#undef TILE_STEP_BYTES
#undef TILE_WEIGHTS
#undef TILE_BROADCAST
#undef TILE_DOT
#undef TILE_PREFETCHES
#undef TILE_EXPANDS
