//! The maps between slots and coefficients, as few stages of diagonals.
//!
//! With n = `values` / 2 complex numbers, coefficients become slots by log2 n layers of butterflies of half-length h = 1, 2, .., n / 2,
//! `(a + w b, a - w b)` with `w = exp(2 pi i 5^j / 8h)`, and slots coefficients by their inverses downward (Cheon, Han, Kim, Kim, Song, ePrint 2018/153;
//! as diagonals that are multiplied out to stages: Chen, Chillotti, Song, ePrint 2018/1043; Han, Hhan, Cheon, ePrint 2018/1073). Bit reversal is left out on both
//! ways: it cancels.
//!
//! ```text
//! z (real, period `values`)  --fold-->  u = low half + i high half  --layers up-->    slots of sum of Re u X^j + Im u X^(j + n), j reversed
//! slots of that              --layers down-->  [ u | -i u ]         --real part-->    z, in its order
//! ```
//! The fold commutes with the layers, so it is part of the last stage of the way there. Where the slots hold u already, two real vectors as real and imaginary
//! parts, there is none.

use std::collections::BTreeMap;

use num_complex::Complex64;

use crate::encoding::Encoder;

/// A linear map of vectors that repeat: `y[s] = sum over k of weights_k[s] x[s + k]`. Each list of weights is one period.
pub(super) type Map = BTreeMap<usize, Vec<Complex64>>;

/// Weights below this are what rounding leaves of zeros.
const NOTHING: f64 = 1e-12;

const ZERO: Complex64 = Complex64::ZERO;
const ONE: Complex64 = Complex64::ONE;
const I: Complex64 = Complex64::I;

/// The stages from slots to coefficients, the first one first, for `values` real numbers: weights have that period.
///
/// With `pairs` the slots hold n complex numbers, and steps are modulo n. Otherwise the fold needs both halves of a period, so stages before it act on each half by
/// itself: a step that leaves it is one to its other end.
pub(super) fn slots_to_coefficients(
    encoder: &Encoder,
    values: usize,
    stages: usize,
    pairs: bool,
) -> Vec<Map> {
    let n = values / 2;
    let groups = half_lengths(n, stages);
    let last = groups.len().saturating_sub(1);
    let stage = |(i, group): (usize, Vec<usize>)| {
        let layers = group.into_iter().map(|h| layer(encoder, n, h, false));
        let map = layers.fold(identity(n), |map, layer| compose(&layer, &map, n));
        match (pairs, i < last) {
            (true, _) => twice(&map),
            (false, true) => halves(&map, n),
            (false, false) => compose(&twice(&map), &fold(n), values),
        }
    };
    groups.into_iter().enumerate().map(stage).collect()
}

/// The stages from coefficients to slots, for as many; the conjugate of the result is to be added to it, which doubles it. Steps are modulo
/// n, the period of what is mapped; weights have the period `values`.
pub(super) fn coefficients_to_slots(encoder: &Encoder, values: usize, stages: usize) -> Vec<Map> {
    let n = values / 2;
    let mut groups = half_lengths(n, stages);
    groups.reverse();
    let last = groups.len().saturating_sub(1);
    let stage = |(i, group): (usize, Vec<usize>)| {
        let layers = group.into_iter().rev().map(|h| layer(encoder, n, h, true));
        let map = layers.fold(identity(n), |map, layer| compose(&layer, &map, n));
        let map = twice(&map);
        if i < last {
            return map;
        }
        let parts = (0..values).map(|s| if s < n { ONE } else { -I }).collect();
        compose(&Map::from([(0, parts)]), &map, n)
    };
    groups.into_iter().enumerate().map(stage).collect()
}

/// The half-lengths 1, 2, .., n / 2 in so many groups, as even as they go, larger ones first.
fn half_lengths(n: usize, stages: usize) -> Vec<Vec<usize>> {
    let layers = n.trailing_zeros() as usize;
    let mut next = 0..layers;
    (0..stages)
        .map(|i| {
            let count = layers / stages + usize::from(i < layers % stages);
            next.by_ref().take(count).map(|log| 1 << log).collect()
        })
        .collect()
}

fn identity(n: usize) -> Map {
    Map::from([(0, vec![ONE; n])])
}

/// One layer of butterflies, or its inverse.
fn layer(encoder: &Encoder, n: usize, h: usize, inverse: bool) -> Map {
    let (mut here, mut up, mut down) = (vec![ZERO; n], vec![ZERO; n], vec![ZERO; n]);
    for i in (0..n).step_by(2 * h) {
        for (j, w) in encoder.twiddles(h).enumerate() {
            let (a, b) = (i + j, i + j + h);
            if inverse {
                let half_turn = w.conj() * 0.5;
                (here[a], up[a]) = (ONE * 0.5, ONE * 0.5);
                (here[b], down[b]) = (-half_turn, half_turn);
            } else {
                (here[a], up[a]) = (ONE, w);
                (here[b], down[b]) = (-w, ONE);
            }
        }
    }
    let mut map = Map::from([(0, here)]);
    add_to(&mut map, h % n, &up);
    add_to(&mut map, (n - h) % n, &down);
    map
}

fn add_to(map: &mut Map, step: usize, weights: &[Complex64]) {
    let sum = map.entry(step).or_insert_with(|| vec![ZERO; weights.len()]);
    for (sum, w) in sum.iter_mut().zip(weights) {
        *sum += w;
    }
}

/// First `a`, then `b`; steps modulo `period`.
fn compose(b: &Map, a: &Map, period: usize) -> Map {
    let mut map = Map::new();
    for (kb, wb) in b {
        for (ka, wa) in a {
            let product: Vec<_> = (0..wb.len())
                .map(|s| wb[s] * wa[(s + kb) % wa.len()])
                .collect();
            add_to(&mut map, (ka + kb) % period, &product);
        }
    }
    without_nothing(map)
}

fn without_nothing(mut map: Map) -> Map {
    map.retain(|_, weights| weights.iter().any(|w| w.norm_sqr() > NOTHING * NOTHING));
    map
}

/// The same map, with weights of twice the period.
fn twice(map: &Map) -> Map {
    map.iter().map(|(&k, w)| (k, w.repeat(2))).collect()
}

/// `u = low + i high` in the low half of a period of 2 n, `low + i high` in the high half too.
fn fold(n: usize) -> Map {
    let half = |low, high| [vec![low; n], vec![high; n]].concat();
    Map::from([(0, half(ONE, I)), (n, half(I, ONE))])
}

/// A map of period n on each half of a period of 2 n.
fn halves(map: &Map, n: usize) -> Map {
    let mut both = Map::new();
    for (&k, weights) in map {
        let part = |wraps: bool| -> Vec<Complex64> {
            let weight = |s: usize| {
                if (s % n + k >= n) == wraps {
                    weights[s % n]
                } else {
                    ZERO
                }
            };
            (0..2 * n).map(weight).collect()
        };
        add_to(&mut both, k, &part(false));
        add_to(&mut both, (k + n) % (2 * n), &part(true));
    }
    without_nothing(both)
}

/// Rotations of one step, of which a weighted sum is made, and the step that the sum takes then.
#[derive(Clone, Debug)]
pub(super) struct Giant {
    /// The rotation of the sum.
    pub(super) step: i64,
    /// Rotations of the operand, and their weights.
    pub(super) terms: Vec<(i64, Vec<Complex64>)>,
}

/// Splits a map into sums of at most `most` rotations, a power of two, of the same steps: baby steps and giant steps.
pub(super) fn split(map: &Map, period: usize, most: usize) -> Vec<Giant> {
    let centred = |k: usize| k as i64 - if 2 * k >= period { period as i64 } else { 0 };
    let stride = map
        .keys()
        .filter(|&&k| k > 0)
        .map(|k| 1 << k.trailing_zeros())
        .min();
    let stride: i64 = stride.unwrap_or(1);
    if map.len() <= most {
        let terms = map.iter().map(|(&k, w)| (centred(k), w.clone())).collect();
        return vec![Giant { step: 0, terms }];
    }
    let babies = stride * most as i64;
    let mut giants: BTreeMap<i64, Giant> = BTreeMap::new();
    for (&k, weights) in map {
        let k = centred(k);
        let baby = k.rem_euclid(babies);
        let step = k - baby;
        // What is rotated by the giant step afterwards.
        let len = weights.len() as i64;
        let from = |s: usize| (s as i64 - step).rem_euclid(len) as usize;
        let weights = (0..weights.len()).map(|s| weights[from(s)]).collect();
        let giant = giants.entry(step).or_insert_with(|| Giant {
            step,
            terms: vec![],
        });
        giant.terms.push((baby, weights));
    }
    giants.into_values().collect()
}
