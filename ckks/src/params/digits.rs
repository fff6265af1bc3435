//! Key-switching digits: groups of absolute limb indices, and how many special primes they need.
//!
//! ```text
//! basis    T_3 T_2 T_1 T_0 Q_0 Q_1 Q_2 Q_3 | Q_4 .. Q_16 | P_0 .. P_6
//! digits   [------------- 0 ------------]  [---- 1 ----]
//! ```
//!
//! A group never depends on the level (limbs that a window lacks are simply absent), so one key serves every window.
//! P must exceed the product of every group by [`MARGIN_BITS`], or rotations lose precision.

use core::ops::Range;

use super::limits::MAX_CONVERSION_SOURCES;
use super::log2::{Log2, ONE, log2_prime};

/// Bits by which P exceeds the product of the largest digit at least. A rotation loses
/// `1/2 log2(1 + 15 d |D| 4^-margin)` bits with `d` digits of `|D|` limbs: 0.12 at d = 4, |D| = 12 and a margin of 6.
pub const MARGIN_BITS: u32 = 6;

/// A way to cut a chain into digits: how many specials and which groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DigitPlan {
    /// Number of special primes, the largest ones.
    pub(crate) specials: usize,
    /// Limbs in each digit, from the start of the basis.
    pub(crate) sizes: Vec<usize>,
    /// `log2(QP)`.
    pub(crate) log2_qp: Log2,
}

/// Every number of digits worth considering, fewest digits first, each with the fewest specials that allow it.
///
/// `limbs` are the logarithms of the chain's primes in basis order and `specials` those of the primes available for P,
/// largest first. `dropped` is the largest number of limbs that a rescale drops: they are converted together with P.
pub(crate) fn digit_plans(limbs: &[Log2], specials: &[Log2], dropped: usize) -> Vec<DigitPlan> {
    let log2_q: Log2 = limbs.iter().sum();
    let most = specials
        .len()
        .min(MAX_CONVERSION_SOURCES.saturating_sub(dropped));
    let mut plans: Vec<DigitPlan> = Vec::new();
    let mut log2_p = 0;
    for (i, special) in specials.iter().take(most).enumerate() {
        log2_p += special;
        // The last 2^-20 bit covers the rounding of the logarithms: the margin is checked on exact products later.
        let Some(sizes) = group(limbs, log2_p - i64::from(MARGIN_BITS) * ONE - (ONE >> 20)) else {
            continue;
        };
        if plans
            .last()
            .is_none_or(|plan| sizes.len() < plan.sizes.len())
        {
            plans.push(DigitPlan {
                specials: i + 1,
                sizes,
                log2_qp: log2_q + log2_p,
            });
        }
    }
    plans.reverse();
    plans
}

/// Cuts `limbs` greedily into consecutive groups of at most `capacity`; `None` if a single limb exceeds it.
///
/// Greedy gives the fewest groups, and filling from the start of the basis keeps the number of active digits low at low levels.
fn group(limbs: &[Log2], capacity: Log2) -> Option<Vec<usize>> {
    let mut sizes = vec![];
    let (mut count, mut sum) = (0, 0);
    for &limb in limbs {
        if limb > capacity {
            return None;
        }
        if sum + limb > capacity {
            sizes.push(count);
            (count, sum) = (0, 0);
        }
        count += 1;
        sum += limb;
    }
    if count > 0 {
        sizes.push(count);
    }
    Some(sizes)
}

/// The groups as index ranges of the basis.
pub(crate) fn ranges(sizes: &[usize]) -> Vec<Range<usize>> {
    sizes
        .iter()
        .scan(0, |start, size| {
            let range = *start..*start + size;
            *start = range.end;
            Some(range)
        })
        .collect()
}

/// The logarithms of a chain in basis order: `T_{A-1} .. T_0`, then the mains.
pub(crate) fn basis_logs(terminals: &[u32], mains: &[u32]) -> Vec<Log2> {
    terminals
        .iter()
        .rev()
        .chain(mains)
        .map(|&q| log2_prime(q))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_partition_and_respect_the_capacity() {
        let limbs: Vec<Log2> = [24, 24, 24, 24, 29, 29, 29, 29, 29]
            .map(|b| b * ONE)
            .to_vec();
        assert_eq!(group(&limbs, 28 * ONE), None);
        assert_eq!(group(&limbs, 29 * ONE).unwrap(), vec![1; 9]);
        assert_eq!(group(&limbs, 60 * ONE).unwrap(), vec![2, 2, 2, 2, 1]);
        assert_eq!(group(&limbs, 241 * ONE).unwrap(), vec![9]);
        assert_eq!(ranges(&[2, 3, 1]), vec![0..2, 2..5, 5..6]);
    }

    #[test]
    fn more_digits_need_fewer_specials() {
        let limbs = vec![29 * ONE; 24];
        let plans = digit_plans(&limbs, &vec![30 * ONE - 1; 60], 4);
        assert!(
            plans
                .windows(2)
                .all(|p| p[0].sizes.len() < p[1].sizes.len() && p[0].specials > p[1].specials)
        );
        for plan in &plans {
            assert_eq!(plan.sizes.iter().sum::<usize>(), 24);
            let widest = plan.sizes.iter().max().copied().unwrap_or(0) as i64;
            assert!(plan.specials as i64 * 30 - widest * 29 >= i64::from(MARGIN_BITS));
        }
        assert_eq!(plans[0].sizes, [24]);
        // Six bits over a prime of 29 need two specials.
        assert_eq!(plans.last().map(|p| p.specials), Some(2));
    }

    #[test]
    fn conversions_have_at_most_sixty_sources() {
        let limbs = vec![29 * ONE; 80];
        let plans = digit_plans(&limbs, &vec![30 * ONE; 70], 7);
        assert_eq!(plans[0].sizes.len(), 2);
        assert!(plans.iter().all(|p| p.specials <= 53));
    }
}
