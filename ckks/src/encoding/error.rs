//! What can be wrong with values, coefficients or residues.

use super::{MAX_LOG_N, MIN_LOG_N};

/// Why a vector could not be encoded, decoded or composed.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncodingError {
    /// No encoder exists for this ring degree.
    #[error(
        "new encoder: ring degree 2^{log_n} is outside 2^{MIN_LOG_N}..=2^{MAX_LOG_N}; choose a log N \
         in that range"
    )]
    BadRingDegree {
        /// The base-2 logarithm asked for.
        log_n: u32,
    },
    /// More values than the ring has slots.
    #[error(
        "encode: {given} values were given, the ring has {slots} slots; split the vector or take a \
         larger ring"
    )]
    TooManyValues {
        /// Values given.
        given: usize,
        /// Slots of the ring, `N/2`.
        slots: usize,
    },
    /// A value is NaN or infinite.
    #[error("encode: slot {slot} holds {value}; every value must be finite, clean the input first")]
    NotFinite {
        /// The first such slot.
        slot: usize,
        /// Its offending part, real or imaginary.
        value: f64,
    },
    /// A value times the scale is too large for the integer coefficients.
    #[error(
        "encode: {value:e} in slot {slot} times the scale {scale:e} is not below {bound:e}; normalize \
         the values or take a smaller scale"
    )]
    DoesNotFit {
        /// The slot with the largest real or imaginary part.
        slot: usize,
        /// That part.
        value: f64,
        /// The scale given.
        scale: f64,
        /// The bound which the product must stay below in absolute value.
        bound: f64,
    },
    /// The scale is not a number that can multiply and divide.
    #[error(
        "the scale {scale:e} is outside {min:e}..={max:e}; pass the scale of the level, a power of two \
         near the size of a prime"
    )]
    BadScale {
        /// The scale given.
        scale: f64,
        /// The smallest scale accepted.
        min: f64,
        /// The largest scale accepted.
        max: f64,
    },
    /// A coefficient to decode is NaN, infinite or larger than [`compose_centred`](super::compose_centred)
    /// gives.
    #[error(
        "decode: coefficient {index} is {value:e}, its absolute value must be at most {bound:e}; pass \
         centred coefficients"
    )]
    CoefficientOutOfRange {
        /// The first such coefficient.
        index: usize,
        /// Its value.
        value: f64,
        /// The largest absolute value accepted.
        bound: f64,
    },
    /// Two lengths that must agree differ.
    #[error(
        "{operation}: {given} {what} were given, {expected} are needed; pass exactly {expected}"
    )]
    LengthMismatch {
        /// The operation.
        operation: &'static str,
        /// What is counted.
        what: &'static str,
        /// The length that is needed.
        expected: usize,
        /// The length that was given.
        given: usize,
    },
    /// Too few or too many residue rows.
    #[error("compose: {given} rows were given; pass 1 to {max} rows, dropping moduli first")]
    BadRowCount {
        /// Rows given.
        given: usize,
        /// The most rows accepted.
        max: usize,
    },
    /// A modulus is 0 or 1.
    #[error("compose: modulus {index} is {modulus}; a modulus must be at least 2")]
    BadModulus {
        /// Its position.
        index: usize,
        /// The modulus.
        modulus: u32,
    },
    /// Two moduli share a factor, so that residues do not determine an integer.
    #[error("compose: the moduli {first} and {second} are not coprime; pass distinct primes")]
    NotCoprime {
        /// The earlier modulus.
        first: u32,
        /// The later modulus.
        second: u32,
    },
    /// The product of the moduli is too large.
    #[error(
        "compose: the product of the moduli has {bits} bits, at most {max} are supported; pass fewer \
         rows"
    )]
    ProductTooLarge {
        /// Bits of the product.
        bits: u32,
        /// The most bits accepted.
        max: u32,
    },
    /// A residue is not below its modulus.
    #[error(
        "compose: row {row} holds the residue {residue} at {index}, its modulus is {modulus}; reduce \
         the row first"
    )]
    NotCanonical {
        /// The row.
        row: usize,
        /// The position in the row.
        index: usize,
        /// The residue found.
        residue: u32,
        /// The modulus of the row.
        modulus: u32,
    },
}
