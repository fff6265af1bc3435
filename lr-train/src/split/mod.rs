//! Which rows are for training, testing and each minibatch. Everything follows from a seed, bit for bit on every platform.
//!
//! A purpose and an index select a ChaCha20 stream: its key is `seed (8 bytes, little-endian) | purpose (8) | index (8) | 0 (8)`.
//! Shuffles are Fisher-Yates from the back, with uniform indices by rejection (no floating point).

mod minibatches;

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

pub use minibatches::{ClassWeights, Minibatches, Order};

use crate::data::{DataError, Target};

/// Row numbers of two disjoint parts, each in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to test on.
    pub test: Vec<usize>,
}

impl Split {
    /// Two parts that have no row in common.
    pub fn new(train: Vec<usize>, test: Vec<usize>) -> Self {
        Self { train, test }
    }

    fn by(is_test: &[bool]) -> Self {
        Self::new(rows_of(is_test, false), rows_of(is_test, true))
    }
}

#[derive(Clone, Copy)]
enum Purpose {
    TrainTest = 1,
    Folds = 2,
    Minibatches = 3,
    Classes = 4,
}

/// Splits rows so that each class gives the same share to the test (rounded, at least 1 row and not all).
///
/// # Errors
/// [`DataError::Split`] if `test_share` is not between 0 and 1 exclusively, or a class has fewer than 2 rows.
pub fn train_test(labels: &[bool], test_share: f64, seed: u64) -> Result<Split, DataError> {
    let classes = [false, true].map(|class| rows_of(labels, class));
    train_test_of(classes, labels.len(), test_share, seed)
}

/// The same by what is to be learned: each class by itself, and all rows alike where there are no classes.
///
/// # Errors
/// As [`train_test`].
pub fn train_test_target(target: &Target, test_share: f64, seed: u64) -> Result<Split, DataError> {
    train_test_of(target.strata(), target.rows(), test_share, seed)
}

fn train_test_of(
    classes: impl IntoIterator<Item = Vec<usize>>,
    rows: usize,
    test_share: f64,
    seed: u64,
) -> Result<Split, DataError> {
    let mut test = vec![false; rows];
    let mut stream = stream(seed, Purpose::TrainTest, 0);
    for mut rows in classes {
        let possible = test_share > 0.0 && test_share < 1.0 && rows.len() >= 2;
        if !possible {
            return Err(DataError::Split {
                what: "share of test rows",
                value: test_share,
                rows: rows.len(),
                allowed: "give a share between 0 and 1, and at least 2 rows of each class",
            });
        }
        shuffle(&mut rows, &mut stream);
        // A share below 1 of a number of rows: the product is at most that number.
        let wanted = (test_share * rows.len() as f64).round() as usize;
        for &row in &rows[..wanted.clamp(1, rows.len() - 1)] {
            test[row] = true;
        }
    }
    Ok(Split::by(&test))
}

/// Splits rows into `folds` parts, each the test of one split, with the classes spread evenly: fold sizes within a class differ by
/// at most 1.
///
/// # Errors
/// [`DataError::Split`] unless 2 <= `folds` <= rows of the smaller class.
pub fn k_fold(labels: &[bool], folds: usize, seed: u64) -> Result<Vec<Split>, DataError> {
    let classes = [false, true].map(|class| rows_of(labels, class));
    k_fold_of(classes, labels.len(), folds, seed)
}

/// The same by what is to be learned: each class by itself, and all rows alike where there are no classes.
///
/// # Errors
/// As [`k_fold`].
pub fn k_fold_target(target: &Target, folds: usize, seed: u64) -> Result<Vec<Split>, DataError> {
    k_fold_of(target.strata(), target.rows(), folds, seed)
}

fn k_fold_of(
    classes: impl IntoIterator<Item = Vec<usize>>,
    rows: usize,
    folds: usize,
    seed: u64,
) -> Result<Vec<Split>, DataError> {
    let mut fold_of = vec![0; rows];
    let mut stream = stream(seed, Purpose::Folds, 0);
    let mut next = 0;
    for mut rows in classes {
        if folds < 2 || folds > rows.len() {
            return Err(DataError::Split {
                what: "number of folds",
                value: folds as f64,
                rows: rows.len(),
                allowed: "give at least 2 and at most as many as the smaller class has rows",
            });
        }
        shuffle(&mut rows, &mut stream);
        // The second class goes on where the first stopped, so that whole folds differ by at most 1, too.
        for row in rows {
            fold_of[row] = next;
            next = (next + 1) % folds;
        }
    }
    Ok((0..folds)
        .map(|fold| Split::by(&fold_of.iter().map(|&f| f == fold).collect::<Vec<_>>()))
        .collect())
}

fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha20Rng {
    let mut key = [0; 32];
    for (at, word) in [seed, purpose as u64, index].into_iter().enumerate() {
        key[8 * at..][..8].copy_from_slice(&word.to_le_bytes());
    }
    ChaCha20Rng::from_seed(key)
}

/// Uniform below `n`, which is at least 1.
fn below(n: u64, stream: &mut ChaCha20Rng) -> u64 {
    // The largest multiple of n that fits: words at or above it would make small results likelier.
    let limit = u64::MAX - u64::MAX % n;
    loop {
        let word = stream.next_u64();
        if word < limit {
            return word % n;
        }
    }
}

fn shuffle(rows: &mut [usize], stream: &mut ChaCha20Rng) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, below(last as u64 + 1, stream) as usize);
    }
}

fn rows_of(labels: &[bool], class: bool) -> Vec<usize> {
    (0..labels.len()).filter(|&r| labels[r] == class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(negative: usize, positive: usize) -> Vec<bool> {
        (0..negative + positive).map(|i| i >= negative).collect()
    }

    #[test]
    fn parts_are_disjoint_complete_and_stratified() {
        let labels = labels(70, 30);
        let split = train_test(&labels, 0.2, 5).unwrap();
        let mut all = [split.train.clone(), split.test.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        assert_eq!(split.test.len(), 20);
        assert_eq!(split.test.iter().filter(|&&r| labels[r]).count(), 6);
        assert_eq!(split, train_test(&labels, 0.2, 5).unwrap());
        assert_ne!(split, train_test(&labels, 0.2, 6).unwrap());
        // Small classes give at least one row and keep one.
        let small = train_test(&[false, true, true, false], 0.01, 0).unwrap();
        assert_eq!((small.train.len(), small.test.len()), (2, 2));
    }

    #[test]
    fn shares_that_cannot_be() {
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(matches!(
                train_test(&labels(5, 5), share, 0),
                Err(DataError::Split { .. })
            ));
        }
        assert!(matches!(
            train_test(&labels(5, 1), 0.5, 0),
            Err(DataError::Split { rows: 1, .. })
        ));
        for folds in [0, 1, 4] {
            assert!(matches!(
                k_fold(&labels(5, 3), folds, 0),
                Err(DataError::Split { .. })
            ));
        }
        assert!(Minibatches::new(10, 0, Order::Original).is_err());
        assert!(Minibatches::full(0).is_err());
    }

    #[test]
    fn every_row_is_tested_in_one_fold() {
        let labels = labels(23, 9);
        let folds = k_fold(&labels, 5, 1).unwrap();
        let mut tested: Vec<usize> = folds.iter().flat_map(|f| f.test.clone()).collect();
        tested.sort_unstable();
        assert!(tested.into_iter().eq(0..32));
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.test.len(), 32);
            assert!((6..=7).contains(&fold.test.len()));
            let positives = fold.test.iter().filter(|&&r| labels[r]).count();
            assert!((1..=2).contains(&positives));
        }
        assert_ne!(folds, k_fold(&labels, 5, 2).unwrap());
    }

    #[test]
    fn minibatches_cover_an_epoch_and_start_anywhere() {
        let order = Order::Shuffled { seed: 3 };
        let batches = Minibatches::new(10, 3, order).unwrap();
        assert_eq!(batches.per_epoch(), 3);
        let first: Vec<_> = batches.starting_at(0).take(8).collect();
        for epoch in first.chunks(3) {
            let mut rows = epoch.concat();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), 3 * epoch.len());
        }
        assert_ne!(first[..3], first[3..6]);
        let later: Vec<_> = batches.starting_at(4).take(4).collect();
        assert_eq!(later, first[4..]);
        let original = Minibatches::new(5, 2, Order::Original).unwrap();
        let rows: Vec<_> = original.starting_at(0).take(3).collect();
        assert_eq!(rows, [[0, 1], [2, 3], [0, 1]]);
        let full = Minibatches::new(4, 9, order).unwrap();
        assert_eq!(full.starting_at(7).next().unwrap(), [0, 1, 2, 3]);
    }

    fn stratified(labels: &[bool], size: usize, weights: ClassWeights) -> Minibatches {
        Minibatches::of(labels, size, Order::Stratified { seed: 4, weights }).unwrap()
    }

    #[test]
    fn stratified_minibatches_have_the_shares_of_the_classes() {
        let labels = labels(87, 13);
        let batches = stratified(&labels, 30, ClassWeights::Equal);
        let first: Vec<_> = batches.starting_at(0).take(40).collect();
        for batch in &first {
            let positives = batch.iter().filter(|&&r| labels[r]).count();
            assert!((3..=5).contains(&positives), "{batch:?}");
            let mut rows = batch.clone();
            rows.sort_unstable();
            rows.dedup();
            // One that lies in two passes may have a row twice.
            assert!(rows.len() >= 24, "{batch:?}");
        }
        // Ten epochs, in which every row comes ten times.
        let mut counts = vec![0; 100];
        first
            .iter()
            .take(100 / 3)
            .flatten()
            .for_each(|&r| counts[r] += 1);
        first[33].iter().take(10).for_each(|&r| counts[r] += 1);
        assert_eq!(counts, [10; 100]);
        let later: Vec<_> = batches.starting_at(17).take(23).collect();
        assert_eq!(later, first[17..]);
        let full = stratified(&labels, 200, ClassWeights::Equal);
        assert!(full.starting_at(3).next().unwrap().into_iter().eq(0..100));
        assert!(matches!(
            Minibatches::new(
                9,
                3,
                Order::Stratified {
                    seed: 0,
                    weights: ClassWeights::Equal
                }
            ),
            Err(DataError::OrderNeedsLabels)
        ));
    }

    #[test]
    fn weighted_classes_come_in_proportion() {
        let labels = labels(90, 10);
        let share = |weights, size| {
            let batches = stratified(&labels, size, weights);
            let rows: Vec<usize> = batches.starting_at(0).take(100).flatten().collect();
            let mut counts = vec![0i32; 100];
            rows.iter().for_each(|&r| counts[r] += 1);
            for class in [&counts[..90], &counts[90..]] {
                // Within a class all come alike.
                assert!(class.iter().max().unwrap() - class.iter().min().unwrap() <= 1);
            }
            let share = counts[90..].iter().sum::<i32>() as f64 / rows.len() as f64;
            assert!((batches.weighted_share().unwrap() - share).abs() < 1e-3);
            share
        };
        assert_eq!(share(ClassWeights::Balanced, 20), 0.5);
        assert_eq!(share(ClassWeights::Balanced, 100), 0.5);
        let given = |negative, positive| ClassWeights::Given { negative, positive };
        assert!((share(given(1.0, 5.0), 30) - 50.0 / 140.0).abs() < 1e-3);
        assert!((share(given(2.0, 10.0), 30) - 50.0 / 140.0).abs() < 1e-3);
        for weights in [
            given(0.0, 1.0),
            given(1.0, f64::NAN),
            given(1e-9, 1.0),
            given(1e-300, 1e300),
        ] {
            assert!(Order::Stratified { seed: 0, weights }.check().is_err());
        }
        // A set of one class has nothing to weigh.
        let one = Minibatches::of(
            &[true; 4],
            2,
            Order::Stratified {
                seed: 0,
                weights: ClassWeights::Balanced,
            },
        );
        assert_eq!(one.unwrap().starting_at(0).take(2).flatten().count(), 4);
    }

    #[test]
    fn orders_are_pinned() {
        // A change of these values would change every stored run's minibatches.
        let batches = Minibatches::new(12, 6, Order::Shuffled { seed: 0 }).unwrap();
        assert_eq!(batches.starting_at(1).next().unwrap(), [4, 10, 2, 8, 7, 11]);
        let batches = stratified(&labels(9, 3), 6, ClassWeights::Balanced);
        assert_eq!(batches.starting_at(1).next().unwrap(), [11, 5, 9, 3, 10, 4]);
        assert_eq!(
            train_test(&labels(6, 6), 0.5, 0).unwrap().test,
            [0, 3, 5, 7, 9, 11]
        );
    }

    #[test]
    fn indices_below_a_bound_are_uniform() {
        let mut stream = stream(1, Purpose::Folds, 0);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[below(6, &mut stream) as usize] += 1;
        }
        // 10,000 expected, standard deviation 91.
        assert!(
            counts.iter().all(|c| c.abs_diff(10_000) < 500),
            "{counts:?}"
        );
    }
}
