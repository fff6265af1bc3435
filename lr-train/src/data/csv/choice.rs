//! Columns by name, by pattern and by number.

use glob::Pattern;

use super::CsvError;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnId {
    /// By its name in the header. Among the columns that are chosen it may be a pattern, as `lab_*`, where no column has that name: `*` stands
    /// for any characters, `?` for one, `[abc]` for one of these.
    Name(String),
    /// By its number from 0, or from the end: -1 is the last column.
    Index(i64),
}

/// A number is a position, anything else a name.
impl From<&str> for ColumnId {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Index)
    }
}

impl ColumnId {
    /// `first` and `last` as the numbers that they mean, unless a column is called that.
    pub(super) fn placed(&self, names: &[&str]) -> Self {
        match self {
            Self::Name(name) if names.contains(&&**name) => self.clone(),
            Self::Name(name) if name == "first" => Self::Index(0),
            Self::Name(name) if name == "last" => Self::Index(-1),
            _ => self.clone(),
        }
    }

    /// The one column that is meant.
    pub(super) fn resolve(&self, what: &'static str, names: &[String]) -> Result<usize, CsvError> {
        match self {
            Self::Name(name) => one_named(name, names),
            Self::Index(index) => at(*index, what, names.len()),
        }
    }

    /// All columns that are meant, at least one.
    pub(super) fn matching(&self, names: &[String]) -> Result<Vec<usize>, CsvError> {
        let Self::Name(name) = self else {
            return Ok(vec![self.resolve("column", names)?]);
        };
        if names.contains(name) || !name.contains(['*', '?', '[']) {
            return Ok(vec![one_named(name, names)?]);
        }
        let pattern = Pattern::new(name).map_err(|error| CsvError::Pattern {
            pattern: name.clone(),
            reason: error.msg,
        })?;
        let found: Vec<usize> = (0..names.len())
            .filter(|&column| pattern.matches(&names[column]))
            .collect();
        if found.is_empty() {
            return Err(no_such(name, names));
        }
        Ok(found)
    }
}

/// Which columns are features, in their order in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Columns {
    /// These; all but the label if there are none.
    pub only: Vec<ColumnId>,
    /// But not these.
    pub without: Vec<ColumnId>,
}

impl Columns {
    /// These and no others.
    pub fn only(ids: impl IntoIterator<Item = ColumnId>) -> Self {
        Self {
            only: ids.into_iter().collect(),
            without: vec![],
        }
    }

    /// Not these.
    #[must_use]
    pub fn without(mut self, ids: impl IntoIterator<Item = ColumnId>) -> Self {
        self.without.extend(ids);
        self
    }

    pub(super) fn listed(&self) -> impl Iterator<Item = &ColumnId> {
        self.only.iter().chain(&self.without)
    }

    /// Per column of the file, whether it is a feature.
    pub(super) fn chosen(
        &self,
        label: Option<usize>,
        names: &[String],
    ) -> Result<Vec<bool>, CsvError> {
        let mut chosen = vec![self.only.is_empty(); names.len()];
        for id in &self.only {
            let columns = id.matching(names)?;
            // A pattern may mean the label, too; whoever names it is told.
            if let (Some(label), [only]) = (label, &columns[..])
                && label == *only
            {
                return Err(CsvError::LabelAsFeature {
                    name: names[label].clone(),
                });
            }
            columns.into_iter().for_each(|column| chosen[column] = true);
        }
        for id in &self.without {
            for column in id.matching(names)? {
                chosen[column] = false;
            }
        }
        if let Some(label) = label {
            chosen[label] = false;
        }
        Ok(chosen)
    }
}

fn at(index: i64, what: &'static str, columns: usize) -> Result<usize, CsvError> {
    let from_start = if index < 0 {
        i64::try_from(columns)
            .ok()
            .and_then(|c| c.checked_add(index))
    } else {
        Some(index)
    };
    from_start
        .and_then(|i| usize::try_from(i).ok())
        .filter(|&i| i < columns)
        .ok_or(CsvError::IndexOutOfRange {
            what,
            index,
            columns,
        })
}

pub(super) fn one_named(name: &str, names: &[String]) -> Result<usize, CsvError> {
    let mut found = (0..names.len()).filter(|&c| names[c] == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(CsvError::DuplicateColumn {
            name: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        _ => Err(no_such(name, names)),
    }
}

fn no_such(name: &str, names: &[String]) -> CsvError {
    CsvError::NoSuchColumn {
        name: name.to_owned(),
        columns: names.to_vec(),
        near: near(name, names),
    }
}

/// Names that may have been meant, the nearest first.
pub(super) fn near(name: &str, names: &[String]) -> Vec<String> {
    const SHOWN: usize = 3;
    const ALIKE: f64 = 0.75;
    let plain = |text: &str| text.to_lowercase().replace(['*', '?', ' ', '_', '-'], "");
    let wanted = plain(name);
    let mut near: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &plain(name)), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = near.into_iter().take(SHOWN);
    near.map(|(_, name)| name.clone()).collect()
}
