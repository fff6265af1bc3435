//! Fitting a layout to training rows.

use ndarray::ArrayView1;

use super::{Cells, Layout, Source};
use crate::{
    data::{
        DataError,
        raw::{RawColumn, RawTable},
    },
    preprocess::median,
};

impl Layout {
    /// Fits to rows as they were read: medians and levels are those of these rows.
    ///
    /// # Errors
    /// [`DataError::AllMissing`].
    pub(in crate::data) fn fit(table: &RawTable) -> Result<Self, DataError> {
        let columns = table.columns.iter().zip(table.values.columns());
        let source = |(column, values): (&RawColumn, ArrayView1<'_, f64>)| {
            let present: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
            if present.is_empty() {
                return Err(DataError::AllMissing {
                    column: column.name.clone(),
                    rows: values.len(),
                });
            }
            let indicator = present.len() < values.len();
            let cells = match &column.levels {
                None => Cells::Numbers {
                    median: table.rules.imputes().then(|| median(present)),
                    indicator,
                },
                Some(levels) => categories(levels, &present, table.rules.imputes(), indicator),
            };
            Ok(Source {
                name: column.name.clone(),
                cells,
            })
        };
        Ok(Self {
            named: table.named,
            missing: table.missing.clone(),
            columns: columns.map(source).collect::<Result<_, _>>()?,
        })
    }
}

fn categories(levels: &[String], codes: &[f64], missing: bool, indicator: bool) -> Cells {
    let mut counts = vec![0usize; levels.len()];
    for &code in codes {
        counts[code as usize] += 1;
    }
    let mut there: Vec<(&String, usize)> = levels.iter().zip(counts).collect();
    there.retain(|(_, count)| *count > 0);
    there.sort();
    let most = there.iter().map(|(_, count)| *count).max();
    // One level alone is a constant column, which normalization leaves out and names.
    let reference = (there.len() > 1)
        .then(|| there.iter().position(|(_, count)| Some(*count) == most))
        .flatten()
        .map(|at| there.remove(at).0.clone());
    Cells::Categories {
        reference,
        levels: there.into_iter().map(|(level, _)| level.clone()).collect(),
        missing,
        indicator,
    }
}
