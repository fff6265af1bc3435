//! Polynomials, inverses and roots.
