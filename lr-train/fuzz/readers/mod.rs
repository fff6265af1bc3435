//! Every reader of this crate as a function of bytes: the fuzz targets and `tests/readers.rs` call the same ones.
//!
//! A function returns whether the input was taken. None may panic, and what is taken is written back and compared.

mod home;
mod inference;
mod keys;
mod tables;
mod texts;
mod training;

pub(crate) use home::Home;

/// A reader.
pub(crate) struct Reader {
    /// The name of its fuzz target and of its folder in `corpus`.
    pub(crate) name: &'static str,
    /// Reads.
    pub(crate) read: fn(&Home, &[u8]) -> bool,
}

/// All readers.
pub(crate) const READERS: [Reader; 17] = [
    reader("plan", texts::plan),
    reader("csv", tables::csv),
    reader("idx", tables::idx),
    reader("training", training::file),
    reader("arrays", training::array),
    reader("evaluation", keys::evaluation),
    reader("keys", keys::list),
    reader("secret", keys::secret),
    reader("owner", keys::owner),
    reader("record", texts::record),
    reader("exchange", texts::exchange),
    reader("model", texts::model),
    reader("costs", texts::costs),
    reader("columns", texts::columns),
    reader("network", inference::network),
    reader("scoring", inference::plan),
    reader("inference", inference::file),
];

const fn reader(name: &'static str, read: fn(&Home, &[u8]) -> bool) -> Reader {
    Reader { name, read }
}

/// The reader of this name.
pub(crate) fn named(name: &str) -> &'static Reader {
    READERS.iter().find(|r| r.name == name).expect("a reader")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
