// The exponential of a vector; include after a vector_*.h.

/// e^r - 1 and n of x = n ln2 + r with |r| <= ln2 / 2: the Taylor polynomial of degree 7, whose remainder is below 2^-27.
static inline vf vf_exp_parts(vf x, vf *power) {
    vf n = *power = vf_round(vf_mul(x, vf_set1(0x1.715476p+0f)));
    // ln2 in two parts; the first has few enough bits that n times it is exact.
    vf r = vf_fnma(n, vf_set1(0x1.62ep-1f), x);
    r = vf_fnma(n, vf_set1(0x1.0bfbe8p-15f), r);
    vf p = vf_set1(1.0f / 5040);
    p = vf_fma(p, r, vf_set1(1.0f / 720));
    p = vf_fma(p, r, vf_set1(1.0f / 120));
    p = vf_fma(p, r, vf_set1(1.0f / 24));
    p = vf_fma(p, r, vf_set1(1.0f / 6));
    p = vf_fma(p, r, vf_set1(0.5f));
    return vf_fma(p, vf_mul(r, r), r);
}

/// e^x within about one unit in the last place; 0 below -104, infinity above 88.73, NaN for NaN.
static inline vf vf_exp(vf x) {
    // The limits keep n finite; a NaN is the second operand and passes.
    x = vf_min(vf_set1(90.0f), vf_max(vf_set1(-105.0f), x));
    vf n, p = vf_exp_parts(x, &n);
    return vf_scale2(vf_add(p, vf_set1(1.0f)), n);
}

/// tanh x = (e^2x - 1) / (e^2x + 1) within a few units in the last place, small x included; NaN for NaN.
static inline vf vf_tanh(vf x) {
    // Beyond the limits it is one; a NaN is the second operand and passes.
    x = vf_min(vf_set1(20.0f), vf_max(vf_set1(-20.0f), x));
    vf n, p = vf_exp_parts(vf_add(x, x), &n);
    vf power = vf_scale2(vf_set1(1.0f), n);
    vf e = vf_fma(p, power, vf_sub(power, vf_set1(1.0f)));
    return vf_div(e, vf_add(e, vf_set1(2.0f)));
}
