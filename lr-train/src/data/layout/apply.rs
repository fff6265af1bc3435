//! Making features by a layout.

use ndarray::{Array2, ArrayView1};

use super::{Cells, Layout, Source};
use crate::data::{
    DataError, FeatureTable,
    csv::{Filled, Unseen},
    raw::{RawColumn, RawTable},
};

impl Layout {
    /// The features of rows that were read for it: its columns in its order.
    ///
    /// # Errors
    /// [`DataError::NoMedian`], [`DataError::UnseenLevel`]; those of [`FeatureTable::new`].
    pub(in crate::data) fn apply(&self, table: RawTable) -> Result<FeatureTable, DataError> {
        let RawTable {
            mut values,
            columns,
            named,
            rules,
            mut reading,
            ..
        } = table;
        for (source, values) in self.columns.iter().zip(values.columns()) {
            reading.filled.extend(filled(source, &values)?);
        }
        let plain = |source: &Source| {
            matches!(
                source.cells,
                Cells::Numbers {
                    indicator: false,
                    ..
                }
            )
        };
        let features = if self.columns.iter().all(plain) {
            for (source, mut column) in self.columns.iter().zip(values.columns_mut()) {
                if let Cells::Numbers {
                    median: Some(median),
                    ..
                } = source.cells
                {
                    column.mapv_inplace(|v| if v.is_nan() { median } else { v });
                }
            }
            values
        } else {
            self.widened(&values, &columns, rules.unseen)?
        };
        let table = FeatureTable::new(features, self.features())?
            .read_as(reading)
            .laid_out(self.clone());
        Ok(if named { table } else { table.unnamed() })
    }

    fn widened(
        &self,
        values: &Array2<f64>,
        columns: &[RawColumn],
        unseen: Unseen,
    ) -> Result<Array2<f64>, DataError> {
        let width = self.columns.iter().map(|s| s.features().len()).sum();
        let mut features = Array2::zeros((values.nrows(), width));
        let mut at = 0;
        for ((source, values), column) in (self.columns.iter().zip(values.columns())).zip(columns) {
            match &source.cells {
                Cells::Numbers { median, .. } => {
                    let median = median.unwrap_or(f64::NAN);
                    let filled = values.mapv(|v| if v.is_nan() { median } else { v });
                    features.column_mut(at).assign(&filled);
                    at += 1;
                }
                Cells::Categories { levels, .. } => {
                    let places = places(source, column, levels);
                    for (row, &code) in values.iter().enumerate().filter(|(_, c)| **c >= 0.0) {
                        match places[code as usize] {
                            Some(Some(place)) => features[(row, at + place)] = 1.0,
                            Some(None) => {}
                            None if unseen == Unseen::Other => {}
                            None => {
                                return Err(DataError::UnseenLevel {
                                    column: source.name.clone(),
                                    level: known(column, code),
                                    row: row + 1,
                                });
                            }
                        }
                    }
                    at += levels.len();
                }
            }
            if let Cells::Numbers {
                indicator: true, ..
            }
            | Cells::Categories {
                indicator: true, ..
            } = source.cells
            {
                let missing = values.mapv(|v| f64::from(u8::from(v.is_nan())));
                features.column_mut(at).assign(&missing);
                at += 1;
            }
        }
        Ok(features)
    }
}

fn known(column: &RawColumn, code: f64) -> String {
    let mut levels = column.levels.iter().flatten();
    levels.nth(code as usize).cloned().unwrap_or_default()
}

/// For each level as it was read: the column that it becomes, that it becomes none as the reference, or that it is not known.
fn places(source: &Source, column: &RawColumn, levels: &[String]) -> Vec<Option<Option<usize>>> {
    let reference = match &source.cells {
        Cells::Categories { reference, .. } => reference.as_ref(),
        Cells::Numbers { .. } => None,
    };
    let place = |level: &String| match levels.iter().position(|known| known == level) {
        Some(place) => Some(Some(place)),
        None => (reference == Some(level)).then_some(None),
    };
    column.levels.iter().flatten().map(place).collect()
}

/// What stands for the missing values of a column, if it has any.
fn filled(source: &Source, values: &ArrayView1<'_, f64>) -> Result<Option<Filled>, DataError> {
    let count = values.iter().filter(|v| v.is_nan()).count();
    if count == 0 {
        return Ok(None);
    }
    let column = source.name.clone();
    if !source.takes_missing() {
        return Err(DataError::NoMedian { column, count });
    }
    let (median, indicator) = match source.cells {
        Cells::Numbers { median, indicator } => (median, indicator),
        Cells::Categories { indicator, .. } => (None, indicator),
    };
    Ok(Some(Filled {
        column,
        count,
        median,
        in_training: indicator,
    }))
}
