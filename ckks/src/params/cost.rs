//! What one key switch costs: the only model of it, by which digits are chosen and costs carried from level to level.
//!
//! ```text
//!   limbs --extend--> digits x (limbs + specials) --multiply by the key--> 2 x (limbs + specials) --bring down--> 2 x limbs of the target
//! ```

use std::ops::{Add, Mul};

use super::Parameters;
use super::path::Window;

/// Work of key switches, counted in rows of N residues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySwitchCost {
    /// Number-theoretic transforms of one row, forward and inverse.
    pub ntts: u64,
    /// Products of a row and a number that are added to a row: base conversions.
    pub conversions: u64,
    /// Products of a row and a row of a key that are added to a row: each reads 4 bytes of key per coefficient.
    pub products: u64,
}

impl KeySwitchCost {
    /// One key switch of a ciphertext of `level` that lands on the level `to`, merged with the rescale to it if it is another.
    ///
    /// # Panics
    /// If a level is above the top.
    pub fn at(params: &Parameters, level: usize, to: usize) -> Self {
        let limbs = KeySwitchLimbs::at(params, level);
        let dropped = params.dropped(level, to).len();
        limbs.extension() + limbs.products() + limbs.bring_down(dropped, params.window(to).len())
    }

    /// Sums the cost over levels 1 and up of `path` (level 0 alone if there is no other) for digits of `sizes` limbs from the
    /// start of the basis and `specials` special primes, each with the rescale to the level below.
    pub(crate) fn of_chain(
        path: &[Window],
        terminals: usize,
        sizes: &[usize],
        specials: usize,
    ) -> Self {
        let switch = |from: Window, to: Window| {
            let window = terminals - from.terminals..terminals + from.mains;
            let starts = sizes.iter().scan(0, |end, size| {
                let start = *end;
                *end += size;
                Some(start..*end)
            });
            let limbs = KeySwitchLimbs {
                limbs: from.limbs(),
                specials,
                digits: starts
                    .map(|digit| {
                        let end = digit.end.min(window.end);
                        end.saturating_sub(digit.start.max(window.start))
                    })
                    .filter(|&active| active > 0)
                    .collect(),
            };
            let kept = from.mains.min(to.mains) + from.terminals.min(to.terminals);
            let down = limbs.bring_down(from.limbs() - kept, to.limbs());
            limbs.extension() + limbs.products() + down
        };
        match path {
            [only] => switch(*only, *only),
            _ => path
                .windows(2)
                .map(|pair| switch(pair[1], pair[0]))
                .fold(Self::default(), Add::add),
        }
    }

    /// One figure to compare sets by, in units of a quarter butterfly: a transform has `N/2 log2 N` butterflies, a lazily reduced
    /// multiply-add counts half a butterfly and a byte of key a quarter. It orders alternatives; it predicts no seconds.
    pub fn weighted(&self, log_n: u32) -> u64 {
        let key_bytes = 4 * self.products;
        let per_coefficient =
            2 * u64::from(log_n) * self.ntts + 2 * (self.conversions + self.products) + key_bytes;
        per_coefficient << log_n
    }
}

impl Add for KeySwitchCost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ntts: self.ntts + other.ntts,
            conversions: self.conversions + other.conversions,
            products: self.products + other.products,
        }
    }
}

impl Mul<u64> for KeySwitchCost {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self {
            ntts: self.ntts * times,
            conversions: self.conversions * times,
            products: self.products * times,
        }
    }
}

/// Limbs that a key switch works on, and the cost of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySwitchLimbs {
    /// Limbs of the ciphertext.
    pub limbs: usize,
    /// Special limbs.
    pub specials: usize,
    /// Limbs of each digit in use.
    pub digits: Vec<usize>,
}

impl KeySwitchLimbs {
    /// Those of a level.
    ///
    /// # Panics
    /// If the level is above the top.
    pub fn at(params: &Parameters, level: usize) -> Self {
        let digits = params.active_digits(level);
        Self {
            limbs: params.window(level).len(),
            specials: params.special_limbs(),
            digits: digits.iter().map(|digit| digit.limbs.len()).collect(),
        }
    }

    /// Limbs of an extended digit.
    pub fn extended(&self) -> usize {
        self.limbs + self.specials
    }

    /// Bringing one component to coefficients and every digit of it to all limbs: paid once for all rotations of a ciphertext.
    pub fn extension(&self) -> KeySwitchCost {
        let raised = |own: &usize| self.extended() - own;
        let ntts: usize = self.limbs + self.digits.iter().map(raised).sum::<usize>();
        let conversions: usize = self.digits.iter().map(|own| own * raised(own)).sum();
        KeySwitchCost {
            ntts: ntts as u64,
            conversions: conversions as u64,
            products: 0,
        }
    }

    /// The extended digits times one key.
    pub fn products(&self) -> KeySwitchCost {
        KeySwitchCost {
            products: 2 * (self.digits.len() * self.extended()) as u64,
            ..KeySwitchCost::default()
        }
    }

    /// Dividing both components by the special limbs and `dropped` of the ciphertext's, which leaves `to` limbs.
    pub fn bring_down(&self, dropped: usize, to: usize) -> KeySwitchCost {
        let sources = self.specials + dropped;
        KeySwitchCost {
            ntts: 2 * (sources + to) as u64,
            conversions: 2 * (sources * to) as u64,
            products: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_small_switch() {
        // Window (3,0) in a chain of 2 terminals and 3 mains, digits T_1 T_0 Q_0 | Q_1 Q_2, two specials, down to (0,2).
        let cost = KeySwitchCost::of_chain(&[Window::new(0, 2), Window::new(3, 0)], 2, &[3, 2], 2);
        // 3 inverse; digit 0 has one active limb and is raised to 4, digit 1 has two and is raised to 3; then twice 2 + 3
        // inverse and 2 forward.
        assert_eq!(cost.ntts, 3 + 4 + 3 + 2 * (5 + 2));
        assert_eq!(cost.conversions, 4 + 6 + 2 * 5 * 2);
        assert_eq!(cost.products, 2 * 2 * 5);
    }

    #[test]
    fn a_chain_is_the_sum_of_its_levels() {
        for (log_n, levels) in [(13, 2), (14, 5), (15, 14)] {
            let builder = Parameters::builder().log_n(log_n).levels(levels);
            let params = builder.build().unwrap();
            let levels = (1..=levels).map(|level| KeySwitchCost::at(&params, level, level - 1));
            let sum = levels.fold(KeySwitchCost::default(), Add::add);
            assert_eq!(params.key_switch_cost(), sum);
        }
    }

    #[test]
    fn a_larger_ring_costs_more() {
        let cost = KeySwitchCost {
            ntts: 10,
            conversions: 8,
            products: 2,
        };
        assert!(cost.weighted(14) > 2 * cost.weighted(13));
    }
}
