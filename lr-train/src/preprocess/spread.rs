//! Columns that leave little to learn once they are normalized.

use std::fmt;

use super::Preprocessor;
use crate::data::FeatureTable;

/// A column whose values, normalized, are nearly all the same.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpreadDoubt {
    /// Its name.
    pub column: String,
    /// Its position among the features as read, from 0.
    pub position: usize,
    /// What is wrong.
    pub spread: Spread,
}

/// How the values of a column lie.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Spread {
    /// They differ by no more than rounding.
    Rounding,
    /// They lie far from zero, and the normalization leaves them there: this share of their size is what varies.
    Narrow(f64),
    /// One value sets the range: the others lie within a tenth of it.
    OneValue {
        /// Its row, from 0.
        row: usize,
        /// It.
        value: f64,
    },
    /// A few rows set the range: the others lie within a tenth of it.
    FewRows {
        /// How many rows.
        rows: usize,
    },
}

/// A range of this part of the values is rounding.
const ROUNDING: f64 = 1e-12;
/// A standard deviation of this part of the mean is narrow.
const NARROW: f64 = 0.05;
/// A range of this part of the whole is that of the values that do not set it.
const TENTH: f64 = 0.1;
/// The share of rows at each end that are few, and the rows from which on they can be told from one value.
const FEW: f64 = 0.01;
const ROWS_FOR_FEW: usize = 200;

impl Preprocessor {
    /// Looks at the spread of each column that is kept, in the rows that it was fitted to.
    pub fn spreads(&self, train: &impl AsRef<FeatureTable>) -> Vec<SpreadDoubt> {
        let features = train.as_ref().features();
        let doubt = |column: &super::Column| {
            let values: Vec<f64> = features.column(column.position).to_vec();
            let spread = spread(&values, column.offset == 0.0)?;
            Some(SpreadDoubt {
                column: self.names[column.position].clone(),
                position: column.position,
                spread,
            })
        };
        self.columns.iter().filter_map(doubt).collect()
    }
}

/// What is wrong with values; `in_place` if the normalization does not move them towards zero.
fn spread(values: &[f64], in_place: bool) -> Option<Spread> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let at = |rank: usize| values[order[rank]];
    let last = values.len().checked_sub(1)?;
    let (low, high) = (at(0), at(last));
    let (range, size) = (high - low, high.abs().max(low.abs()));
    if range <= ROUNDING * size {
        return Some(Spread::Rounding);
    }
    let rows = values.len() as f64;
    let mean = values.iter().sum::<f64>() / rows;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / rows).sqrt();
    if in_place && deviation < NARROW * mean.abs() {
        return Some(Spread::Narrow(deviation / mean.abs()));
    }
    if last < 3 {
        return None;
    }
    for (row, from, to) in [(order[last], 0, last - 1), (order[0], 1, last)] {
        if at(to) - at(from) < TENTH * range {
            let value = values[row];
            return Some(Spread::OneValue { row, value });
        }
    }
    let few = (FEW * rows) as usize;
    let middle = at(last - few) - at(few);
    // Columns that are zero but for a few rows are what they are.
    (values.len() >= ROWS_FOR_FEW && middle > 0.0 && middle < TENTH * range).then(|| {
        let far = |v: &&f64| **v < at(few) - middle || **v > at(last - few) + middle;
        Spread::FewRows {
            rows: values.iter().filter(far).count(),
        }
    })
}

impl fmt::Display for SpreadDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, .. } = self;
        match self.spread {
            Spread::Rounding => write!(
                f,
                "the values of column {column:?} differ by no more than rounding: leave it out with --drop {column:?}"
            ),
            Spread::Narrow(share) => write!(
                f,
                "column {column:?} varies by {:.2} % of its size, and this normalization leaves nothing to learn of it: take --normalize standard",
                100.0 * share
            ),
            Spread::OneValue { row, value } => write!(
                f,
                "column {column:?} is {value:?} in row {}, and within a tenth of its range in all others: mend or cap that value, or leave the column \
                 out (--drop)",
                row + 1
            ),
            Spread::FewRows { rows } => write!(
                f,
                "{rows} rows set the range of column {column:?}, all others are within a tenth of it: cap its values or take their logarithms"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_that_leave_nothing_to_learn_are_told_apart() {
        let wave = |row: usize| (row as f64 * 0.7).sin();
        let of = |f: &dyn Fn(usize) -> f64, in_place| {
            let values: Vec<f64> = (0..300).map(f).collect();
            spread(&values, in_place)
        };
        assert_eq!(of(&wave, true), None);
        assert!(matches!(of(&|r| 2000.0 + wave(r), true), Some(Spread::Narrow(s)) if s < 1e-3));
        assert_eq!(of(&|r| 2000.0 + wave(r), false), None);
        assert_eq!(
            of(&|r| 1.0 + 1e-15 * wave(r), false),
            Some(Spread::Rounding)
        );
        let wild = |r| if r == 7 { -1e6 } else { wave(r) };
        assert_eq!(
            of(&wild, true),
            Some(Spread::OneValue {
                row: 7,
                value: -1e6
            })
        );
        let few = |r| if r % 150 == 7 { 1e3 } else { wave(r) };
        assert_eq!(of(&few, true), Some(Spread::FewRows { rows: 2 }));
        // A word that occurs in few rows is a column of its own.
        assert_eq!(of(&|r| f64::from(r % 150 == 7), true), None);
    }
}
