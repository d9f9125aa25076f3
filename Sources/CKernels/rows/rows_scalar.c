// Norm, rotation and activation of single rows.
#include <math.h>

#include "table.h"

static void rms_norm(const float *x, const float *w, size_t n, float epsilon, float *out) {
    float squares = 0;
    for (size_t i = 0; i < n; i++) squares += x[i] * x[i];
    float s = 1 / sqrtf(squares / (float)n + epsilon);
    for (size_t i = 0; i < n; i++) out[i] = x[i] * s * w[i];
}

static void layer_norm(
    const float *x, const float *w, const float *bias, size_t n, float epsilon, float *out) {
    float sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    float mean = sum / (float)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    float s = 1 / sqrtf(squares / (float)n + epsilon);
    for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * s * w[i] + (bias ? bias[i] : 0);
}

static void rotate(float *x, const float *cosines, const float *sines, size_t rotary_dim) {
    size_t half = rotary_dim / 2;
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = x[half + i];
        x[i] = a * cosines[i] - b * sines[i];
        x[half + i] = b * cosines[i] + a * sines[i];
    }
}

static float silu(float x) { return x / (1 + expf(-x)); }
static float gelu(float x) { return 0.5f * x * (1 + erff(x * (float)M_SQRT1_2)); }
static float gelu_tanh(float x) {
    float y = GELU_TANH_SCALE * (x + 0.044715f * x * x * x);
    return 0.5f * x * (1 + tanhf(y));
}
static float relu(float x) { return x > 0 || isnan(x) ? x : 0; }

/// The two forms of a function: over single numbers, and over gates and ups.
#define ACTIVATION(f)                                                                                                  \
    static void f##_rows(const float *c, const float *bias, size_t n, float *out) {                                    \
        for (size_t i = 0; i < n; i++) out[i] = f(bias ? c[i] + bias[i] : c[i]);                                       \
    }                                                                                                                  \
    static void f##_gate(const float *c, size_t blocks, float *out) {                                                  \
        for (size_t b = 0; b < blocks; b++)                                                                            \
            for (size_t j = 0; j < 16; j++) out[b * 16 + j] = f(c[b * BLOCK + j]) * c[b * BLOCK + 16 + j];             \
    }
ACTIVATION(silu)
ACTIVATION(gelu)
ACTIVATION(gelu_tanh)
ACTIVATION(relu)

static float at_most(float limit, float x) { return x > limit ? limit : x; }

static void clamped_swiglu_gate(const float *c, size_t blocks, float *out) {
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < 16; j++) {
            float gate = at_most(SWIGLU_LIMIT, c[b * BLOCK + j]), up = at_most(SWIGLU_LIMIT, c[b * BLOCK + 16 + j]);
            if (up < -SWIGLU_LIMIT) up = -SWIGLU_LIMIT;
            out[b * 16 + j] = (up + 1) * (gate / (1 + expf(-SWIGLU_SLOPE * gate)));
        }
}

static void soft_cap(float *x, size_t n, float cap) {
    for (size_t i = 0; i < n; i++) x[i] = cap * tanhf(x[i] / cap);
}

void fill_rows_scalar(kernel_table *t) {
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
