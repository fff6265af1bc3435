//! MNIST, threes against eights, the way the literature on encrypted training prepares it (HELR, ePrint 2018/662).

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::{
    Classes, DataError, Dataset,
    idx::{self, Images},
};
use crate::TrainError;

/// Pixels on a side of an image.
const SIDE: usize = 28;
/// Features on a side after halving.
const HALF: usize = SIDE / 2;

/// Training and test rows of one source.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parts {
    /// For training: 11,982 rows of MNIST.
    pub train: Dataset,
    /// For testing: 1,984 rows of MNIST.
    pub test: Dataset,
}

/// Reads the four IDX files (`train-images-idx3-ubyte` and so on, plain or with `.gz`) from a folder and keeps the
/// threes (negative) and eights (positive) in their original order.
///
/// 28x28 pixels become 196 features by [`halved`], integers from 0 to 7. Dividing them by the column maximum of the
/// training rows, which the literature does next, is [`Scheme::MaxAbs`](crate::preprocess::Scheme::MaxAbs).
///
/// # Errors
/// [`DataError::MnistMissing`], [`DataError::MnistCounts`], [`DataError::MnistSize`], [`DataError::OneClass`] if
/// threes or eights are absent; those of [`idx::read_images`].
pub fn three_against_eight(folder: &Path) -> Result<Parts, TrainError> {
    let part = |prefix: &str| {
        let images = find(folder, &format!("{prefix}-images-idx3-ubyte"))?;
        let labels = find(folder, &format!("{prefix}-labels-idx1-ubyte"))?;
        Ok::<_, TrainError>(prepare(
            &idx::read_images(&images)?,
            &idx::read_labels(&labels)?,
        )?)
    };
    Ok(Parts {
        train: part("train")?,
        test: part("t10k")?,
    })
}

/// One image of 28x28 bytes as 14x14 features: each is `(sum of p >> 5 over a 2x2 block) >> 2`, from 0 to 7.
pub fn halved(image: &[u8; SIDE * SIDE]) -> [u8; HALF * HALF] {
    std::array::from_fn(|i| {
        let (row, column) = (2 * (i / HALF), 2 * (i % HALF));
        let sum: u8 = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .iter()
            .map(|(r, c)| image[(row + r) * SIDE + column + c] >> 5)
            .sum();
        sum >> 2
    })
}

fn prepare(images: &Images, labels: &[u8]) -> Result<Dataset, DataError> {
    if images.count() != labels.len() {
        return Err(DataError::MnistCounts {
            images: images.count(),
            labels: labels.len(),
        });
    }
    let mut features = Vec::new();
    let mut eight = Vec::new();
    for (image, &label) in images.iter().zip(labels) {
        let Ok(image) = <&[u8; SIDE * SIDE]>::try_from(image) else {
            return Err(wrong_size(images));
        };
        if label == 3 || label == 8 {
            features.extend(halved(image).map(f64::from));
            eight.push(label == 8);
        }
    }
    if images.height() != SIDE {
        return Err(wrong_size(images));
    }
    if eight.is_empty() {
        return Err(DataError::EmptyTable { header: false });
    }
    if eight.iter().all(|&e| e == eight[0]) {
        return Err(DataError::OneClass {
            what: "MNIST 3 against 8",
            rows: eight.len(),
            value: if eight[0] { "8" } else { "3" }.to_owned(),
        });
    }
    let names = (0..HALF * HALF)
        .map(|i| format!("p{:02}{:02}", i / HALF, i % HALF))
        .collect();
    let features = Array2::from_shape_vec((eight.len(), HALF * HALF), features).map_err(|_| {
        DataError::DatasetShape {
            what: "features",
            found: 0,
            expected: HALF * HALF,
            per: "pixel",
        }
    })?;
    let classes = Classes {
        negative: "3".into(),
        positive: "8".into(),
    };
    Dataset::new(features, eight, names, classes)
}

fn wrong_size(images: &Images) -> DataError {
    DataError::MnistSize {
        height: images.height(),
        width: images.width(),
    }
}

fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    [name.to_owned(), format!("{name}.gz")]
        .iter()
        .map(|file| folder.join(file))
        .find(|path| path.is_file())
        .ok_or_else(|| DataError::MnistMissing {
            folder: folder.to_owned(),
            name: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::tests::external,
        preprocess::{Preprocessor, Scheme},
    };

    #[test]
    fn halving_follows_the_rule() {
        let mut image = [0; SIDE * SIDE];
        // 255 >> 5 = 7 four times: 28 >> 2 = 7.
        for at in [0, 1, SIDE, SIDE + 1] {
            image[at] = 255;
        }
        // 7 + 1 + 0 + 0 = 8 >> 2 = 2 in the last block; 31 >> 5 = 0.
        image[SIDE * SIDE - 1] = 224;
        image[SIDE * SIDE - 2] = 32;
        image[SIDE * SIDE - 1 - SIDE] = 31;
        let half = halved(&image);
        assert_eq!((half[0], half[HALF * HALF - 1]), (7, 2));
        assert_eq!(half.iter().filter(|&&p| p != 0).count(), 2);
    }

    #[test]
    fn mnist_is_prepared_bit_for_bit() {
        let Some(folder) = external("mnist") else {
            return;
        };
        let Parts { train, test } = three_against_eight(&folder).unwrap();
        assert_eq!((train.rows(), train.columns()), (11_982, 196));
        assert_eq!((test.rows(), test.columns()), (1_984, 196));
        assert_eq!((train.positives(), test.positives()), (5_851, 974));

        // The rule again, written another way, on the raw files.
        let images = idx::read_images(&find(&folder, "train-images-idx3-ubyte").unwrap()).unwrap();
        let labels = idx::read_labels(&find(&folder, "train-labels-idx1-ubyte").unwrap()).unwrap();
        assert_eq!((images.count(), labels.len()), (60_000, 60_000));
        let mut expected: Vec<Vec<f64>> = Vec::new();
        for (image, label) in images.iter().zip(&labels) {
            if ![3, 8].contains(label) {
                continue;
            }
            assert_eq!(train.labels()[expected.len()], *label == 8);
            let mut sums = [[0u32; 14]; 14];
            for (at, p) in image.iter().enumerate() {
                sums[at / 28 / 2][at % 28 / 2] += u32::from(*p) / 32;
            }
            expected.push(sums.iter().flatten().map(|s| f64::from(s / 4)).collect());
        }
        let maxima: Vec<f64> = (0..196)
            .map(|c| expected.iter().map(|row| row[c]).fold(0.0, f64::max))
            .collect();
        let model = Preprocessor::fit(&train, Scheme::MaxAbs).unwrap();
        let normalized = model.apply(&train).unwrap();
        let kept: Vec<usize> = model.kept().map(|(position, _)| position).collect();
        // Every column has a zero in some training row, so the constant ones are those whose maximum is zero.
        assert_eq!(
            kept,
            (0..196).filter(|&c| maxima[c] > 0.0).collect::<Vec<_>>()
        );
        assert_eq!(kept.len(), 196 - 34);
        for (row, values) in expected.iter().enumerate() {
            for (at, &c) in kept.iter().enumerate() {
                assert_eq!(
                    normalized[(row, at)].to_bits(),
                    (values[c] / maxima[c]).to_bits()
                );
            }
        }
    }

    #[test]
    fn wrong_folders_and_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = three_against_eight(folder.path()).unwrap_err().to_string();
        assert!(error.contains("train-images-idx3-ubyte"), "{error}");
    }
}
