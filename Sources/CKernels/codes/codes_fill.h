// The table of quantized products of one level; include after its functions and after defining TILE_ROWS, GROUP_ROWS,
// FEW_ROWS, WIDE_ROWS and START_FACTOR.

static void fill_codes(code_kernels *t) {
    *t = (code_kernels){.max_rows = TILE_ROWS,
        .group_rows = GROUP_ROWS,
        .few_rows = FEW_ROWS,
        .wide_rows = WIDE_ROWS,
        .start_factor = START_FACTOR,
        .int8_tile = int8_tile,
        .int4_tile = int4_tile,
        .spread_tile = spread_tile,
        .spread_bytes_tile = spread_bytes_tile,
        .spread = spread,
        .spread_blocks = spread_blocks,
        .blocks_tile = blocks_tile,
        .direct_rows = DIRECT_ROWS,
        .quantize = quantize,
        .quantize_groups = quantize_groups,
        .sum = sum_codes,
        .interleave = interleave,
        .settle_int8 = settle_int8,
        .settle_floats = settle_floats,
        .dot_peak = byte_dot_peak};
}
