// The attention part of the table of one level; include after its functions.

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
