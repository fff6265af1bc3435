//! Roots of unity, bit-identical on every platform.
//!
//! The sine and cosine of a platform's library differ in the last bit from one platform to the next. Here
//! the roots come from half-angle formulas and products in double-double arithmetic (Dekker 1971; Hida, Li,
//! Bailey 2001), which needs only the operations that IEEE 754 rounds correctly, and are rounded to f64 at
//! the end: the error before that rounding is below 2^-96.

use std::f64::consts::FRAC_1_SQRT_2;

/// An unevaluated sum `hi + lo` with `|lo| <= ulp(hi)/2`, about 106 bits.
#[derive(Clone, Copy)]
struct Double {
    hi: f64,
    lo: f64,
}

impl Double {
    const fn from_f64(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }

    /// `a + b` exactly (Knuth).
    fn two_sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        let t = hi - a;
        let lo = (a - (hi - t)) + (b - t);
        Self { hi, lo }
    }

    /// `a + b` exactly where `|a| >= |b|` or `a = 0`.
    fn quick_two_sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        Self {
            hi,
            lo: b - (hi - a),
        }
    }

    /// `a * b` exactly for factors far from overflow and underflow, by Dekker's splitting: a fused
    /// multiply-add would give the same, but is slow in software where the target has none.
    fn two_prod(a: f64, b: f64) -> Self {
        fn split(a: f64) -> (f64, f64) {
            let t = 134_217_729.0 * a; // 2^27 + 1
            let hi = t - (t - a);
            (hi, a - hi)
        }
        let hi = a * b;
        let (a1, a0) = split(a);
        let (b1, b0) = split(b);
        let lo = ((a1 * b1 - hi) + a1 * b0 + a0 * b1) + a0 * b0;
        Self { hi, lo }
    }

    fn add(self, b: Self) -> Self {
        let s = Self::two_sum(self.hi, b.hi);
        let t = Self::two_sum(self.lo, b.lo);
        let s = Self::quick_two_sum(s.hi, s.lo + t.hi);
        Self::quick_two_sum(s.hi, s.lo + t.lo)
    }

    fn sub(self, b: Self) -> Self {
        self.add(Self {
            hi: -b.hi,
            lo: -b.lo,
        })
    }

    fn mul(self, b: Self) -> Self {
        let p = Self::two_prod(self.hi, b.hi);
        Self::quick_two_sum(p.hi, p.lo + (self.hi * b.lo + self.lo * b.hi))
    }

    fn div(self, b: Self) -> Self {
        let q1 = self.hi / b.hi;
        let r = self.sub(b.mul(Self::from_f64(q1)));
        let q2 = r.hi / b.hi;
        let r = r.sub(b.mul(Self::from_f64(q2)));
        let q3 = r.hi / b.hi;
        let q = Self::quick_two_sum(q1, q2);
        q.add(Self::from_f64(q3))
    }

    /// Square root of a positive number: one Newton step from the f64 root.
    fn sqrt(self) -> Self {
        let x = self.hi.sqrt();
        let r = self.sub(Self::two_prod(x, x));
        Self::quick_two_sum(x, r.hi / (2.0 * x))
    }

    /// Half of it, exactly.
    fn half(self) -> Self {
        Self {
            hi: 0.5 * self.hi,
            lo: 0.5 * self.lo,
        }
    }
}

/// A root of unity in double-double.
#[derive(Clone, Copy)]
struct Root {
    cos: Double,
    sin: Double,
}

impl Root {
    const ONE: Self = Self {
        cos: Double::from_f64(1.0),
        sin: Double::from_f64(0.0),
    };

    fn mul(self, b: Self) -> Self {
        Self {
            cos: self.cos.mul(b.cos).sub(self.sin.mul(b.sin)),
            sin: self.sin.mul(b.cos).add(self.cos.mul(b.sin)),
        }
    }

    /// The root of half the angle, for angles in `(0, pi/4]`. The sine comes from `sin = 2 sin' cos'`;
    /// `sqrt((1 - cos) / 2)` would cancel.
    fn half_angle(self) -> Self {
        let cos = Double::from_f64(1.0).add(self.cos).half().sqrt();
        Self {
            cos,
            sin: self.sin.div(cos).half(),
        }
    }
}

/// The roots of unity `exp(2 pi i t / 2^log_order)`, each part rounded to f64.
///
/// Only the first eighth of the circle is computed; the symmetries give the rest, so that conjugates,
/// negatives and quarter turns agree to the bit.
pub(super) struct RootTable {
    log_order: u32,
    /// `(cos, sin)` for `t = 0 ..= 2^(log_order - 3)`.
    octant: Vec<(f64, f64)>,
}

impl RootTable {
    /// The table for `3 <= log_order <= 30`.
    pub(super) fn new(log_order: u32) -> Self {
        assert!(
            (3..=30).contains(&log_order),
            "root table of order 2^{log_order}"
        );
        let top_bit = log_order - 3;
        // bases[b] = exp(2 pi i 2^b / 2^log_order), from the eighth root downwards.
        let sqrt_half = Double::from_f64(0.5).sqrt();
        let mut root = Root {
            cos: sqrt_half,
            sin: sqrt_half,
        };
        let mut bases = vec![root; top_bit as usize + 1];
        for base in bases.iter_mut().rev().skip(1) {
            root = root.half_angle();
            *base = root;
        }
        // Every other root is a product of at most top_bit bases: one per set bit of t.
        let mut roots = Vec::with_capacity((1 << top_bit) + 1);
        roots.push(Root::ONE);
        for &base in &bases[..top_bit as usize] {
            for t in 0..roots.len() {
                roots.push(roots[t].mul(base));
            }
        }
        let mut octant: Vec<(f64, f64)> = roots.iter().map(|r| (r.cos.hi, r.sin.hi)).collect();
        octant.push((FRAC_1_SQRT_2, FRAC_1_SQRT_2));
        Self { log_order, octant }
    }

    /// `(cos, sin)` of the angle `2 pi t / 2^log_order`, `t < 2^log_order`.
    pub(super) fn get(&self, t: usize) -> (f64, f64) {
        let quarter = 1usize << (self.log_order - 2);
        let r = t & (quarter - 1);
        let (c, s) = if 2 * r <= quarter {
            self.octant[r]
        } else {
            let (c, s) = self.octant[quarter - r];
            (s, c)
        };
        match t >> (self.log_order - 2) {
            0 => (c, s),
            1 => (-s, c),
            2 => (-c, -s),
            _ => (s, -c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighth_root_is_the_rounded_constant() {
        assert_eq!(Double::from_f64(0.5).sqrt().hi, FRAC_1_SQRT_2);
    }

    #[test]
    fn the_double_double_primitives_are_exact() {
        let (a, b) = (1.0 + 2f64.powi(-30), 1.0 - 2f64.powi(-31));
        // (1 + 2^-30)(1 - 2^-31) = 1 + 2^-31 - 2^-61
        let p = Double::two_prod(a, b);
        assert_eq!((p.hi, p.lo), (1.0 + 2f64.powi(-31), -(2f64.powi(-61))));
        let s = Double::two_sum(1.0, 2f64.powi(-80));
        assert_eq!((s.hi, s.lo), (1.0, 2f64.powi(-80)));
        let third = Double::from_f64(1.0).div(Double::from_f64(3.0));
        let back = third.mul(Double::from_f64(3.0)).sub(Double::from_f64(1.0));
        assert!(back.hi.abs() < 2f64.powi(-103), "{:e}", back.hi);
        let two = Double::from_f64(2.0).sqrt();
        let back = two.mul(two).sub(Double::from_f64(2.0));
        assert!(back.hi.abs() < 2f64.powi(-102), "{:e}", back.hi);
    }

    /// Before the last rounding every root has modulus one to about 100 bits.
    #[test]
    fn half_angles_stay_on_the_circle() {
        let h = Double::from_f64(0.5).sqrt();
        let mut root = Root { cos: h, sin: h };
        for _ in 0..20 {
            root = root.half_angle();
            let norm = root.cos.mul(root.cos).add(root.sin.mul(root.sin));
            let off = norm.sub(Double::from_f64(1.0));
            assert!(off.hi.abs() < 2f64.powi(-100), "{:e}", off.hi);
        }
        // sin(x) = x - x^3/6 + ... at x = pi / 2^22, with pi as a double-double.
        let pi = Double {
            hi: std::f64::consts::PI,
            lo: 1.224_646_799_147_353_2e-16,
        };
        let x = Double {
            hi: pi.hi / 4_194_304.0,
            lo: pi.lo / 4_194_304.0,
        };
        let x2 = x.mul(x);
        let series = x.mul(
            Double::from_f64(1.0)
                .sub(x2.div(Double::from_f64(6.0)))
                .add(x2.mul(x2).div(Double::from_f64(120.0))),
        );
        let off = series.sub(root.sin).hi / x.hi;
        assert!(off.abs() < 2f64.powi(-98), "{off:e}");
    }

    #[test]
    fn agrees_with_the_platform_within_one_ulp() {
        for log_order in [3, 4, 5, 9, 18] {
            let table = RootTable::new(log_order);
            let order = 1usize << log_order;
            for t in 0..order {
                let angle = 2.0 * std::f64::consts::PI * t as f64 / order as f64;
                let (c, s) = table.get(t);
                // The angle itself is off by up to 2^-51 near 2 pi.
                assert!((c - angle.cos()).abs() < 1e-15, "cos {t}/{order}");
                assert!((s - angle.sin()).abs() < 1e-15, "sin {t}/{order}");
            }
        }
    }

    #[test]
    fn smaller_tables_are_subsets() {
        let (large, small) = (RootTable::new(18), RootTable::new(9));
        for t in 0..1 << 9 {
            let ((a, b), (c, d)) = (large.get(t << 9), small.get(t));
            assert_eq!(
                (a.to_bits(), b.to_bits()),
                (c.to_bits(), d.to_bits()),
                "t = {t}"
            );
        }
    }

    #[test]
    fn golden_hash() {
        let table = RootTable::new(18);
        let mut hasher = blake3::Hasher::new();
        for t in 0..1 << 18 {
            let (c, s) = table.get(t);
            hasher.update(&c.to_bits().to_le_bytes());
            hasher.update(&s.to_bits().to_le_bytes());
        }
        assert_eq!(
            hasher.finalize().to_hex().as_str(),
            "45e99030e1d4781d6133a575c64d64c5a15c7b7f9be163d1f3c8f8684f67f88e"
        );
    }
}
