#include <math.h>

#include "table.h"

/// Elements summed in f32 before they join the f64 sum.
#define CHUNK 256

static bool argmax(const float *x, size_t n, float *max, size_t *index) {
    float best = -INFINITY;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return false;
        if (x[i] > best) {
            best = x[i];
            at = i;
        }
    }
    *max = best;
    *index = at;
    return true;
}

static double sum_exp(const float *x, size_t n, float max, float scale) {
    double sum = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        float part = 0;
        for (size_t j = i; j < min_size(n, i + CHUNK); j++) part += expf((x[j] - max) * scale);
        sum += part;
    }
    return sum;
}

static void exp_scale(const float *x, size_t n, float max, float factor, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = expf(x[i] - max) * factor;
}

static void scale(const float *x, size_t n, float factor, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = x[i] * factor;
}

static size_t find_greater(const float *x, size_t start, size_t n, float threshold) {
    while (start < n && !(x[start] > threshold)) start++;
    return start;
}

void fill_sample_scalar(kernel_table *t) {
    t->argmax = argmax;
    t->sum_exp = sum_exp;
    t->exp_scale = exp_scale;
    t->scale = scale;
    t->find_greater = find_greater;
}
