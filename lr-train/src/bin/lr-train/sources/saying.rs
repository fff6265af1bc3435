//! What is said of data that were read.

use lr_train::{
    data::{Classes, Dataset, FeatureTable, Target, csv::Reading},
    preprocess::Preprocessor,
};

use super::Source;
use crate::output::Output;

impl Source {
    /// Says what was found out about how a file is to be read, and which columns number the rows.
    pub(crate) fn say(&self, table: &FeatureTable, output: &Output) {
        let Some(reading) = table.reading() else {
            return;
        };
        let file = &self.data;
        if reading.header_guessed {
            let (first, other) = match reading.header {
                true => ("names of columns", "absent"),
                false => ("data, not names", "present"),
            };
            output.note(format_args!(
                "note: the first row of {file} was taken for {first}; if it is not, say --header {other}"
            ));
        }
        if reading.delimiter_guessed && reading.delimiter != ',' {
            output.note(format_args!(
                "note: fields of {file} were taken to be separated by {:?}; if they are not, say --delimiter",
                reading.delimiter
            ));
        }
        self.say_filled(reading, output);
        for column in &reading.counting {
            let (position, first) = (column.position, column.first);
            let is = match &column.name {
                Some(name) => format!("column {name:?} counts rows"),
                None => format!("the column number {position} has no name and counts rows"),
            };
            output.note(format_args!(
                "WARNING: {is} ({first}, {}, {}, ..): probably their numbers, and nothing to learn from; leave it out with --drop {position}",
                first + 1.0,
                first + 2.0
            ));
        }
    }

    /// Says what was done about missing values and unknown levels.
    fn say_filled(&self, reading: &Reading, output: &Output) {
        let file = &self.data;
        if !reading.rows_left_out.is_empty() {
            output.note(format_args!(
                "note: {} of {} rows of {file} have missing values and were left out",
                reading.rows_left_out.len(),
                reading.rows
            ));
        }
        for filled in &reading.filled {
            let (column, count) = (&filled.column, filled.count);
            let stands = match filled.median {
                Some(median) => {
                    format!("{median:?}, the median of the training rows, stands for them")
                }
                None => "no level stands for them".to_owned(),
            };
            let says = match filled.in_training {
                true => format!("; \"{column} (missing)\" says where"),
                false => ", and none was missing in training".to_owned(),
            };
            output.note(format_args!(
                "note: {count} values of column {column:?} are missing: {stands}{says}"
            ));
        }
        for (column, count) in &reading.unseen {
            output.note(format_args!(
                "note: {count} values of column {column:?} were not there in training, and are taken for none of the levels (--unseen other)"
            ));
        }
    }

    /// As [`Source::say`], and which class is the positive one or what the target is, and what the features are.
    pub(crate) fn say_all(&self, data: &Dataset, output: &Output) {
        self.say(data.table(), output);
        let Some(reading) = data.table().reading() else {
            return;
        };
        match data.target() {
            Target::Binary { classes, .. } if self.positive.is_none() => {
                let Classes { positive, negative } = classes;
                output.note(format_args!(
                    "note: {positive:?} was taken for the positive class and {negative:?} for the negative one; if it is the other way round, say --positive"
                ));
            }
            Target::Several { names, .. } => {
                output.note(format_args!(
                    "note: {} classes: {}",
                    names.len(),
                    few(names)
                ));
            }
            Target::Real { name, values } => {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                output.note(format_args!(
                    "note: the target {name:?} is from {least:?} to {most:?}"
                ));
            }
            _ => {}
        }
        output.note(format_args!("note: {}", features(data.table(), reading)));
    }
}

/// The features' names, and those of what was left out.
fn features(table: &FeatureTable, reading: &Reading) -> String {
    let names = table.feature_names();
    let mut text = format!("{} features: {}", names.len(), few(names));
    if !reading.left_out.is_empty() {
        text += &format!("; left out: {}", few(&reading.left_out));
    }
    text
}

/// Names: all of a few, the first of many.
pub(crate) fn few(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Says which columns leave little to learn once they are normalized.
pub(crate) fn say_spreads(preprocessor: &Preprocessor, table: &FeatureTable, output: &Output) {
    const SHOWN: usize = 5;
    let doubts = preprocessor.spreads(table);
    for doubt in doubts.iter().take(SHOWN) {
        output.note(format_args!("WARNING: {doubt}"));
    }
    if doubts.len() > SHOWN {
        let rest = &doubts[SHOWN..];
        let names: Vec<String> = rest.iter().map(|doubt| doubt.column.clone()).collect();
        output.note(format_args!("WARNING: the like of columns {}", few(&names)));
    }
}
