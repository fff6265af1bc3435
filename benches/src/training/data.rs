//! Data sets from a folder, or the built-in ones.

use std::{
    env,
    path::{Path, PathBuf},
};

use lr_train::{
    ModelKind,
    data::{Dataset, builtin, csv, mnist},
    split::train_test,
};

use crate::Result;

/// Rows to train on and rows to test on.
pub(super) struct TrainTest {
    /// In tables.
    pub(super) name: String,
    pub(super) train: Dataset,
    pub(super) test: Dataset,
    pub(super) built_in: bool,
}

/// The folder of data sets, with `mnist/`, `clinical/` and `packages/` in it: the given one, that of the variable `ARRAS_DATA`, or `../shared/data`.
pub(super) fn folder(given: Option<&Path>) -> PathBuf {
    let variable = || env::var_os("ARRAS_DATA").map(PathBuf::from);
    let found = given.map(Path::to_owned).or_else(variable);
    found.unwrap_or_else(|| "../shared/data".into())
}

/// The built-in handwritten digits, threes against eights.
fn digits() -> Result<TrainTest> {
    let data = builtin::digits()?;
    let split = train_test(data.labels(), 0.2, 0)?;
    Ok(TrainTest {
        name: "built-in digits, 3 against 8".into(),
        train: data.select(&split.train)?,
        test: data.select(&split.test)?,
        built_in: true,
    })
}

/// MNIST, threes against eights, from `mnist/` in the folder; the built-in digits if it is not there, or it is to be quick.
pub(super) fn images(given: Option<&Path>, quick: bool) -> Result<TrainTest> {
    if quick {
        return digits();
    }
    let folder = folder(given).join("mnist");
    if !folder.is_dir() {
        eprintln!(
            "\n*** NO MNIST at {}: THE BUILT-IN DIGITS (8x8) STAND IN. These are not the figures of MNIST.\n*** Give a folder with mnist/*-ubyte[.gz] by --data or ARRAS_DATA.\n",
            folder.display()
        );
        return digits();
    }
    let parts = mnist::three_against_eight(&folder)?;
    Ok(TrainTest {
        name: "MNIST, 3 against 8".into(),
        train: parts.train,
        test: parts.test,
        built_in: false,
    })
}

/// The clinical sets of the literature on encrypted training: their file's name and the area under the curve that a simulation of the
/// published training gave.
pub(super) const CLINICAL: [(&str, f64); 5] = [
    ("edin", 0.957),
    ("lbw", 0.690),
    ("nhanes3", 0.695),
    ("pcs", 0.740),
    ("uis", 0.614),
];

/// A clinical set from `folder/clinical/NAME.txt`, the label last; none if the file is not there.
pub(super) fn clinical(folder: &Path, name: &str) -> Result<Option<Dataset>> {
    let mut options = csv::Options::new(csv::ColumnId::Index(-1));
    options.format.header = csv::Header::Absent;
    if_there(&folder.join(format!("clinical/{name}.txt")), &options)
}

/// A set that comes with packages, from `folder/packages/NAME.csv`; none if the file is not there.
pub(super) fn packaged(folder: &Path, name: &str, model: ModelKind) -> Result<Option<Dataset>> {
    let mut options = csv::Options::new("target");
    options.model = model;
    if_there(&folder.join(format!("packages/{name}.csv")), &options)
}

fn if_there(path: &Path, options: &csv::Options) -> Result<Option<Dataset>> {
    if path.is_file() {
        return Ok(Some(csv::read_file(path, options)?));
    }
    eprintln!("\n*** NO {}: LEFT OUT.\n", path.display());
    Ok(None)
}

/// The handwritten digits that come with the network for them, which it was not trained on.
pub(super) fn held_back(model: ModelKind, names: Option<Vec<String>>) -> Result<Dataset> {
    let mut options = csv::Options::new("digit");
    (options.model, options.class_names) = (model, names);
    let text = include_str!("../../../lr-train/data/digits-held-back.csv");
    Ok(csv::read(text.as_bytes(), &options)?)
}
