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

static void silu_mul(const float *c, size_t blocks, float *out) {
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < 16; j++) {
            float gate = c[b * BLOCK + j], up = c[b * BLOCK + 16 + j];
            out[b * 16 + j] = gate / (1 + expf(-gate)) * up;
        }
}

void fill_rows_scalar(kernel_table *t) {
    t->rms_norm = rms_norm;
    t->layer_norm = layer_norm;
    t->rotate = rotate;
    t->silu_mul = silu_mul;
}
