//! The rings of the suite: primes as the scheme uses them, 1 modulo 2^17 and below 2^30.

use std::sync::Arc;

use crate::{KeySwitchSpec, Limbs, RingBasis, RingSpec, is_prime};

/// 4 terminal primes near 2^24, 8 main primes near 2^29 and 3 special primes just below 2^30, the moduli of the known
/// answers.
pub(super) const MODULI: [u32; 15] = [
    20_054_017,
    20_316_161,
    19_529_729,
    21_495_809,
    575_275_009,
    576_454_657,
    576_716_801,
    572_915_713,
    570_949_633,
    570_163_201,
    580_780_033,
    569_638_913,
    1_073_479_681,
    1_071_513_601,
    1_070_727_169,
];

/// The special limbs of [`MODULI`].
pub(super) fn special() -> Limbs {
    Limbs::new(12..15)
}

/// The ring of degree `2^log_n` over [`MODULI`].
pub(super) fn standard(log_n: u32) -> Arc<RingBasis> {
    ring(log_n, MODULI.to_vec())
}

/// The ring of degree `2^log_n` over the `count` largest suitable primes.
pub(super) fn wide(log_n: u32, count: usize) -> Arc<RingBasis> {
    const STEP: u32 = 1 << 17;
    let moduli = (1..1 << 13)
        .map(|k| (1 << 30) - k * STEP + 1)
        .filter(|&q| is_prime(q))
        .take(count)
        .collect();
    ring(log_n, moduli)
}

/// The ring of degree `2^log_n` over any moduli.
pub(super) fn ring(log_n: u32, moduli: Vec<u32>) -> Arc<RingBasis> {
    RingBasis::new(&RingSpec { log_n, moduli }).expect("the suite's moduli are valid")
}

/// Digit groups of these lengths over consecutive limbs.
pub(super) fn groups(lengths: &[usize], special: Limbs) -> KeySwitchSpec {
    let mut start = 0;
    let groups = lengths
        .iter()
        .map(|&length| {
            start += length;
            Limbs::new(start - length..start)
        })
        .collect();
    KeySwitchSpec { groups, special }
}

/// Windows of [`MODULI`] for key switching, each with its digit groups and a target: prefixes, missing terminals, gaps, digits
/// that are partly or wholly absent, targets at the window itself (mod_down) and at other levels with restored limbs.
pub(super) fn switches() -> Vec<(KeySwitchSpec, Limbs, Limbs)> {
    let limbs = |list: &[usize]| Limbs::new(list.iter().copied());
    let quarters = groups(&[3, 3, 3, 3], special());
    let thirds = groups(&[4, 4, 4], special());
    let one = groups(&[12], Limbs::new(12..14));
    let sixths = groups(&[2; 6], special());
    vec![
        (quarters.clone(), Limbs::new(0..12), Limbs::new(0..12)),
        (quarters, Limbs::new(2..12), Limbs::new(0..9)),
        (
            thirds.clone(),
            limbs(&[1, 3, 5, 6, 9]),
            limbs(&[1, 3, 5, 6, 9]),
        ),
        (thirds.clone(), limbs(&[0, 1, 4, 5]), limbs(&[0, 4])),
        (thirds, limbs(&[2, 8]), limbs(&[0, 1, 2])),
        (one.clone(), limbs(&[4, 5, 6]), limbs(&[0, 1, 4, 5])),
        (one, Limbs::new(0..12), Limbs::new(0..12)),
        (sixths, limbs(&[0, 2, 4, 6, 8]), limbs(&[0, 2, 4, 6])),
    ]
}

/// Pairs of windows of [`MODULI`] for rescales: one limb dropped, limbs restored, special limbs dropped, nothing kept, gaps.
pub(super) fn rescales() -> Vec<(Limbs, Limbs)> {
    let limbs = |list: &[usize]| Limbs::new(list.iter().copied());
    vec![
        (limbs(&[4, 5]), limbs(&[4])),
        (Limbs::new(0..12), Limbs::new(0..11)),
        (Limbs::new(2..12), Limbs::new(0..9)),
        (Limbs::new(0..8), Limbs::new(4..8)),
        (Limbs::new(4..11), Limbs::new(0..8)),
        (limbs(&[2, 3, 4, 5, 12, 13, 14]), limbs(&[2, 3, 4, 5])),
        (limbs(&[4, 5]), limbs(&[0, 1])),
        (limbs(&[1, 3, 5, 6, 9]), limbs(&[1, 5, 8])),
    ]
}
