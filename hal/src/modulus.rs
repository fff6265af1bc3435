//! One prime, and constants prepared for it.

use crate::Limbs;

/// An odd prime below 2^30 with the few host-side operations that set-up needs.
///
/// These are for tables and plans; engines have their own arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Modulus(u32);

impl Modulus {
    /// Wraps a modulus that has been validated by [`crate::RingBasis`].
    pub(crate) fn new(q: u32) -> Self {
        Self(q)
    }

    /// The prime.
    pub fn value(self) -> u32 {
        self.0
    }

    /// `a * b mod q` for any `a`, `b`.
    pub fn mul(self, a: u32, b: u32) -> u32 {
        (u64::from(a) * u64::from(b) % u64::from(self.0)) as u32
    }

    /// `a + b mod q` for canonical operands.
    pub fn add(self, a: u32, b: u32) -> u32 {
        let s = a + b;
        if s >= self.0 { s - self.0 } else { s }
    }

    /// `a - b mod q` for canonical operands.
    pub fn sub(self, a: u32, b: u32) -> u32 {
        if a >= b { a - b } else { a + self.0 - b }
    }

    /// `-a mod q` for a canonical operand.
    pub fn neg(self, a: u32) -> u32 {
        if a == 0 { 0 } else { self.0 - a }
    }

    /// `base^exponent mod q`.
    pub fn pow(self, base: u32, mut exponent: u64) -> u32 {
        let mut base = base % self.0;
        let mut acc = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                acc = self.mul(acc, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        acc
    }

    /// The inverse of a non-zero residue.
    pub fn inv(self, a: u32) -> u32 {
        debug_assert!(!a.is_multiple_of(self.0), "zero has no inverse");
        self.pow(a, u64::from(self.0) - 2)
    }

    /// The constant `w mod q` with its Shoup companion.
    pub fn constant(self, w: u32) -> LimbConstant {
        let value = w % self.0;
        LimbConstant {
            value,
            shoup: self.shoup(value),
        }
    }

    /// `floor(w * 2^32 / q)` for canonical `w`.
    pub fn shoup(self, w: u32) -> u32 {
        ((u64::from(w) << 32) / u64::from(self.0)) as u32
    }

    /// The least primitive root.
    pub(crate) fn least_primitive_root(self) -> u32 {
        let order = self.0 - 1;
        let mut factors = Vec::new();
        let mut rest = order;
        let mut d = 2;
        while u64::from(d) * u64::from(d) <= u64::from(rest) {
            if rest.is_multiple_of(d) {
                factors.push(d);
                while rest.is_multiple_of(d) {
                    rest /= d;
                }
            }
            d += 1;
        }
        if rest > 1 {
            factors.push(rest);
        }
        (2..self.0)
            .find(|&g| {
                factors
                    .iter()
                    .all(|&f| self.pow(g, u64::from(order / f)) != 1)
            })
            .unwrap_or(1)
    }
}

/// Whether `n` is prime. Deterministic: Miller-Rabin with the bases 2, 3, 5 and 7 has no liar below 3 215 031 751
/// (Jaeschke 1993), and larger `n` also pass base 11, which settles everything below 2^32.
pub fn is_prime(n: u32) -> bool {
    const BASES: [u32; 5] = [2, 3, 5, 7, 11];
    if n < 2 {
        return false;
    }
    if let Some(&p) = BASES.iter().find(|&&p| n.is_multiple_of(p)) {
        return n == p;
    }
    let (q, twos) = (Modulus(n), (n - 1).trailing_zeros());
    BASES.iter().all(|&base| {
        let mut x = q.pow(base, u64::from((n - 1) >> twos));
        if x == 1 || x == n - 1 {
            return true;
        }
        for _ in 1..twos {
            x = q.mul(x, x);
            if x == n - 1 {
                return true;
            }
        }
        false
    })
}

/// A residue `value` in `[0, q)` with `shoup = floor(value * 2^32 / q)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LimbConstant {
    /// The canonical residue.
    pub value: u32,
    /// Its Shoup companion.
    pub shoup: u32,
}

/// One constant per limb of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimbConstants {
    limbs: Limbs,
    constants: Box<[LimbConstant]>,
}

impl LimbConstants {
    pub(crate) fn new(limbs: Limbs, constants: Vec<LimbConstant>) -> Self {
        debug_assert_eq!(limbs.len(), constants.len());
        Self {
            limbs,
            constants: constants.into(),
        }
    }

    /// The limbs, in the order of [`LimbConstants::as_slice`].
    pub fn limbs(&self) -> &Limbs {
        &self.limbs
    }

    /// The constants.
    pub fn as_slice(&self) -> &[LimbConstant] {
        &self.constants
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_and_roots() {
        let q = Modulus::new(998_244_353);
        assert_eq!(q.least_primitive_root(), 3);
        assert_eq!(q.mul(q.inv(12345), 12345), 1);
        assert_eq!(q.add(q.value() - 1, 1), 0);
        assert_eq!(q.sub(0, 1), q.value() - 1);
        assert_eq!(q.neg(0), 0);
    }

    #[test]
    fn primes_agree_with_trial_division() {
        let by_division = |n: u32| {
            let mut divisors = (2..).take_while(|d| d * d <= n);
            n >= 2 && divisors.all(|d| !n.is_multiple_of(d))
        };
        for n in (0..20_000).chain([65_537, 998_244_351, 998_244_353]) {
            assert_eq!(is_prime(n), by_division(n), "{n}");
        }
        // Strong pseudoprimes to base 2, to bases 2 and 3, to bases 2, 3 and 5, and to bases 2, 3, 5 and 7.
        for n in [2047, 1_373_653, 25_326_001, 3_215_031_751] {
            assert!(!is_prime(n), "{n}");
        }
        assert!(is_prime(4_294_967_291) && !is_prime(u32::MAX));
    }

    #[test]
    fn shoup_companion_is_the_floor() {
        let q = Modulus::new(1_073_479_681);
        for w in [0, 1, q.value() - 1, 12_345_678] {
            let c = q.constant(w);
            assert_eq!(
                u64::from(c.shoup),
                (u64::from(w) << 32) / u64::from(q.value())
            );
        }
    }
}
