// Passes over rows of logits, for any vector level; include after vector_exp.h.
#include <math.h>

/// Elements summed in f32 before they join the f64 sum.
#define CHUNK 256

static size_t find_greater(const float *x, size_t start, size_t n, float threshold) {
    vf limit = vf_set1(threshold);
    size_t i = start;
    for (; i + VW <= n; i += VW) {
        unsigned mask = vf_greater_mask(vf_load(x + i), limit);
        if (mask) return i + (size_t)__builtin_ctz(mask);
    }
    while (i < n && !(x[i] > threshold)) i++;
    return i;
}

static bool argmax(const float *x, size_t n, float *max, size_t *index) {
    vf top = vf_set1(-INFINITY);
    unsigned nan = 0;
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        vf v = vf_load(x + i);
        nan |= vf_nan_mask(v);
        top = vf_max(v, top);
    }
    if (i < n) {
        vf v = vf_select_n(vf_load_n(x + i, n - i), vf_set1(-INFINITY), n - i);
        nan |= vf_nan_mask(v);
        top = vf_max(v, top);
    }
    if (nan) return false;
    float best = vf_largest(top);
    vf wanted = vf_set1(best);
    *max = best;
    *index = 0;
    for (i = 0; i < n; i += VW) {
        size_t lanes = min_size(VW, n - i);
        unsigned mask = vf_equal_mask(vf_load_n(x + i, lanes), wanted) & ((1u << lanes) - 1);
        if (mask) {
            *index = i + (size_t)__builtin_ctz(mask);
            break;
        }
    }
    return true;
}

static double sum_exp(const float *x, size_t n, float max, float scale) {
    vf top = vf_set1(max), factor = vf_set1(scale);
    double sum = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        vf part = vf_zero();
        size_t end = min_size(n, i + CHUNK), j = i;
        for (; j + VW <= end; j += VW) part = vf_add(part, vf_exp(vf_mul(vf_sub(vf_load(x + j), top), factor)));
        if (j < end) {
            vf e = vf_exp(vf_mul(vf_sub(vf_load_n(x + j, end - j), top), factor));
            part = vf_add(part, vf_select_n(e, vf_zero(), end - j));
        }
        sum += vf_sum(part);
    }
    return sum;
}

static void exp_scale(const float *x, size_t n, float max, float factor, float *out) {
    vf top = vf_set1(max), f = vf_set1(factor);
    size_t i = 0;
    for (; i + VW <= n; i += VW) vf_store(out + i, vf_mul(vf_exp(vf_sub(vf_load(x + i), top)), f));
    if (i < n) vf_store_n(out + i, vf_mul(vf_exp(vf_sub(vf_load_n(x + i, n - i), top)), f), n - i);
}

static void scale(const float *x, size_t n, float factor, float *out) {
    vf f = vf_set1(factor);
    size_t i = 0;
    for (; i + VW <= n; i += VW) vf_store(out + i, vf_mul(vf_load(x + i), f));
    if (i < n) vf_store_n(out + i, vf_mul(vf_load_n(x + i, n - i), f), n - i);
}

static void fill_sample(kernel_table *t) {
    t->argmax = argmax;
    t->sum_exp = sum_exp;
    t->exp_scale = exp_scale;
    t->scale = scale;
    t->find_greater = find_greater;
}
