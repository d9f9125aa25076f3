// The exponential of a vector; include after a vector_*.h.

/// e^x within about one unit in the last place; 0 below -104, infinity above 88.73, NaN for NaN.
///
/// x = n ln2 + r with |r| <= ln2 / 2, and the Taylor polynomial of degree 7, whose remainder there is below 2^-27.
static inline vf vf_exp(vf x) {
    // The limits keep n finite; a NaN is the second operand and passes.
    x = vf_min(vf_set1(90.0f), vf_max(vf_set1(-105.0f), x));
    vf n = vf_round(vf_mul(x, vf_set1(0x1.715476p+0f)));
    // ln2 in two parts; the first has few enough bits that n times it is exact.
    vf r = vf_fnma(n, vf_set1(0x1.62ep-1f), x);
    r = vf_fnma(n, vf_set1(0x1.0bfbe8p-15f), r);
    vf p = vf_set1(1.0f / 5040);
    p = vf_fma(p, r, vf_set1(1.0f / 720));
    p = vf_fma(p, r, vf_set1(1.0f / 120));
    p = vf_fma(p, r, vf_set1(1.0f / 24));
    p = vf_fma(p, r, vf_set1(1.0f / 6));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, vf_mul(r, r), r);
    return vf_scale2(vf_add(p, vf_set1(1.0f)), n);
}
