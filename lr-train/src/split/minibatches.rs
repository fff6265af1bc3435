//! Which rows each iteration sees.

use std::sync::Arc;

use chacha20::ChaCha20Rng;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Purpose, rows_of, shuffle, stream};
use crate::{
    data::{DataError, Dataset, Target},
    plain::{Examples, FitError, View},
};

/// In which order rows come into minibatches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Order {
    /// As they stand in the data.
    Original,
    /// Reshuffled for each epoch.
    Shuffled {
        /// Decides the order.
        seed: u64,
    },
    /// Shuffled within each class; every minibatch has each class's share, to one row.
    #[serde(rename_all = "kebab-case")]
    Stratified {
        /// Decides the order.
        seed: u64,
        /// What the shares are.
        weights: ClassWeights,
    },
}

/// How much a row weighs by its class: rows are drawn in proportion, so that those of a class that weighs more come oftener.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ClassWeights {
    /// All alike: classes have the shares that they have in the data.
    Equal,
    /// Both classes have half of each minibatch.
    Balanced,
    /// A row of a class weighs this much, above 0 and finite; the quotient of both counts.
    Given {
        /// One of the negative class.
        negative: f64,
        /// One of the positive class.
        positive: f64,
    },
}

/// Weights that are farther apart leave one class alone.
const MOST_APART: f64 = 1e6;

impl Order {
    /// Whether classes have other shares than in the data.
    pub fn weighs_classes(self) -> bool {
        !matches!(
            self,
            Self::Original
                | Self::Shuffled { .. }
                | Self::Stratified {
                    weights: ClassWeights::Equal,
                    ..
                }
        )
    }

    /// The share of the positive class in minibatches, as a quotient of integers, where it is this many of so many rows; none where order alone decides.
    fn share(self, positives: usize, rows: usize) -> Option<(u64, u64)> {
        let Self::Stratified { weights, .. } = self else {
            return None;
        };
        let negatives = rows - positives;
        Some(match weights {
            ClassWeights::Balanced if positives > 0 && negatives > 0 => (1, 2),
            ClassWeights::Given { negative, positive } => {
                let (p, n) = (positive * positives as f64, negative * negatives as f64);
                const PARTS: u64 = 1 << 32;
                ((p / (p + n) * PARTS as f64).round() as u64, PARTS)
            }
            ClassWeights::Equal | ClassWeights::Balanced => (positives as u64, rows as u64),
        })
    }

    /// # Errors
    /// [`FitError::Hyperparameter`] for weights that are none.
    pub(crate) fn check(self) -> Result<(), FitError> {
        let Self::Stratified {
            weights: ClassWeights::Given { negative, positive },
            ..
        } = self
        else {
            return Ok(());
        };
        let quotient = positive / negative;
        for value in [negative, positive, quotient] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(FitError::Hyperparameter {
                    what: "weight of a class",
                    value,
                    allowed: "weights are positive numbers",
                });
            }
        }
        if !(1.0 / MOST_APART..=MOST_APART).contains(&quotient) {
            return Err(FitError::Hyperparameter {
                what: "quotient of the classes' weights",
                value: quotient,
                allowed: "a row weighs at most a million times as much as one of the other class",
            });
        }
        Ok(())
    }
}

/// The rows of each iteration's minibatch.
///
/// An epoch is one pass over the rows: consecutive pieces of `size` rows of that epoch's order. Rows that do not fill the last piece
/// sit out that epoch; in shuffled order these are others each time. If `size` is all rows or more, each minibatch is all rows in
/// their original order, whatever the order asked for, unless classes weigh differently.
///
/// In [stratified](Order::Stratified) order minibatches are consecutive pieces of an endless sequence, in which both classes take turns in
/// proportion to their shares; the rows of a class come one after the other, in an order that is new each time all of them have been there.
#[derive(Clone, Debug, PartialEq)]
pub struct Minibatches {
    rows: usize,
    size: usize,
    order: Order,
    /// Rows of the negative and of the positive class, where these matter.
    classes: Option<Arc<[Vec<usize>; 2]>>,
}

impl Minibatches {
    /// Minibatches of `size` out of `rows` rows.
    ///
    /// # Errors
    /// [`DataError::Split`] if either is 0; [`DataError::OrderNeedsLabels`] for [`Order::Stratified`].
    pub fn new(rows: usize, size: usize, order: Order) -> Result<Self, DataError> {
        if let Order::Stratified { .. } = order {
            return Err(DataError::OrderNeedsLabels);
        }
        Self::sized(rows, size, order)
    }

    /// Minibatches of `size` out of rows with these labels.
    ///
    /// # Errors
    /// [`DataError::Split`] if there are none, or `size` is 0.
    pub fn of(labels: &[bool], size: usize, order: Order) -> Result<Self, DataError> {
        let mut batches = Self::sized(labels.len(), size, order)?;
        if let Order::Stratified { .. } = order {
            let classes = [false, true].map(|class| rows_of(labels, class));
            batches.classes = Some(Arc::new(classes));
        }
        Ok(batches)
    }

    /// Minibatches of `size` out of a data set's rows.
    ///
    /// # Errors
    /// As [`Minibatches::of`]; [`DataError::OrderNeedsLabels`] for [`Order::Stratified`] where its target is not two classes.
    pub fn of_data(data: &Dataset, size: usize, order: Order) -> Result<Self, DataError> {
        match data.target() {
            Target::Binary { labels, .. } => Self::of(labels, size, order),
            Target::Several { .. } | Target::Real { .. } => Self::new(data.rows(), size, order),
        }
    }

    /// Minibatches of `size` out of signed rows, whose first column has the sign of the label.
    ///
    /// # Errors
    /// As [`Minibatches::of`].
    pub fn of_signed(z: &Array2<f64>, size: usize, order: Order) -> Result<Self, DataError> {
        let labels: Vec<bool> = z.column(0).iter().map(|y| *y > 0.0).collect();
        Self::of(&labels, size, order)
    }

    /// Minibatches of `size` out of examples.
    ///
    /// # Errors
    /// As [`Minibatches::of`]; [`DataError::OrderNeedsLabels`] for [`Order::Stratified`] where they are not signed by two classes.
    pub(crate) fn of_examples<'a>(
        examples: impl Into<View<'a>>,
        size: usize,
        order: Order,
    ) -> Result<Self, DataError> {
        let View { rows, constants } = examples.into();
        match constants {
            None => Self::of_signed(rows, size, order),
            Some(_) => Self::new(rows.nrows(), size, order),
        }
    }

    fn sized(rows: usize, size: usize, order: Order) -> Result<Self, DataError> {
        if rows == 0 || size == 0 {
            return Err(DataError::Split {
                what: "minibatch size",
                value: size as f64,
                rows,
                allowed: "both sizes must be at least 1",
            });
        }
        let (size, classes) = (size.min(rows), None);
        Ok(Self {
            rows,
            size,
            order,
            classes,
        })
    }

    /// Each minibatch is all rows.
    ///
    /// # Errors
    /// [`DataError::Split`] if there are none.
    pub fn full(rows: usize) -> Result<Self, DataError> {
        Self::new(rows, rows.max(1), Order::Original)
    }

    /// Rows in each minibatch.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Rows in all.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Minibatches in an epoch.
    pub fn per_epoch(&self) -> usize {
        self.rows / self.size
    }

    /// The share of the positive class in minibatches where it is not that of the data.
    pub(crate) fn weighted_share(&self) -> Option<f64> {
        let classes = self
            .classes
            .as_ref()
            .filter(|_| self.order.weighs_classes())?;
        let (part, whole) = self.order.share(classes[1].len(), self.rows)?;
        Some(part as f64 / whole as f64)
    }

    /// The rows of iterations `from`, `from + 1`, .. without end. Starting later gives the same minibatches as starting at 0 and
    /// skipping.
    pub fn starting_at(&self, from: usize) -> impl Iterator<Item = Vec<usize>> + use<> {
        let this = self.clone();
        let mut at = None;
        let mut rows = Vec::new();
        let mut turns = self.turns();
        (from..).map(move |iteration| {
            if let Some(turns) = &mut turns {
                return turns.piece(iteration, this.size);
            }
            let (epoch, piece) = (iteration / this.per_epoch(), iteration % this.per_epoch());
            if at != Some(epoch) {
                rows = this.epoch(epoch);
                at = Some(epoch);
            }
            rows[piece * this.size..][..this.size].to_vec()
        })
    }

    /// The minibatches of `count` iterations from `first`, taken from rows.
    pub fn select(&self, rows: &Examples, first: usize, count: usize) -> Vec<Examples> {
        let batches = self.starting_at(first).take(count);
        batches.map(|batch| rows.select(&batch)).collect()
    }

    fn epoch(&self, epoch: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.rows).collect();
        if let Order::Shuffled { seed } = self.order
            && self.size < self.rows
        {
            shuffle(
                &mut rows,
                &mut stream(seed, Purpose::Minibatches, epoch as u64),
            );
        }
        rows
    }

    /// None where classes do not matter: minibatches of all rows have their shares.
    fn turns(&self) -> Option<Turns> {
        let all = self.size == self.rows && !self.order.weighs_classes();
        let (Order::Stratified { seed, .. }, Some(classes), false) =
            (self.order, &self.classes, all)
        else {
            return None;
        };
        Some(Turns {
            share: self.order.share(classes[1].len(), self.rows)?,
            classes: classes.clone(),
            passes: [None, None],
            seed,
        })
    }
}

/// Both classes taking turns.
struct Turns {
    /// The positive class's.
    share: (u64, u64),
    classes: Arc<[Vec<usize>; 2]>,
    /// For each class: which pass over its rows, and their order in it.
    passes: [Option<(u64, Vec<usize>)>; 2],
    seed: u64,
}

impl Turns {
    /// Rows of the positive class among the first `count` of the sequence.
    fn positives(&self, count: u64) -> u64 {
        let (part, whole) = (u128::from(self.share.0), u128::from(self.share.1));
        // At most `count`.
        ((u128::from(count) * part + whole / 2) / whole) as u64
    }

    fn piece(&mut self, index: usize, size: usize) -> Vec<usize> {
        let from = index as u64 * size as u64;
        let turn = |at| {
            let before = self.positives(at);
            match self.positives(at + 1) > before {
                true => (1, before),
                false => (0, at - before),
            }
        };
        let turns: Vec<(usize, u64)> = (from..from + size as u64).map(turn).collect();
        turns
            .into_iter()
            .map(|(class, at)| self.row(class, at))
            .collect()
    }

    /// The row of a class that comes as number `at`.
    fn row(&mut self, class: usize, at: u64) -> usize {
        let rows = &self.classes[class];
        let (pass, place) = (at / rows.len() as u64, at % rows.len() as u64);
        let known = self.passes[class].take().filter(|(of, _)| *of == pass);
        let (_, order) = self.passes[class].insert(known.unwrap_or_else(|| {
            let mut order = rows.clone();
            let mut stream: ChaCha20Rng =
                stream(self.seed, Purpose::Classes, 2 * pass + class as u64);
            shuffle(&mut order, &mut stream);
            (pass, order)
        }));
        order[place as usize]
    }
}
