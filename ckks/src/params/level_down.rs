//! Going down several levels at once without adding noise.

use arras_hal::Named;
use num_bigint::BigUint;

use super::Parameters;
use super::error::ParamsError;
use super::log2::{Log2, ONE, log2_prime};
use super::scales::{FixedScale, difference, product};

/// The rounding error of the constant is 2^-35 at most if it has at least this many bits.
const CONSTANT_BITS: i64 = 34;

/// How a ciphertext goes from a level to a lower one: keep the limbs of `sub_window`, multiply by `constant`, rescale from
/// `sub_window` to the target's window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelDownPlan {
    /// Absolute limb indices W, ascending and contiguous: they contain what both windows share and lie within the source's
    /// window. Dropping the others costs nothing, because the value is far below the remaining modulus.
    pub sub_window: Vec<usize>,
    /// `round(s_to * W / (Q_to * s_from))`, in exact arithmetic on the two `f64` scales; to be reduced modulo each prime of W.
    pub constant: BigUint,
}

impl Parameters {
    /// How to go from level `from` to a lower level `to` in one multiplication by a constant and one rescale.
    ///
    /// W is chosen with the fewest limbs for which W / Q_to is at least 2^34, so that rounding the constant costs no more than
    /// 2^-35 relative to the value; where not even the whole window reaches that (one level of 33.95 bits), W is the whole window.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`] if `from` is above the top, [`ParamsError::LevelOrder`] unless `to < from`.
    pub fn level_down_plan(&self, from: usize, to: usize) -> Result<LevelDownPlan, ParamsError> {
        const OPERATION: &str = "level down";
        self.check_level(from).named(OPERATION)?;
        if to >= from {
            return Err(ParamsError::LevelOrder {
                operation: Some(OPERATION),
                from,
                to,
            });
        }
        let (source, target) = (self.window(from), self.window(to));
        let basis = self.moduli();
        let log = |indices: &[usize]| indices.iter().map(|&i| log2_prime(basis[i])).sum::<Log2>();
        let needed = CONSTANT_BITS * ONE + log(&difference(&target, &source));

        // What may be kept beyond the shared limbs: terminals below them and mains above them, nearest first so that W
        // stays contiguous.
        let first_main = self.spec().terminals.len();
        let extra = difference(&source, &target);
        let (mut terminals, mains): (Vec<usize>, Vec<usize>) =
            extra.iter().partition(|&&i| i < first_main);
        terminals.reverse();
        let best = (0..=terminals.len())
            .flat_map(|t| (0..=mains.len()).map(move |m| (t, m)))
            // Mains next to nothing but dropped terminals leave a gap unless the shared part or all terminals are there;
            // windows always reach the boundary between terminals and mains, so prefixes from there are contiguous.
            .filter_map(|(t, m)| {
                let size = log(&terminals[..t]) + log(&mains[..m]);
                (size >= needed).then_some((t + m, size, t, m))
            })
            .min();
        let (t, m) = best.map_or((terminals.len(), mains.len()), |(_, _, t, m)| (t, m));
        let mut sub_window: Vec<usize> = source.clone().filter(|i| target.contains(i)).collect();
        sub_window.extend(&terminals[..t]);
        sub_window.extend(&mains[..m]);
        sub_window.sort_unstable();

        let target: Vec<usize> = target.collect();
        let [scale_from, scale_to] = [from, to].map(|level| exact(self.scale(level)));
        let numerator = scale_to * product(basis, &sub_window);
        let denominator = scale_from * product(basis, &target);
        let constant = (numerator * 2u32 + &denominator) / (denominator * 2u32);
        Ok(LevelDownPlan {
            sub_window,
            constant,
        })
    }
}

/// A scale times 2^64, an integer. Validated scales are always in range.
fn exact(scale: f64) -> BigUint {
    FixedScale::from_f64(scale).map_or_else(BigUint::default, FixedScale::into_integer)
}

#[cfg(test)]
mod tests {
    use super::super::LevelWidth;
    use super::*;

    #[test]
    fn every_pair_of_levels_meets_the_rules() {
        for (width, levels) in [
            (LevelWidth::Bits39, 14),
            (LevelWidth::Bits34, 15),
            (LevelWidth::Bits39, 3),
        ] {
            let builder = Parameters::builder().log_n(15).levels(levels);
            let params = builder.level_width(width).build().unwrap();
            let basis = params.moduli();
            for from in 1..=levels {
                for to in 0..from {
                    let plan = params.level_down_plan(from, to).unwrap();
                    let (source, target) = (params.window(from), params.window(to));
                    let w = &plan.sub_window;
                    assert!(w.iter().all(|i| source.contains(i)));
                    let shared = |i: &usize| source.contains(i) && target.contains(i);
                    assert!(target.clone().filter(shared).all(|i| w.contains(&i)));
                    let contiguous = w.windows(2).all(|p| p[1] == p[0] + 1);
                    assert!(contiguous, "{from} -> {to}: {w:?} is not contiguous");
                    let target: Vec<usize> = target.collect();
                    let (big_w, q) = (product(basis, w), product(basis, &target));
                    let whole = w.len() == source.len();
                    assert!(whole || big_w >= &q << 34, "{from} -> {to}");
                    // K s_from Q_to / W is s_to up to half of s_from Q_to / W, and relatively up to 2^-30 at worst.
                    let unit = exact(params.scale(from)) * &q;
                    let got = &unit * &plan.constant;
                    let want = exact(params.scale(to)) * &big_w;
                    let gap = (&got).max(&want) - (&got).min(&want);
                    let nearest = &gap * 2u32 <= unit;
                    assert!(nearest, "{from} -> {to}: not the nearest integer");
                    assert!(gap << 30 < want, "{from} -> {to}");
                }
            }
        }
    }

    #[test]
    fn a_long_way_down_keeps_few_limbs() {
        let params = Parameters::builder().log_n(15).levels(14).build().unwrap();
        let plan = params.level_down_plan(14, 0).unwrap();
        assert!(plan.sub_window.len() <= 4, "{:?}", plan.sub_window);
        assert!((33..=64).contains(&plan.constant.bits()));
    }

    #[test]
    fn levels_are_checked() {
        let params = Parameters::builder().log_n(15).levels(5).build().unwrap();
        refused! {
            params.level_down_plan(6, 0) => ParamsError::NoSuchLevel { level: 6, max: 5, .. },
            params.level_down_plan(3, 3) => ParamsError::LevelOrder { from: 3, to: 3, .. },
            params.level_down_plan(2, 4) => ParamsError::LevelOrder { .. },
        }
    }
}
