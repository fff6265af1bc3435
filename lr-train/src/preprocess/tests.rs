//! What normalization does to rows, and which it refuses.

use approx::assert_relative_eq;
use ndarray::array;

use super::*;
use crate::data::{Classes, Dataset};

fn dataset(features: Array2<f64>, names: &[&str]) -> Dataset {
    let labels = (0..features.nrows()).map(|r| r % 2 == 0).collect();
    let names = names.iter().map(|&n| n.to_owned()).collect();
    let classes = Classes {
        negative: "0".into(),
        positive: "1".into(),
    };
    Dataset::new(features, labels, names, classes).unwrap()
}

fn train() -> Dataset {
    dataset(
        array![[1.0, 5.0, -4.0], [3.0, 5.0, 2.0], [2.0, 5.0, 2.0]],
        &["a", "b", "c"],
    )
}

#[test]
fn schemes_are_fitted_on_training_rows_and_applied_to_others() {
    let other = dataset(array![[6.0, 7.0, 8.0]], &["a", "b", "c"]);
    let max = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
    assert_eq!(
        max.apply(&train()).unwrap(),
        array![[1.0 / 3.0, -1.0], [1.0, 0.5], [2.0 / 3.0, 0.5]]
    );
    assert_eq!(max.apply(&other).unwrap(), array![[2.0, 2.0]]);
    let standard = Preprocessor::fit(&train(), Scheme::Standard).unwrap();
    let x = standard.apply(&train()).unwrap();
    for column in x.columns() {
        assert_relative_eq!(column.sum(), 0.0, epsilon = 1e-15);
        assert_relative_eq!(column.dot(&column), 3.0, max_relative = 1e-15);
    }
    assert_relative_eq!(
        standard.apply(&other).unwrap()[(0, 0)],
        4.0 / (2.0f64 / 3.0).sqrt(),
        max_relative = 1e-15
    );
    let none = Preprocessor::fit(&train(), Scheme::None).unwrap();
    assert_eq!(none.apply(&other).unwrap(), array![[6.0, 8.0]]);
}

#[test]
fn wild_values_are_cut_off_and_logarithms_taken() {
    let mut values: Vec<f64> = (0..101).map(f64::from).collect();
    values[100] = 1e6;
    let features = Array2::from_shape_vec((101, 1), values).unwrap();
    let wild = dataset(features, &["a"]);
    let of = |scheme| {
        let fitted = Preprocessor::fit(&wild, scheme).unwrap();
        let column = fitted.columns()[0].clone();
        (column, fitted.apply(&wild).unwrap())
    };
    let (plain, clipped) = (of(Scheme::Standard), of(Scheme::StandardClipped));
    assert_eq!(plain.0, clipped.0);
    assert!(plain.1[(100, 0)] > 9.9);
    assert_eq!(clipped.1[(100, 0)], 4.0);
    assert_eq!(plain.1[(50, 0)], clipped.1[(50, 0)]);
    // Median 50 and quartiles 25 and 75, whatever the last value is.
    let (column, robust) = of(Scheme::Robust);
    assert_eq!((column.offset, robust[(100, 0)]), (50.0, 4.0));
    assert_relative_eq!(column.scale, 50.0 / 1.348_979_5, max_relative = 1e-7);
    let (column, logarithm) = of(Scheme::LogMaxAbs);
    assert_relative_eq!(column.scale, 1e6f64.ln_1p());
    assert_relative_eq!(logarithm[(9, 0)], 10f64.ln() / 1e6f64.ln_1p());
    let logarithms = wild.features().mapv(f64::ln_1p);
    assert_relative_eq!(
        of(Scheme::LogStandard).0.offset,
        logarithms.sum() / 101.0,
        max_relative = 1e-14
    );
    // Negative values keep their sign, and equal quartiles leave the standard deviation.
    let few = dataset(array![[-3.0], [0.0], [0.0], [0.0], [0.0]], &["a"]);
    let fitted = Preprocessor::fit(&few, Scheme::LogMaxAbs).unwrap();
    assert_eq!(fitted.apply(&few).unwrap()[(0, 0)], -1.0);
    let fitted = Preprocessor::fit(&few, Scheme::Robust).unwrap();
    assert_relative_eq!(fitted.columns()[0].scale, 1.2, max_relative = 1e-15);
}

#[test]
fn schemes_have_the_names_of_files() {
    for scheme in Scheme::ALL {
        let written = serde_json::to_string(&scheme).unwrap();
        assert_eq!(written, format!("{:?}", scheme.name()));
    }
}

#[test]
fn constant_columns_are_dropped_and_listed() {
    let fitted = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
    let (position, value) = (1, 5.0);
    assert_eq!(fitted.dropped(), [Dropped { position, value }]);
    assert_eq!(fitted.kept().collect::<Vec<_>>(), [(0, "a"), (2, "c")]);
    let constant = dataset(array![[1.0, 2.0], [1.0, 2.0]], &["a", "b"]);
    assert!(matches!(
        Preprocessor::fit(&constant, Scheme::Standard),
        Err(PreprocessError::AllConstant {
            columns: 2,
            rows: 2
        })
    ));
}

#[test]
fn other_columns_than_the_models_are_refused() {
    let fitted = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
    let narrow = dataset(array![[1.0, 2.0]], &["a", "b"]);
    let swapped = dataset(array![[1.0, 2.0, 3.0]], &["a", "c", "b"]);
    for (data, expected) in [
        (&narrow, "3 features, the data has 2"),
        (
            &swapped,
            "feature 2 is \"b\" in the model and \"c\" in the data",
        ),
    ] {
        let told = fitted.apply(data).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
    // Names that were made up are no disagreement.
    assert!(fitted.apply(&swapped.table().clone().unnamed()).is_ok());
}

#[test]
fn extreme_columns_are_refused_not_turned_into_nan() {
    let huge = array![[1e308, 1.0], [-1e308, 2.0], [1e308, 3.0]];
    let huge = dataset(huge, &["a", "b"]);
    let tiny = dataset(array![[1e-320], [2e-320]], &["a"]);
    assert!(Preprocessor::fit(&huge, Scheme::MaxAbs).is_ok());
    for (data, scheme) in [(&huge, Scheme::Standard), (&tiny, Scheme::MaxAbs)] {
        assert!(matches!(
            Preprocessor::fit(data, scheme),
            Err(PreprocessError::Unnormalizable { .. })
        ));
    }
    let small = dataset(array![[1e-300], [2e-300]], &["a"]);
    let small = Preprocessor::fit(&small, Scheme::MaxAbs).unwrap();
    assert!(matches!(
        small.apply(&dataset(array![[1e300]], &["a"])),
        Err(TrainError::Data(DataError::NotFinite { .. }))
    ));
}

#[test]
fn storing_keeps_every_bit_and_reading_checks() {
    let fitted = Preprocessor::fit(&train(), Scheme::Standard).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<Preprocessor>(&text).unwrap(), fitted);
    for (good, bad) in [
        ("\"position\":0", "\"position\":7"),
        ("\"position\":0", "\"position\":2"),
        ("\"b\",", ""),
        ("\"scale\":0.8", "\"scale\":-0.8"),
    ] {
        assert!(text.contains(good), "{text}");
        let read = serde_json::from_str::<Preprocessor>(&text.replacen(good, bad, 1));
        let told = read.unwrap_err().to_string();
        assert!(told.contains("stored normalization"), "{bad}: {told}");
    }
}

#[test]
fn signed_rows_carry_label_and_intercept() {
    let z = signed_rows(&array![[2.0, 3.0], [4.0, 5.0]], &[true, false]).unwrap();
    assert_eq!(z, array![[1.0, 2.0, 3.0], [-1.0, -4.0, -5.0]]);
    assert!(matches!(
        signed_rows(&array![[2.0]], &[]),
        Err(DataError::Length {
            found: 0,
            expected: 1,
            ..
        })
    ));
}
