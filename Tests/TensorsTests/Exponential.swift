import Foundation

/// e^x in double precision, the reference of vector exponentials.
func exponential(_ x: Double) -> Double { exp(x) }

/// Natural logarithm in double precision.
func logarithm(_ x: Double) -> Double { log(x) }
