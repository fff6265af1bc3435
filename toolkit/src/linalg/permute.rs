//! Permutations of slots, across the units of a matrix, by baby steps and giant steps.
//!
//! The steps of a [`SlotMap`](super::slot_map::SlotMap) are split by their remainders modulo a power of two, which suits diagonals
//! side by side. Those of a transpose are multiples of n - 1, moved by a constant for each pair of units: a [`Permutation`] is told
//! which multiple a slot takes and splits that. Key switches and keys of transposes, as the tests count them:
//!
//! | unit | matrix | by multiples, here | by remainders, as a slot map |
//! |---|---|---|---|
//! | 64 x 64 | 64 x 64 | 22, 22 | 78, 78 |
//! | 128 x 128 | 128 x 128 | 30, 30 | 150, 150 |
//! | 16 x 256 | 16 x 256 | 54, 39 | 270, 270 |
//!
//! Slot maps have weights, groups of ciphertexts, and forms without a level, which permutations have not.

use std::collections::{BTreeMap, BTreeSet};

use crate::Slots;

/// A rotation, in 0..slots.
type Steps = usize;
/// Masks by giant step, then by baby step.
type Masks = BTreeMap<Steps, BTreeMap<Steps, Vec<f64>>>;

/// How slots move: every slot of a result comes from at most one slot of a source. One level.
///
/// A slot that moves by an offset takes a baby step with its source (rotated once for all results), then a mask, then, summed
/// with the others of its giant step, the rest: with c distinct offsets about 2 sqrt(c) rotations
/// (Halevi and Shoup, ePrint 2014/106 and 2018/244).
pub(super) struct Permutation<K> {
    slots: usize,
    /// The sources of each result with what is taken from them.
    edges: Vec<Vec<(usize, K)>>,
    tables: BTreeMap<K, Masks>,
}

impl<K: Ord + Clone> Permutation<K> {
    /// `edges` are the sources of each result, by unit; results with equal lists of kinds share their masks. `pattern` says for
    /// a kind and a slot of the result which slot of the source it comes from, and the position of its offset in a list of
    /// offsets `stride` apart, which at least `least` baby steps and giant steps divide.
    pub(super) fn new(
        slots: usize,
        edges: Vec<Vec<(usize, K)>>,
        stride: i64,
        least: usize,
        scale: f64,
        pattern: impl Fn(&K, usize) -> Option<(usize, i64)>,
    ) -> Self {
        let kinds: BTreeSet<K> = edges.iter().flatten().map(|(_, k)| k.clone()).collect();
        let positions: BTreeSet<i64> = kinds
            .iter()
            .flat_map(|kind| (0..slots).filter_map(|slot| pattern(kind, slot).map(|p| p.1)))
            .collect();
        let baby = (positions.len() as f64).sqrt().ceil() as usize;
        let baby = baby.next_power_of_two().max(least) as i64;
        let most = slots as i64;
        let tables = kinds
            .into_iter()
            .map(|kind| {
                let mut masks = Masks::new();
                for slot in 0..slots {
                    let Some((source, position)) = pattern(&kind, slot) else {
                        continue;
                    };
                    let giant = position.div_euclid(baby) * baby * stride;
                    let step = source as i64 - slot as i64 - giant;
                    let (giant, step) = (giant.rem_euclid(most), step.rem_euclid(most));
                    let mask = masks.entry(giant as usize).or_default();
                    let mask = mask
                        .entry(step as usize)
                        .or_insert_with(|| vec![0.0; slots]);
                    mask[(slot + giant as usize) % slots] = scale;
                }
                (kind, masks)
            })
            .collect();
        Self {
            slots,
            edges,
            tables,
        }
    }

    /// The sources that need each baby step.
    fn babies(&self) -> BTreeMap<Steps, BTreeSet<usize>> {
        let mut babies: BTreeMap<Steps, BTreeSet<usize>> = BTreeMap::new();
        for (source, kind) in self.edges.iter().flatten() {
            for masks in self.tables[kind].values() {
                for &step in masks.keys() {
                    babies.entry(step).or_default().insert(*source);
                }
            }
        }
        babies
    }

    fn giants(&self, edges: &[(usize, K)]) -> BTreeSet<Steps> {
        let tables = edges.iter().map(|(_, kind)| &self.tables[kind]);
        tables.flat_map(|masks| masks.keys().copied()).collect()
    }

    /// Key switches, all units together.
    pub(super) fn key_switches(&self) -> usize {
        let babies = self.babies();
        let babies = babies.iter().filter(|b| *b.0 != 0).map(|b| b.1.len());
        let giants = self.edges.iter().map(|edges| {
            let giants = self.giants(edges);
            giants.len() - usize::from(giants.contains(&0))
        });
        babies.sum::<usize>() + giants.sum::<usize>()
    }

    /// Records it.
    #[track_caller]
    pub(super) fn apply(&self, src: &Slots) -> Slots {
        debug_assert_eq!(self.slots, src.slots());
        let rotated: BTreeMap<Steps, (Slots, Vec<usize>)> = self
            .babies()
            .into_iter()
            .map(|(step, sources)| {
                let sources: Vec<usize> = sources.into_iter().collect();
                (step, (src.pick(&sources).rotate(step as i64), sources))
            })
            .collect();
        let mut classes: BTreeMap<Vec<&K>, Vec<usize>> = BTreeMap::new();
        for (result, edges) in self.edges.iter().enumerate() {
            let kinds = edges.iter().map(|(_, kind)| kind).collect();
            classes.entry(kinds).or_default().push(result);
        }
        let mut parts = vec![];
        let mut order = vec![0; self.edges.len()];
        let mut next = 0;
        for (kinds, results) in classes {
            let mut sum: Option<Slots> = None;
            for giant in self.giants(&self.edges[results[0]]) {
                let mut inner: Option<Slots> = None;
                for (edge, kind) in kinds.iter().enumerate() {
                    let masks = self.tables[*kind].get(&giant);
                    for (step, mask) in masks.into_iter().flatten() {
                        let (batch, sources) = &rotated[step];
                        let picked: Vec<usize> = results
                            .iter()
                            .filter_map(|&r| sources.binary_search(&self.edges[r][edge].0).ok())
                            .collect();
                        let term = batch.pick(&picked).multiply_plain(vec![mask.clone()]);
                        inner = Some(plus(inner, term));
                    }
                }
                sum = inner.map(|inner| plus(sum.take(), inner.rotate(giant as i64)));
            }
            for &result in &results {
                order[result] = next;
                next += 1;
            }
            parts.extend(sum);
        }
        let parts: Vec<&Slots> = parts.iter().collect();
        Slots::concat(&parts).map_or_else(|| src.clone(), |all| all.pick(&order))
    }
}

/// A sum that grows term by term: the terms need not be alive at once, as those of a balanced tree are.
pub(super) fn plus(sum: Option<Slots>, term: Slots) -> Slots {
    match sum {
        Some(sum) => sum.add(&term),
        None => term,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cleartext, EncodingUnit, Program, Recorded, Recorder, Samples,
        linalg::{slot_map::SlotMap, transpose::transposition},
    };

    /// Key switches and keys.
    type Counts = (usize, usize);

    impl<K: Ord + Clone> Permutation<K> {
        /// The same as a map without structure.
        fn as_slot_map(&self, inputs: usize) -> SlotMap {
            let slots = self.slots;
            let mut map = SlotMap::new(1, slots, inputs, self.edges.len());
            for (output, edges) in self.edges.iter().enumerate() {
                for (input, kind) in edges {
                    for (giant, masks) in &self.tables[kind] {
                        for (step, mask) in masks {
                            for slot in (0..slots).filter(|&s| mask[s] != 0.0) {
                                let to = (slot + slots - giant) % slots;
                                let from = (slot + step) % slots;
                                map.add((output, to), (*input, from), mask[slot]);
                            }
                        }
                    }
                }
            }
            map
        }
    }

    fn transpose(unit: EncodingUnit, (rows, cols): (usize, usize), general: bool) -> Program {
        let recorder = Recorder::new(unit.slots()).unwrap();
        let a = recorder.matrix("a", rows, cols, unit);
        let a = a.recorded();
        let permutation = transposition(unit, rows, cols);
        let result = if general {
            permutation.as_slot_map(a.units()).apply(a)
        } else {
            permutation.apply(a)
        };
        recorder.output("at", &result);
        Program::new(recorder.finish().unwrap())
    }

    fn counts(program: &Program) -> Counts {
        let switches = crate::OpCount::of(program).key_switches();
        (switches, crate::interpret::rotation_steps(program).len())
    }

    #[test]
    fn transposes_take_fewer_rotations_than_as_general_maps() {
        for (height, width, size, expected) in [
            (64, 64, (64, 64), [(22, 22), (78, 78)]),
            (128, 128, (128, 128), [(30, 30), (150, 150)]),
            (16, 256, (16, 256), [(54, 39), (270, 270)]),
            (8, 16, (11, 19), [(34, 17), (73, 30)]),
        ] {
            let unit = EncodingUnit::new(height, width).unwrap();
            let (own, general) = (transpose(unit, size, false), transpose(unit, size, true));
            let inputs = Samples::uniform(-1.0, 1.0).draw(own.circuit(), 1).unwrap();
            let run = |program| Cleartext::run(program, &inputs).unwrap().slots;
            assert_eq!(run(&own), run(&general));
            assert_eq!(
                [counts(&own), counts(&general)],
                expected,
                "{unit} {size:?}"
            );
        }
    }
}
