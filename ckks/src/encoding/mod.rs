//! The CKKS canonical embedding: from vectors of numbers to integer polynomials and back.
//!
//! A polynomial `m` of `R = Z[X]/(X^N + 1)` holds `n = N/2` complex slots, its values at half of the
//! primitive `2N`-th roots of unity (Cheon, Kim, Kim, Song, ePrint 2016/421), in the order of powers of 5
//! (Cheon, Han, Kim, Kim, Song, ePrint 2018/153):
//!
//! ```text
//! slot j of m  =  m(zeta^(5^j)) / scale,     zeta = exp(i pi / N),  j = 0 .. n-1
//!
//! coefficients  [ m_0 .. m_(n-1) | m_n .. m_(N-1) ]      w_k = m_k + i m_(k+n)
//!                    |                   |
//! FFT input          +---- re[k] --------+---- im[k]     slot j = sum_k w_k zeta^(5^j k)
//! ```
//!
//! In this order the automorphism `X -> X^5` rotates the slots to the left by one, and `X -> X^(-1)`
//! conjugates them.
//!
//! Encoding multiplies by the scale, transforms, and rounds each coefficient once to the nearest integer,
//! ties to even. It uses only IEEE 754 addition, subtraction, multiplication, division and square root, in
//! a fixed order, so that the same input gives the same bytes on every platform.
//!
//! ```
//! use arras_ckks::encoding::{Encoder, compose_centred};
//!
//! // A toy ring: 16 coefficients, 8 slots.
//! let encoder = Encoder::new(4)?;
//! let scale = f64::from(1 << 20);
//! let encoded = encoder.encode(&[0.5, -0.25], scale)?;
//!
//! let q = 2_147_483_489;
//! let mut row = vec![0u32; encoder.n()];
//! encoded.residues_into(q, &mut row);
//!
//! let coefficients = compose_centred(&[&row], &[q])?;
//! let decoded = encoder.decode_real(&coefficients, scale)?;
//! assert!((decoded[1] + 0.25).abs() < 1e-5);
//! # Ok::<(), arras_ckks::encoding::EncodingError>(())
//! ```

mod coefficients;
mod compose;
mod encoder;
mod error;
mod fft;
mod reduce;
mod roots;

#[cfg(test)]
mod tests;

pub use coefficients::IntCoefficients;
pub(crate) use coefficients::residue_rows;
pub use compose::compose_centred;
pub(crate) use compose::compose_integers;
pub use encoder::{Encoder, MAX_LOG_N, MIN_LOG_N};
pub use error::EncodingError;
