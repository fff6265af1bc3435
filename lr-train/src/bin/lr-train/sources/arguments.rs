//! A source as a command line asks for it.

use clap::ValueEnum;
use lr_train::data::csv::{Header, Rules};

use super::{HEADERS, MISSING, Named, Part, Source, TEST_SHARE};

fn name_of<T: Copy + PartialEq>(value: T, names: &[Named<T>]) -> Option<String> {
    let found = names.iter().find(|(_, of)| *of == value);
    found.map(|(name, _)| (*name).to_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:,=@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

impl Source {
    /// The options that ask for the same rows again.
    pub(crate) fn arguments(&self) -> String {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
        let named = |given: bool, name: &str| given.then(|| name.to_owned());
        let defaults = Rules::default();
        let options = [
            ("data", Some(self.data.clone())),
            ("label", self.label.clone()),
            ("label-file", self.label_file.clone()),
            ("columns", list(&self.columns)),
            ("drop", list(&self.drop)),
            (
                "missing",
                self.missing.as_ref().map(|words| words.join(",")),
            ),
            (
                "missing-values",
                self.missing_values.and_then(|v| name_of(v, &MISSING)),
            ),
            (
                "categories",
                named(self.categories != defaults.categories, "one-hot"),
            ),
            ("categorical", list(&self.categorical)),
            (
                "most-levels",
                (self.most_levels != defaults.most_levels).then(|| self.most_levels.to_string()),
            ),
            ("positive", self.positive.clone()),
            (
                "header",
                (self.header != Header::Auto)
                    .then(|| name_of(self.header, &HEADERS))
                    .flatten(),
            ),
            ("delimiter", self.delimiter.map(String::from)),
            (
                "part",
                self.part
                    .to_possible_value()
                    .and_then(|part| named(self.part != Part::Auto, part.get_name())),
            ),
            (
                "test-share",
                (self.test_share != TEST_SHARE).then(|| self.test_share.to_string()),
            ),
            (
                "split-seed",
                (self.split_seed != 0).then(|| self.split_seed.to_string()),
            ),
        ];
        let given = options
            .into_iter()
            .filter_map(|(option, value)| Some(format!("--{option} {}", quoted(&value?))));
        let mut words: Vec<String> = given.collect();
        if self.decimal_comma {
            words.push("--decimal-comma".to_owned());
        }
        words.join(" ")
    }
}
