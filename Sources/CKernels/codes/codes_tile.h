// The bodies of tiles of quantized products; `rows` and `blocks` are constants at every call, so the loops over them
// vanish and the sums live in registers.

enum { VECTORS = BLOCK / VW, VECTOR_BYTES = VW * 4, STEP_BYTES = BLOCK * 4 };

/// Asks for the next step of every block, in the first-level cache or in the `second`, if the tile asks for anything.
static inline __attribute__((always_inline)) void prefetch_step(
    const size_t blocks, const code_tile *t, const char *at, const bool second) {
    if (t->prefetch_step == 0) return;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < blocks; i++)
#pragma clang loop unroll(full)
        for (size_t j = 0; j < STEP_BYTES; j += 64) {
            const char *line = at + i * t->b_stride + j;
            if (second)
                _mm_prefetch(line, _MM_HINT_T1);
            else
                _mm_prefetch(line, _MM_HINT_T0);
        }
}

static inline __attribute__((always_inline)) void int8_body(
    const size_t rows, const size_t blocks, const code_tile *t) {
    const int8_t *a = t->a;
    const char *b = t->b, *prefetch = t->prefetch;
    const size_t stride = t->b_stride, ldc = t->ldc, steps = t->columns / 4, ahead = t->prefetch_step;
    int32_t *c = t->c;
    vi sum[TILE_ROWS][WIDE * VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++)
            sum[r][i] = t->load ? vi_load(c + r * ldc + i * VW) : vi_set1(t->starts[r]);
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < steps; step++) {
        prefetch_step(blocks, t, prefetch, false);
        vi w[WIDE * VECTORS];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++)
            w[i] = vi_load(b + i / VECTORS * stride + i % VECTORS * VECTOR_BYTES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            vi x = vi_broadcast(a + 4 * r);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < blocks * VECTORS; i++) sum[r][i] = dot_bytes(sum[r][i], w[i], x);
        }
        a += 4 * rows;
        b += STEP_BYTES;
        prefetch += ahead;
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) vi_store(c + r * ldc + i * VW, sum[r][i]);
}

/// Adds finished group number `group` of the tile to the float sums; `scales` and `minimums` are its weights', null for
/// those that have none.
static inline __attribute__((always_inline)) void add_group(const size_t rows, const size_t blocks, const code_tile *t,
    vi sum[TILE_ROWS][WIDE * VECTORS], const vf *scales, const vf *minimums, size_t group, bool load) {
    const float *row_scales = t->group_scales + group * rows, *row_sums = t->group_sums + group * rows;
    float *c = t->c;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
        vf row_scale = vf_set1(row_scales[r]), row_sum = minimums ? vf_set1(row_sums[r]) : vf_zero();
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) {
            float *at = c + r * t->ldc + i * VW;
            vf total = load ? vf_load(at) : vf_zero();
            total = vf_fma(vi_to_float(sum[r][i]), vf_mul(scales[i], row_scale), total);
            vf_store(at, minimums ? vf_fma(row_sum, minimums[i], total) : total);
        }
    }
}

static inline __attribute__((always_inline)) void int4_body(
    const size_t rows, const size_t blocks, const code_tile *t) {
    const int8_t *a = t->a;
    const char *b = t->b, *prefetch = t->prefetch;
    const size_t stride = t->b_stride, ahead = t->prefetch_step;
    size_t group = 0;
#pragma clang loop unroll(disable)
    for (size_t k = 0; k < t->columns; k += t->group) {
        const char *scales = b;
        prefetch_step(blocks, t, prefetch, true);
        prefetch += ahead;
        b += SCALE_BYTES;
        vi sum[TILE_ROWS][WIDE * VECTORS];
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (size_t i = 0; i < blocks * VECTORS; i++) sum[r][i] = vi_set1(0);
        size_t steps = min_size(t->group, t->columns - k) / 8;
#pragma clang loop unroll(disable)
        for (size_t step = 0; step < steps; step++) {
            prefetch_step(blocks, t, prefetch, true);
            prefetch += ahead;
#pragma clang loop unroll(full)
            for (size_t half = 0; half < 2; half++) {
                vi w[WIDE * VECTORS];
#pragma clang loop unroll(full)
                for (size_t i = 0; i < blocks * VECTORS; i++) {
                    vi codes = vi_load(b + i / VECTORS * stride + i % VECTORS * VECTOR_BYTES);
                    w[i] = half ? high_nibbles(codes) : low_nibbles(codes);
                }
#pragma clang loop unroll(full)
                for (size_t r = 0; r < rows; r++) {
                    vi x = vi_broadcast(a + 4 * r);
#pragma clang loop unroll(full)
                    for (size_t i = 0; i < blocks * VECTORS; i++) sum[r][i] = dot_codes(sum[r][i], w[i], x);
                }
                a += 4 * rows;
            }
            b += STEP_BYTES;
        }
        vf s[WIDE * VECTORS], m[WIDE * VECTORS];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < blocks * VECTORS; i++) {
            const char *at = scales + i / VECTORS * stride + i % VECTORS * VW * 2;
            s[i] = load_f16(at);
            m[i] = load_f16(at + SCALE_BYTES / 2);
        }
        add_group(rows, blocks, t, sum, s, m, group, t->load || group > 0);
        group++;
    }
}

/// Adds a finished group of a tile of one block to float sums in registers; what add_group does in memory.
static inline __attribute__((always_inline)) void add_held_group(const size_t rows, const code_tile *t,
    vi sum[TILE_ROWS][WIDE * VECTORS], vf total[GROUP_ROWS][VECTORS], const char *scales, const bool bytes,
    size_t group) {
    const float *row_scales = t->group_scales + group * rows, *row_sums = t->group_sums + group * rows;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VECTORS; i++) {
        vf s = load_f32(scales + i * VECTOR_BYTES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++)
            total[r][i] = vf_fma(vi_to_float(sum[r][i]), vf_mul(s, vf_set1(row_scales[r])), total[r][i]);
        if (bytes) continue;
        vf m = load_f32(scales + SPREAD_SCALE_BYTES / 2 + i * VECTOR_BYTES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) total[r][i] = vf_fma(vf_set1(row_sums[r]), m, total[r][i]);
    }
}

/// One block only: codes are spread for many rows. With `bytes` they are plus CODE_OFFSET. Up to GROUP_ROWS rows there are
/// registers for the float sums beside the integers.
static inline __attribute__((always_inline)) void spread_groups(const size_t rows, const bool bytes, const code_tile *t) {
    const int8_t *a = t->a;
    const char *b = t->b, *prefetch = t->prefetch;
    float *c = t->c;
    size_t group = 0;
    vf total[GROUP_ROWS][VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) total[r][i] = t->load ? vf_load(c + r * t->ldc + i * VW) : vf_zero();
#pragma clang loop unroll(disable)
    for (size_t k = 0; k < t->columns; k += t->group) {
        const char *scales = b;
        b += SPREAD_SCALE_BYTES;
        prefetch += SPREAD_SCALE_BYTES;
        vi sum[TILE_ROWS][WIDE * VECTORS];
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (size_t i = 0; i < VECTORS; i++)
                sum[r][i] = vi_set1(bytes ? ((const int32_t *)t->group_sums)[group * rows + r] : 0);
        size_t steps = min_size(t->group, t->columns - k) / 4;
#pragma clang loop unroll(disable)
        for (size_t step = 0; step < steps; step++) {
            prefetch_step(1, t, prefetch, false);
            vi w[VECTORS];
#pragma clang loop unroll(full)
            for (size_t i = 0; i < VECTORS; i++) w[i] = vi_load(b + i * VECTOR_BYTES);
#pragma clang loop unroll(full)
            for (size_t r = 0; r < rows; r++) {
                vi x = vi_broadcast(a + 4 * r);
#pragma clang loop unroll(full)
                for (size_t i = 0; i < VECTORS; i++)
                    sum[r][i] = bytes ? dot_bytes(sum[r][i], w[i], x) : dot_codes(sum[r][i], w[i], x);
            }
            a += 4 * rows;
            b += STEP_BYTES;
            prefetch += STEP_BYTES;
        }
        add_held_group(rows, t, sum, total, scales, bytes, group);
        group++;
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (size_t i = 0; i < VECTORS; i++) vf_store(c + r * t->ldc + i * VW, total[r][i]);
}

static inline __attribute__((always_inline)) void spread_body(
    const size_t rows, const size_t blocks, const code_tile *t) {
    spread_groups(rows, false, t);
}

static inline __attribute__((always_inline)) void spread_bytes_body(
    const size_t rows, const size_t blocks, const code_tile *t) {
    spread_groups(rows, true, t);
}
