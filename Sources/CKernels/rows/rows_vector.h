// Norm, rotation and activation of single rows, for any vector level; include after vector_exp.h.
#include <math.h>

static void rms_norm(const float *x, const float *w, size_t n, float epsilon, float *out) {
    vf a = vf_zero(), b = vf_zero();
    size_t i = 0;
    for (; i + 2 * VW <= n; i += 2 * VW) {
        vf u = vf_load(x + i), v = vf_load(x + i + VW);
        a = vf_fma(u, u, a);
        b = vf_fma(v, v, b);
    }
    for (; i < n; i += VW) {
        vf u = vf_load_n(x + i, min_size(VW, n - i));
        a = vf_fma(u, u, a);
    }
    vf s = vf_set1(1 / sqrtf(vf_sum(vf_add(a, b)) / (float)n + epsilon));
    for (i = 0; i + VW <= n; i += VW) vf_store(out + i, vf_mul(vf_mul(vf_load(x + i), s), vf_load(w + i)));
    if (i < n) vf_store_n(out + i, vf_mul(vf_mul(vf_load_n(x + i, n - i), s), vf_load_n(w + i, n - i)), n - i);
}

static void layer_norm(
    const float *x, const float *w, const float *bias, size_t n, float epsilon, float *out) {
    size_t whole = n / VW * VW, rest = n - whole;
    vf a = vf_zero(), b = vf_zero();
    size_t i = 0;
    for (; i + 2 * VW <= n; i += 2 * VW) {
        a = vf_add(a, vf_load(x + i));
        b = vf_add(b, vf_load(x + i + VW));
    }
    for (; i < n; i += VW) a = vf_add(a, vf_load_n(x + i, min_size(VW, n - i)));
    vf mean = vf_set1(vf_sum(vf_add(a, b)) / (float)n);
    a = vf_zero(), b = vf_zero();
    for (i = 0; i + 2 * VW <= n; i += 2 * VW) {
        vf u = vf_sub(vf_load(x + i), mean), v = vf_sub(vf_load(x + i + VW), mean);
        a = vf_fma(u, u, a);
        b = vf_fma(v, v, b);
    }
    for (; i + VW <= n; i += VW) {
        vf u = vf_sub(vf_load(x + i), mean);
        a = vf_fma(u, u, a);
    }
    if (rest > 0) {
        vf u = vf_select_n(vf_sub(vf_load_n(x + whole, rest), mean), vf_zero(), rest);
        a = vf_fma(u, u, a);
    }
    vf s = vf_set1(1 / sqrtf(vf_sum(vf_add(a, b)) / (float)n + epsilon));
    for (i = 0; i < whole; i += VW) {
        vf y = vf_mul(vf_mul(vf_sub(vf_load(x + i), mean), s), vf_load(w + i));
        vf_store(out + i, bias ? vf_add(y, vf_load(bias + i)) : y);
    }
    if (rest > 0) {
        vf y = vf_mul(vf_mul(vf_sub(vf_load_n(x + i, rest), mean), s), vf_load_n(w + i, rest));
        vf_store_n(out + i, bias ? vf_add(y, vf_load_n(bias + i, rest)) : y, rest);
    }
}

static void rotate(float *x, const float *cosines, const float *sines, size_t rotary_dim) {
    size_t half = rotary_dim / 2;
    for (size_t i = 0; i < half; i += VW) {
        size_t n = min_size(VW, half - i);
        vf a = vf_load_n(x + i, n), b = vf_load_n(x + half + i, n);
        vf c = vf_load_n(cosines + i, n), s = vf_load_n(sines + i, n);
        vf_store_n(x + i, vf_fnma(b, s, vf_mul(a, c)), n);
        vf_store_n(x + half + i, vf_fma(a, s, vf_mul(b, c)), n);
    }
}

static inline vf vf_silu(vf x) { return vf_div(x, vf_add(vf_set1(1), vf_exp(vf_sub(vf_zero(), x)))); }

/// x Φ(x), with erf by formula 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), which is
/// within 1.5e-7: erfc(y) ≈ t (a1 + t (a2 + …)) e^(-y²), t = 1 / (1 + p y), for y >= 0.
static inline vf vf_gelu(vf x) {
    vf flipped = vf_sub(vf_zero(), x), magnitude = vf_max(x, flipped);
    vf y = vf_mul(magnitude, vf_set1((float)M_SQRT1_2));
    vf t = vf_div(vf_set1(1), vf_fma(y, vf_set1(0.3275911f), vf_set1(1)));
    vf p = vf_fma(t, vf_set1(1.061405429f), vf_set1(-1.453152027f));
    p = vf_fma(p, t, vf_set1(1.421413741f));
    p = vf_fma(p, t, vf_set1(-0.284496736f));
    p = vf_fma(p, t, vf_set1(0.254829592f));
    vf half = vf_mul(vf_set1(0.5f), vf_mul(vf_mul(p, t), vf_exp(vf_sub(vf_zero(), vf_mul(y, y)))));
    // x Φ(x) = max(x, 0) - |x| (1 - Φ(|x|)), whose last factor is 0 long before 64; NaN, the second operand, passes.
    return vf_fnma(vf_min(vf_set1(64), magnitude), half, vf_max(vf_zero(), x));
}

/// x / 2 · (1 + tanh y) = x / (1 + e^(-2y)).
static inline vf vf_gelu_tanh(vf x) {
    vf cube = vf_mul(vf_mul(x, x), x);
    vf y = vf_mul(vf_set1(-2 * GELU_TANH_SCALE), vf_fma(cube, vf_set1(0.044715f), x));
    return vf_div(x, vf_add(vf_set1(1), vf_exp(y)));
}

static inline vf vf_relu(vf x) { return vf_max(vf_zero(), x); }

/// The two forms of a function: over single numbers, and over gates and ups.
#define ACTIVATION(f)                                                                                                  \
    static void f##_rows(const float *c, const float *bias, size_t n, float *out) {                                    \
        size_t i = 0;                                                                                                  \
        for (; i + VW <= n; i += VW) {                                                                                 \
            vf x = vf_load(c + i);                                                                                     \
            vf_store(out + i, vf_##f(bias ? vf_add(x, vf_load(bias + i)) : x));                                        \
        }                                                                                                              \
        if (i == n) return;                                                                                            \
        vf x = vf_load_n(c + i, n - i);                                                                                \
        vf_store_n(out + i, vf_##f(bias ? vf_add(x, vf_load_n(bias + i, n - i)) : x), n - i);                          \
    }                                                                                                                  \
    static void f##_gate(const float *c, size_t blocks, float *out) {                                                  \
        for (size_t b = 0; b < blocks; b++)                                                                            \
            for (size_t j = 0; j < 16; j += VW) {                                                                      \
                vf gate = vf_load(c + b * BLOCK + j), up = vf_load(c + b * BLOCK + 16 + j);                            \
                vf_store(out + b * 16 + j, vf_mul(vf_##f(gate), up));                                                  \
            }                                                                                                          \
    }
ACTIVATION(silu)
ACTIVATION(gelu)
ACTIVATION(gelu_tanh)
ACTIVATION(relu)

static void clamped_swiglu_gate(const float *c, size_t blocks, float *out) {
    vf limit = vf_set1(SWIGLU_LIMIT), one = vf_set1(1);
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < 16; j += VW) {
            // A NaN is the second operand and passes.
            vf gate = vf_min(limit, vf_load(c + b * BLOCK + j));
            vf up = vf_max(vf_set1(-SWIGLU_LIMIT), vf_min(limit, vf_load(c + b * BLOCK + 16 + j)));
            vf turned = vf_div(gate, vf_add(one, vf_exp(vf_mul(gate, vf_set1(-SWIGLU_SLOPE)))));
            vf_store(out + b * 16 + j, vf_mul(vf_add(up, one), turned));
        }
}

static void soft_cap(float *x, size_t n, float cap) {
    vf limit = vf_set1(cap), factor = vf_set1(1 / cap);
    for (size_t i = 0; i < n; i += VW) {
        size_t here = min_size(VW, n - i);
        vf_store_n(x + i, vf_mul(limit, vf_tanh(vf_mul(vf_load_n(x + i, here), factor))), here);
    }
}

static void fill_rows(kernel_table *t) {
    t->rms_norm = rms_norm;
    t->layer_norm = layer_norm;
    t->rotate = rotate;
    t->soft_cap = soft_cap;
    t->activate[KERNELS_SILU] = silu_rows;
    t->activate[KERNELS_GELU] = gelu_rows;
    t->activate[KERNELS_GELU_TANH] = gelu_tanh_rows;
    t->activate[KERNELS_RELU] = relu_rows;
    t->gate[KERNELS_SILU] = silu_gate;
    t->gate[KERNELS_GELU] = gelu_gate;
    t->gate[KERNELS_GELU_TANH] = gelu_tanh_gate;
    t->gate[KERNELS_RELU] = relu_gate;
    t->gate[KERNELS_CLAMPED_SWIGLU] = clamped_swiglu_gate;
}
