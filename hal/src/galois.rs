//! Automorphisms X -> X^g.

use crate::{HalErrorKind, Result};

/// An odd exponent below 2N: the automorphism X -> X^g of Z\[X\]/(X^N + 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GaloisElement(u32);

impl GaloisElement {
    /// The identity.
    pub const IDENTITY: Self = Self(1);

    /// A checked element for a ring of degree `2^log_n`.
    ///
    /// # Errors
    /// [`HalErrorKind::BadGaloisElement`] if `element` is even or not below 2N.
    pub fn new(element: u64, log_n: u32) -> Result<Self> {
        let two_n = 2u64 << log_n;
        if element % 2 == 1 && element < two_n {
            Ok(Self(element as u32))
        } else {
            Err(HalErrorKind::BadGaloisElement { element, two_n }.into())
        }
    }

    /// The element 5^steps, which rotates the N/2 slots left by `steps` (right if negative).
    pub fn rotation(steps: i64, log_n: u32) -> Self {
        let slots = 1i64 << (log_n - 1);
        let mut exponent = steps.rem_euclid(slots);
        let mask = (2u64 << log_n) - 1;
        let (mut base, mut acc) = (5u64, 1u64);
        while exponent > 0 {
            if exponent & 1 == 1 {
                acc = (acc * base) & mask;
            }
            base = (base * base) & mask;
            exponent >>= 1;
        }
        Self(acc as u32)
    }

    /// The element 2N - 1, which conjugates the slots.
    pub fn conjugation(log_n: u32) -> Self {
        Self(((2u64 << log_n) - 1) as u32)
    }

    /// The exponent.
    pub fn value(self) -> u32 {
        self.0
    }

    /// Whether this is X -> X.
    pub fn is_identity(self) -> bool {
        self.0 == 1
    }

    /// Whether the element belongs to a ring of degree `2^log_n`.
    pub fn fits(self, log_n: u32) -> bool {
        u64::from(self.0) < 2u64 << log_n
    }

    /// Source positions of the automorphism in boundary evaluation order: `out[i] = in[p[i]]`.
    ///
    /// Position `i` holds the value at psi^(2 bitrev(i) + 1), and the image of f at that point is f at
    /// its g-th power.
    pub fn evaluation_permutation(self, log_n: u32) -> Vec<u32> {
        let mask = (2u32 << log_n) - 1;
        (0..1u32 << log_n)
            .map(|i| {
                let exponent = 2 * bit_reverse(i, log_n) + 1;
                let source = exponent.wrapping_mul(self.0) & mask;
                bit_reverse(source >> 1, log_n)
            })
            .collect()
    }
}

/// The lowest `bits` bits of `i` in reverse order.
pub(crate) fn bit_reverse(i: u32, bits: u32) -> u32 {
    if bits == 0 {
        0
    } else {
        i.reverse_bits() >> (32 - bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        assert!(GaloisElement::rotation(0, 6).is_identity());
        assert_eq!(GaloisElement::rotation(1, 6).value(), 5);
        assert_eq!(GaloisElement::rotation(2, 6).value(), 25);
        assert_eq!(
            GaloisElement::rotation(-1, 6),
            GaloisElement::rotation(31, 6)
        );
        assert_eq!(GaloisElement::conjugation(6).value(), 127);
        assert!(GaloisElement::new(128, 6).is_err());
        assert!(GaloisElement::new(129, 6).is_err());
        let right_then_left = u64::from(GaloisElement::rotation(-3, 6).value()) * 125 % 128;
        assert_eq!(right_then_left, 1);
    }

    #[test]
    fn permutations_compose_and_the_identity_stays() {
        let p = GaloisElement::rotation(1, 5).evaluation_permutation(5);
        let q = GaloisElement::rotation(-1, 5).evaluation_permutation(5);
        for i in 0..32u32 {
            assert_eq!(p[q[i as usize] as usize], i);
            assert_eq!(
                GaloisElement::IDENTITY.evaluation_permutation(5)[i as usize],
                i
            );
        }
    }
}
