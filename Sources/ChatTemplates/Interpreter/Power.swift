private import Glibc

/// Powers of floats, from the C library as Python takes them.
enum Power {
    static func of(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}
