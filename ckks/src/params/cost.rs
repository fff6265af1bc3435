//! A model of what one key switch costs, by which the planner chooses the number of digits.

use super::path::Window;

/// Work of the key switch that follows a product, merged with its rescale, summed over all levels of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySwitchCost {
    /// Number-theoretic transforms of one limb, forward and inverse.
    pub ntts: u64,
    /// Multiply-adds per coefficient in base conversions and in the inner product with the key.
    pub multiply_adds: u64,
    /// Bytes of key read per coefficient: 4 for each limb of each half of each active digit.
    pub key_bytes: u64,
}

impl KeySwitchCost {
    /// Sums the cost over levels 1 and up of `path` (level 0 alone if there is no other) for digits of `sizes` limbs from the
    /// start of the basis and `specials` special primes.
    pub(crate) fn of_chain(
        path: &[Window],
        terminals: usize,
        sizes: &[usize],
        specials: usize,
    ) -> Self {
        let mut total = Self::default();
        if let [only] = path {
            total.add_switch(*only, *only, terminals, sizes, specials);
        }
        for pair in path.windows(2) {
            total.add_switch(pair[1], pair[0], terminals, sizes, specials);
        }
        total
    }

    fn add_switch(
        &mut self,
        from: Window,
        to: Window,
        terminals: usize,
        sizes: &[usize],
        specials: usize,
    ) {
        let limbs = from.limbs();
        let extended = limbs + specials;
        let window = terminals - from.terminals..terminals + from.mains;
        let (mut ntts, mut multiply_adds, mut digits) = (limbs, 0, 0);
        let mut start = 0;
        for size in sizes {
            let active = (start + size)
                .min(window.end)
                .saturating_sub(start.max(window.start));
            start += size;
            if active > 0 {
                digits += 1;
                ntts += extended - active;
                multiply_adds += active * (extended - active);
            }
        }
        let kept = from.mains.min(to.mains) + from.terminals.min(to.terminals);
        let sources = specials + limbs - kept;
        ntts += 2 * (sources + to.limbs());
        multiply_adds += 2 * sources * to.limbs() + 2 * digits * extended;
        self.ntts += ntts as u64;
        self.multiply_adds += multiply_adds as u64;
        self.key_bytes += (8 * digits * extended) as u64;
    }

    /// One figure to compare sets by, in units of a quarter butterfly: a transform has `N/2 log2 N` butterflies, a lazily reduced
    /// multiply-add counts half a butterfly and a byte of key a quarter. It orders alternatives; it predicts no seconds.
    pub fn weighted(&self, log_n: u32) -> u64 {
        let per_coefficient =
            2 * u64::from(log_n) * self.ntts + 2 * self.multiply_adds + self.key_bytes;
        per_coefficient << log_n
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
        assert_eq!(cost.multiply_adds, 4 + 6 + 2 * 5 * 2 + 2 * 2 * 5);
        assert_eq!(cost.key_bytes, 8 * 2 * 5);
    }

    #[test]
    fn a_larger_ring_costs_more() {
        let cost = KeySwitchCost {
            ntts: 10,
            multiply_adds: 10,
            key_bytes: 10,
        };
        assert!(cost.weighted(14) > 2 * cost.weighted(13));
    }
}
