// The attention part of the table of one level; include after its functions. Cache types differ only in how an element
// is read, so each gets the level's two loaders with its type as a constant, which the compiler folds into them.

static void f32_keys(const void *keys, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_keys(keys, slots, count, ahead, dim, panel, KERNELS_CACHE_F32);
}
static void f16_keys(const void *keys, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_keys(keys, slots, count, ahead, dim, panel, KERNELS_CACHE_F16);
}
static void bf16_keys(const void *keys, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_keys(keys, slots, count, ahead, dim, panel, KERNELS_CACHE_BF16);
}
static void i8_keys(const void *keys, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_keys(keys, slots, count, ahead, dim, panel, KERNELS_CACHE_I8);
}

static void f32_values(const void *values, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_values(values, slots, count, ahead, dim, panel, KERNELS_CACHE_F32);
}
static void f16_values(const void *values, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_values(values, slots, count, ahead, dim, panel, KERNELS_CACHE_F16);
}
static void bf16_values(
    const void *values, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_values(values, slots, count, ahead, dim, panel, KERNELS_CACHE_BF16);
}
static void i8_values(const void *values, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {
    load_values(values, slots, count, ahead, dim, panel, KERNELS_CACHE_I8);
}

static void fill_attention(kernel_table *t) {
    t->load_keys[KERNELS_CACHE_F32] = f32_keys;
    t->load_keys[KERNELS_CACHE_F16] = f16_keys;
    t->load_keys[KERNELS_CACHE_BF16] = bf16_keys;
    t->load_keys[KERNELS_CACHE_I8] = i8_keys;
    t->load_values[KERNELS_CACHE_F32] = f32_values;
    t->load_values[KERNELS_CACHE_F16] = f16_values;
    t->load_values[KERNELS_CACHE_BF16] = bf16_values;
    t->load_values[KERNELS_CACHE_I8] = i8_values;
    t->block_softmax = block_softmax;
    t->quantize = quantize;
    t->blend = blend;
}
