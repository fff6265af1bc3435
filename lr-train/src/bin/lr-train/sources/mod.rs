//! Where data come from.

mod arguments;
mod known;
mod saying;

use std::path::{Path, PathBuf};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use lr_train::{
    ModelKind, TrainError,
    data::{
        Dataset, FeatureTable, Target, builtin,
        csv::{
            self, Categories, ColumnId, Columns, Format, Header, LabelFile, MissingValues, Options,
            Rules, Unseen,
        },
        mnist,
    },
    preprocess::Scheme,
    split::train_test_target,
};

pub(crate) use self::{
    known::{Known, Purpose},
    saying::{few, say_spreads},
};
use crate::failure::Failure;

/// The share of rows in the part `test` if nothing is said.
const TEST_SHARE: f64 = 0.2;
/// The source that is the standard input.
const STDIN: &str = "-";

/// A name and what it stands for.
pub(crate) type Named<T> = (&'static str, T);

/// A parser of names, each with what it stands for.
pub(crate) fn named<T: Copy + Send + Sync>(
    values: &'static [Named<T>],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.iter().map(|(name, _)| *name)).try_map(|given| {
        let value = values.iter().find(|(name, _)| *name == given);
        value.map(|(_, value)| *value).ok_or("no such name")
    })
}

/// Where data come from and how they are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// A CSV file, plain or compressed by gzip, - for the standard input, builtin:digits, builtin:breast-cancer, or mnist:FOLDER with the
    /// four IDX files
    #[arg(long, value_name = "SOURCE")]
    pub(crate) data: String,
    /// Label column of a CSV file: its name, first, last, or its number from 0 (-1 is the last)
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub(crate) label: Option<String>,
    /// CSV file with a label for each row of --data, in the same order: FILE if it has one column, FILE:COLUMN if it has more
    #[arg(long, value_name = "FILE[:COLUMN]", conflicts_with = "label")]
    pub(crate) label_file: Option<String>,
    /// Columns of a CSV file that are features, by name, by pattern (* for any characters, ? for one) or by number from 0 [default: all but the
    /// label; with a model or keys of a plan that was made from such a file, those that it was trained on, found by their names]
    #[arg(
        long,
        value_name = "COLUMN,..",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) columns: Vec<String>,
    /// Columns of a CSV file that are no features, by name, by pattern or by number from 0
    #[arg(
        long,
        alias = "leave-out",
        value_name = "COLUMN,..",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) drop: Vec<String>,
    /// Words and numbers that mark a missing value, besides an empty field [default: ?, NA, N/A, NaN, null in any case of letters]
    #[arg(
        long,
        value_name = "WORD,..",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    missing: Option<Vec<String>>,
    /// What is done about missing values: refuse; impute: the median of the training rows stands for them, and a column says where they were;
    /// drop-rows: their rows are left out [default: as in training, else refuse]
    #[arg(long, value_parser = named(&MISSING))]
    missing_values: Option<MissingValues>,
    /// What is done about columns of words: refuse; one-hot: a column of zeros and ones for each word but the most frequent
    #[arg(long, default_value = "refuse", value_parser = named(&CATEGORIES))]
    categories: Categories,
    /// Columns whose values are levels of a category, words or not, by name, by pattern or by number from 0
    #[arg(
        long,
        value_name = "COLUMN,..",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    categorical: Vec<String>,
    /// The most levels of a category
    #[arg(long, value_name = "NUMBER", default_value_t = Rules::MOST_LEVELS)]
    most_levels: usize,
    /// What is done about levels that were not there in training: refuse; other: they are none of those, like the most frequent one
    #[arg(long, default_value = "refuse", value_parser = named(&UNSEEN))]
    unseen: Unseen,
    /// Label value of the positive class; all other values are the negative one [default: of two, the larger number or the later word]
    #[arg(long)]
    pub(crate) positive: Option<String>,
    /// First row of a CSV file: names, data, or found out from what it holds
    #[arg(long, default_value = "auto", value_parser = named(&HEADERS))]
    pub(crate) header: Header,
    /// Delimiter of a CSV file [default: the one of , ; | and tab that occurs most; a space where none does]
    #[arg(long)]
    pub(crate) delimiter: Option<char>,
    /// Numbers of a CSV file have a comma for decimals
    #[arg(long)]
    pub(crate) decimal_comma: bool,
    /// Which rows to use; auto: all of a CSV file, and of other sources `train` to make a model, `test` to use one
    #[arg(long, value_enum, default_value_t = Part::Auto)]
    pub(crate) part: Part,
    /// Share of rows in the part `test`
    #[arg(long, default_value_t = TEST_SHARE)]
    pub(crate) test_share: f64,
    /// Seed of the split into `train` and `test`
    #[arg(long, default_value_t = 0)]
    pub(crate) split_seed: u64,
}

const MISSING: [Named<MissingValues>; 3] = [
    ("refuse", MissingValues::Refuse),
    ("impute", MissingValues::Impute),
    ("drop-rows", MissingValues::DropRows),
];

const CATEGORIES: [Named<Categories>; 2] = [
    ("refuse", Categories::Refuse),
    ("one-hot", Categories::OneHot),
];

const UNSEEN: [Named<Unseen>; 2] = [("refuse", Unseen::Refuse), ("other", Unseen::Other)];

fn ids(names: &[String]) -> impl Iterator<Item = ColumnId> {
    names.iter().map(|name| ColumnId::from(&**name))
}

const HEADERS: [Named<Header>; 3] = [
    ("auto", Header::Auto),
    ("present", Header::Present),
    ("absent", Header::Absent),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Auto,
    All,
    Train,
    Test,
}

enum Place<'a> {
    Csv(&'a Path),
    Digits,
    BreastCancer,
    Mnist(PathBuf),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Normalization {
    /// Divide each column by its largest absolute value
    #[default]
    MaxAbs,
    /// Bring each column to mean 0 and standard deviation 1
    Standard,
    /// The same, cut off at four standard deviations
    StandardClipped,
    /// By median and quartiles, cut off at four: for columns with wild values
    Robust,
    /// Logarithms, sign(x) ln(1 + |x|), divided by the largest
    LogMaxAbs,
    /// Logarithms, brought to mean 0 and standard deviation 1 and cut off at four: for amounts and counts
    LogStandard,
    /// Leave columns as they are
    None,
}

impl From<Normalization> for Scheme {
    fn from(choice: Normalization) -> Self {
        match choice {
            Normalization::MaxAbs => Self::MaxAbs,
            Normalization::Standard => Self::Standard,
            Normalization::StandardClipped => Self::StandardClipped,
            Normalization::Robust => Self::Robust,
            Normalization::LogMaxAbs => Self::LogMaxAbs,
            Normalization::LogStandard => Self::LogStandard,
            Normalization::None => Self::None,
        }
    }
}

impl Source {
    /// How fields become numbers.
    fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        rules.missing = self.missing_values;
        rules.categories = self.categories;
        rules.categorical = ids(&self.categorical).collect();
        rules.most_levels = self.most_levels;
        rules.unseen = self.unseen;
        rules
    }

    /// The first option about fields that is given, if any is.
    fn given_rule(&self) -> Option<&'static str> {
        let defaults = Rules::default();
        let given = [
            ("--missing", self.missing.is_some()),
            ("--missing-values", self.missing_values.is_some()),
            ("--categories", self.categories != defaults.categories),
            ("--categorical", !self.categorical.is_empty()),
            ("--most-levels", self.most_levels != defaults.most_levels),
            ("--unseen", self.unseen != defaults.unseen),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(o, _)| o)
    }

    /// The labelled rows asked for.
    ///
    /// # Errors
    /// [`Failure::Usage`] for options that the source does not have; what is wrong with the data.
    pub(crate) fn read(&self, purpose: &Purpose) -> Result<Dataset, Failure> {
        let data = self.read_part(purpose)?;
        data.expect_for("read the data", purpose.model())?;
        Ok(data)
    }

    fn read_part(&self, purpose: &Purpose) -> Result<Dataset, Failure> {
        let part = self.part_for(purpose);
        let whole = match self.place()? {
            Place::Csv(path) => {
                let options = self.options(purpose)?;
                let raw = match (&self.label_file, &options.label) {
                    (Some(file), _) => LabelFile::from(&**file).read_with(path, &options)?,
                    (None, Some(_)) => csv::read_raw_file(path, &options)?,
                    (None, None) => {
                        return Err(Failure::Usage(format!(
                            "--data {}: say which column holds the label, by name or by number from 0: --label NAME, --label last; or in which \
                             file labels are: --label-file FILE",
                            self.data
                        )));
                    }
                };
                // Before anything is fitted.
                let raw = match self.rows(raw.target(), part)? {
                    Some(rows) => raw.select(&rows)?,
                    None => raw,
                };
                let read = raw.dataset().map_err(TrainError::from);
                return Ok(read.map_err(|error| error.in_file(path))?);
            }
            Place::Digits => builtin::digits()?,
            Place::BreastCancer => builtin::breast_cancer()?,
            Place::Mnist(folder) => {
                let parts = mnist::three_against_eight(&folder)?;
                return match part {
                    Part::Test => Ok(parts.test),
                    Part::Train => Ok(parts.train),
                    Part::All | Part::Auto => Err(Failure::Usage(
                        "--part all: MNIST comes in two parts; choose train or test".into(),
                    )),
                };
            }
        };
        Ok(match self.rows(whole.target(), part)? {
            Some(rows) => whole.select(&rows)?,
            None => whole,
        })
    }

    /// Rows without labels: of a CSV file the label column is left out, if one is named.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) fn read_table(&self, known: Known) -> Result<FeatureTable, Failure> {
        let purpose = Purpose::Testing(known);
        let (Place::Csv(path), Part::Auto | Part::All) = (self.place()?, self.part) else {
            return Ok(self.read(&purpose)?.table().clone());
        };
        Ok(csv::read_table_file(path, &self.options(&purpose)?)?)
    }

    /// The rows of the same source that are not read for training; none if all are.
    pub(crate) fn counterpart(&self) -> Option<Self> {
        let training = self.part_for(&Purpose::Training(ModelKind::default(), None));
        (training == Part::Train).then(|| Self {
            part: Part::Test,
            ..self.clone()
        })
    }

    fn part_for(&self, purpose: &Purpose) -> Part {
        match (self.part, self.is_file(), purpose) {
            (Part::Auto, true, _) => Part::All,
            (Part::Auto, false, Purpose::Training(..) | Purpose::Calibrating(_)) => Part::Train,
            (Part::Auto, false, Purpose::Testing(_)) => Part::Test,
            (part, ..) => part,
        }
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.data == STDIN
    }

    fn is_file(&self) -> bool {
        !self.data.starts_with("builtin:") && !self.data.starts_with("mnist:")
    }

    fn place(&self) -> Result<Place<'_>, Failure> {
        let place = match self.data.split_once(':') {
            Some(("builtin", "digits")) => Place::Digits,
            Some(("builtin", "breast-cancer")) => Place::BreastCancer,
            Some(("builtin", other)) => {
                return Err(Failure::Usage(format!(
                    "--data builtin:{other}: there is no such data set; choose builtin:digits or builtin:breast-cancer"
                )));
            }
            Some(("mnist", folder)) => Place::Mnist(folder.into()),
            _ => return Ok(Place::Csv(Path::new(&self.data))),
        };
        let given = [
            ("--label", self.label.is_some()),
            ("--label-file", self.label_file.is_some()),
            ("--positive", self.positive.is_some()),
            ("--columns", !self.columns.is_empty()),
            ("--drop", !self.drop.is_empty()),
            ("--delimiter", self.delimiter.is_some()),
            ("--header", self.header != Header::Auto),
            ("--decimal-comma", self.decimal_comma),
        ];
        let given = given.into_iter().find(|(_, given)| *given);
        match given.map(|(option, _)| option).or(self.given_rule()) {
            Some(option) => Err(Failure::Usage(format!(
                "{option} is for CSV files; --data {} has its labels and names",
                self.data
            ))),
            None => Ok(place),
        }
    }

    fn options(&self, purpose: &Purpose) -> Result<Options, Failure> {
        if self.is_stdin() && self.label_file.as_deref() == Some(STDIN) {
            return Err(Failure::Usage(
                "--data - --label-file -: the standard input is read once; give one of them as a file".into(),
            ));
        }
        let mut options = Options::unlabelled();
        options.label = self.label.as_deref().map(ColumnId::from);
        options.format = self.format()?;
        options.model = purpose.model();
        if let (Some(class), true) = (&self.positive, options.model != ModelKind::Logistic) {
            return Err(Failure::Usage(format!(
                "--positive {class}: a {} model has no positive class; leave it out",
                options.model
            )));
        }
        options.positive = self.positive.clone();
        options.columns = Columns::only(ids(&self.columns)).without(ids(&self.drop));
        options.rules = self.rules();
        match purpose {
            Purpose::Training(_, layout) => options.layout = layout.clone(),
            Purpose::Calibrating(known) | Purpose::Testing(known) => {
                options.classes =
                    (known.model == ModelKind::Logistic).then(|| known.classes.clone());
                let several = matches!(known.model, ModelKind::OneVsRest { .. });
                options.class_names = several.then(|| known.class_names.clone());
                options.layout = known.layout.clone();
            }
        }
        Ok(options)
    }

    fn format(&self) -> Result<Format, Failure> {
        let mut format = Format::default();
        format.header = self.header;
        format.delimiter = self.delimiter()?;
        format.decimal_comma = self.decimal_comma;
        format.missing = self.missing.clone();
        Ok(format)
    }

    fn delimiter(&self) -> Result<Option<u8>, Failure> {
        let ascii = |c: char| {
            let byte = u8::try_from(c).ok().filter(u8::is_ascii);
            byte.ok_or_else(|| {
                Failure::Usage(format!("--delimiter {c:?}: give an ASCII character"))
            })
        };
        self.delimiter.map(ascii).transpose()
    }

    /// The rows of a part; none for all.
    fn rows(&self, target: &Target, part: Part) -> Result<Option<Vec<usize>>, Failure> {
        if part == Part::All {
            return Ok(None);
        }
        let split = train_test_target(target, self.test_share, self.split_seed)?;
        Ok(Some(match part {
            Part::Test => split.test,
            _ => split.train,
        }))
    }
}
