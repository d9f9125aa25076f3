// The body of a tile of sums; a template, included once for each form of activations and weights.
//
// Before inclusion define
//   TILE_NAME            of the function
//   TILE_ACTIVATION      element type of the panel
//   TILE_AT(r, k, rows)  index of row r, element k of the panel
//   TILE_SUBSTEPS        panel elements per step
//   TILE_STEP_BYTES      bytes of one block of weights per step
//   TILE_WEIGHTS(p, j, s) vector j of substep s of the step at p
//   TILE_BROADCAST(p)    one panel element in all lanes
//   TILE_DOT(acc, a, b)  acc + a * b
// `rows` and `blocks` are constants at every call, so the loops over them vanish and the sums live in registers.

static inline __attribute__((always_inline)) void TILE_NAME(
    const size_t rows, const size_t blocks, const gemm_tile *t) {
    enum { VECTORS = BLOCK / VW };
    const TILE_ACTIVATION *a = t->a;
    const char *b = t->b, *prefetch = t->prefetch ? t->prefetch : t->b;
    const size_t stride = t->b_stride, ldc = t->ldc, steps = t->steps;
    const size_t prefetch_step = t->prefetch ? TILE_STEP_BYTES : 0;
    float *c = t->c;
    vf acc[16][4 * VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) acc[r][i] = t->load ? vf_load(c + r * ldc + i * VW) : vf_zero();
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < steps; step++) {
#pragma clang loop unroll(full)
        for (size_t block = 0; block < blocks; block++) {
            const char *weights = b + block * stride;
#pragma clang loop unroll(full)
            for (size_t line = 0; line < TILE_STEP_BYTES; line += 64)
                _mm_prefetch(prefetch + block * stride + line, _MM_HINT_T1);
#pragma clang loop unroll(full)
            for (size_t s = 0; s < TILE_SUBSTEPS; s++)
#pragma clang loop unroll(full)
                for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
                    for (size_t j = 0; j < VECTORS; j++)
                        acc[r][block * VECTORS + j] = TILE_DOT(acc[r][block * VECTORS + j],
                            TILE_BROADCAST(a + TILE_AT(r, step * TILE_SUBSTEPS + s, rows)),
                            TILE_WEIGHTS(weights, j, s));
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
