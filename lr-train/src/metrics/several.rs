//! How good a model of several classes is.

use serde::{Deserialize, Serialize};

use crate::data::DataError;

/// The position of the highest score, of equal ones the first; none without scores.
pub(crate) fn highest(scores: impl Iterator<Item = f64>) -> Option<usize> {
    let best = scores
        .enumerate()
        .fold(None, |best, (at, score)| match best {
            Some((_, highest)) if highest >= score => best,
            _ => Some((at, score)),
        });
    best.map(|(at, _)| at)
}

/// One of several classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// Rows that are of it.
    pub rows: usize,
    /// Share of these that were taken for it; none if there are none.
    pub recall: Option<f64>,
    /// Share of rows taken for it that are of it; none if no row was.
    pub precision: Option<f64>,
}

/// How good a model of several classes is on labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct SeveralClasses {
    /// Rows.
    pub rows: usize,
    /// Share of rows taken for what they are.
    pub accuracy: f64,
    /// Share of the largest class: the accuracy of a model that always says it.
    pub largest_class: f64,
    /// The mean recall of the classes that rows are of.
    pub balanced_accuracy: f64,
    /// Each class.
    pub classes: Vec<ClassFigures>,
    /// `confusion[is][told]`: rows of one class that were taken for another.
    pub confusion: Vec<Vec<usize>>,
}

impl SeveralClasses {
    /// Compares the classes told with those that rows are of, both by their position among the names.
    ///
    /// # Errors
    /// [`DataError::Length`]; [`DataError::EmptyTable`] without rows; [`DataError::RowOutOfRange`] for a class without a name.
    pub fn measure(told: &[usize], labels: &[usize], names: &[String]) -> Result<Self, DataError> {
        let rows = labels.len();
        DataError::expect_length("accuracy", "classes told", told.len(), rows)?;
        if rows == 0 {
            return Err(DataError::EmptyTable { header: false });
        }
        if let Some(&row) = told
            .iter()
            .chain(labels)
            .find(|class| **class >= names.len())
        {
            return Err(DataError::RowOutOfRange {
                what: "class of a row",
                row,
                rows: names.len(),
            });
        }
        let count = names.len();
        let mut confusion = vec![vec![0usize; count]; count];
        for (&told, &is) in told.iter().zip(labels) {
            confusion[is][told] += 1;
        }
        let of = |class: usize| confusion[class].iter().sum::<usize>();
        let taken = |class: usize| confusion.iter().map(|row| row[class]).sum::<usize>();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let classes: Vec<ClassFigures> = (0..count)
            .map(|class| ClassFigures {
                class: names[class].clone(),
                rows: of(class),
                recall: share(confusion[class][class], of(class)),
                precision: share(confusion[class][class], taken(class)),
            })
            .collect();
        let right: usize = (0..count).map(|class| confusion[class][class]).sum();
        let recalls: Vec<f64> = classes.iter().filter_map(|class| class.recall).collect();
        Ok(Self {
            rows,
            accuracy: right as f64 / rows as f64,
            largest_class: (0..count).map(of).max().unwrap_or(0) as f64 / rows as f64,
            balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len().max(1) as f64,
            classes,
            confusion,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_known_case() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let found = SeveralClasses::measure(&[0, 0, 1, 2, 0], &[0, 0, 1, 1, 2], &names).unwrap();
        assert_eq!(found.accuracy, 0.6);
        assert_eq!(found.largest_class, 0.4);
        assert_eq!(found.balanced_accuracy, 0.5);
        let recalls: Vec<_> = found.classes.iter().map(|c| c.recall).collect();
        assert_eq!(recalls, [Some(1.0), Some(0.5), Some(0.0), None]);
        assert_eq!(found.classes[0].precision, Some(2.0 / 3.0));
        assert_eq!(found.confusion[1], [0, 1, 1, 0]);
        for (told, labels) in [(&[0][..], &[0, 1][..]), (&[], &[]), (&[4], &[0])] {
            assert!(SeveralClasses::measure(told, labels, &names).is_err());
        }
        assert_eq!(highest([1.0, 3.0, 3.0].into_iter()), Some(1));
        assert_eq!(highest(std::iter::empty()), None);
    }
}
