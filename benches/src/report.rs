//! A page of results: Markdown for people and the same numbers as JSON for programs, from one description.
//!
//! ```text
//!   report.text("Medians of runs.").number("seconds", 0.5)          a paragraph; a number that no table has
//!   Table::new("operations", [                                      a list of objects in the JSON
//!       column("operation", Plain),                                 shown under this heading, with this key
//!       column("time", Seconds),                                    a number, or a Timing: the page shows its median
//!       hidden("bytes"),                                            in the JSON alone
//!   ])
//!   table.row(("add", timing, 4096))                                a row: what the columns hold, in order
//! ```

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use arras::toolkit::text::{self, bytes, seconds};
use lr_train::report::Machine;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Result, process::printed};

/// What numbers were measured on: machine, build, and the state of the source.
#[derive(Clone, Serialize)]
pub(crate) struct Origin {
    #[serde(flatten)]
    pub(crate) machine: Machine,
    /// Processes that were running or waiting on average in the minute before the start. Above 1 the machine was not idle.
    pub(crate) load: Option<f64>,
    rustc: String,
    target: String,
    profile: String,
    pub(crate) commit: Option<String>,
}

impl Origin {
    pub(crate) fn here() -> Self {
        Self {
            machine: Machine::here(),
            load: load(),
            rustc: env!("ARRAS_BENCHES_RUSTC").into(),
            target: env!("ARRAS_BENCHES_TARGET").into(),
            profile: concat!(
                env!("ARRAS_BENCHES_PROFILE"),
                ", opt-level ",
                env!("ARRAS_BENCHES_OPT_LEVEL")
            )
            .into(),
            commit: commit(),
        }
    }

    fn table(&self) -> text::Table {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".into());
        let machine = &self.machine;
        let rows = [
            ("processor", machine.cpu.clone()),
            ("threads available", machine.cores.to_string()),
            ("memory", or_unknown(machine.memory_bytes.map(bytes))),
            (
                "load before the start",
                or_unknown(self.load.map(|load| format!("{load:.2}"))),
            ),
            ("compiler", self.rustc.clone()),
            ("target", self.target.clone()),
            ("profile", self.profile.clone()),
            ("commit", or_unknown(self.commit.clone())),
        ];
        let rows = rows.map(|(what, value)| vec![what.to_owned(), value]);
        text::Table::new(["machine and build", ""]).with_rows(rows)
    }
}

/// Processes that were running or waiting on average in the last minute, where the system says.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The commit, with a mark if files differ from it; the commit of the build where there is no checkout or one of another commit.
fn commit() -> Option<String> {
    let built = env!("ARRAS_BENCHES_COMMIT");
    let git = |arguments: &[&str]| {
        let folder = ["-C", env!("CARGO_MANIFEST_DIR")];
        printed("git", &[&folder, arguments].concat())
    };
    // A program that was copied may find another checkout where its own was.
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| commit == built);
    let changed = commit.and_then(|_| {
        // The files that a report writes are no difference.
        git(&["status", "--porcelain", "--untracked-files=no"])
    });
    let mark = match changed.as_deref() {
        Some("") => "",
        Some(_) => " (with uncommitted changes)",
        None => " (at the build)",
    };
    (!built.is_empty()).then(|| format!("{built}{mark}"))
}

/// How a column shows its values.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Words as they are, numbers with all their digits.
    Plain,
    /// Seconds, or a [`crate::timing::Timing`], which shows its median.
    Seconds,
    /// Bytes in units of 1024.
    Bytes,
    /// This many decimals.
    Fixed(usize),
    /// In its own way.
    By(fn(&Value) -> String),
    /// Not: it is in the JSON alone.
    Hidden,
}

/// A column of a [`Table`].
#[derive(Clone)]
pub(crate) struct Column {
    heading: String,
    key: String,
    form: Form,
    none: &'static str,
}

/// A column; its key in the JSON is the heading, with `_` for what is neither letter nor digit. Without one it is in the page alone.
pub(crate) fn column(heading: impl Display, form: Form) -> Column {
    let heading = heading.to_string();
    let key = heading.replace(|c: char| !c.is_alphanumeric(), "_");
    Column {
        heading,
        key,
        form,
        none: "-",
    }
}

/// A column of the JSON alone.
pub(crate) fn hidden(key: &str) -> Column {
    column(key, Form::Hidden)
}

impl Column {
    /// Its key, where the heading is none.
    #[must_use]
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = key.into();
        self
    }

    /// What stands where there is no value, or no number; otherwise a dash.
    #[must_use]
    pub(crate) fn or(mut self, none: &'static str) -> Self {
        self.none = none;
        self
    }

    fn show(&self, value: &Value) -> String {
        let number = || {
            let number = value.get("median").unwrap_or(value);
            number.as_f64().unwrap_or(f64::NAN)
        };
        match (value, self.form) {
            (Value::Null, _) => self.none.into(),
            (_, Form::Seconds) => seconds(number()),
            (_, Form::Bytes) => bytes(number() as u64),
            (_, Form::Fixed(decimals)) => text::fixed(number(), decimals),
            (_, Form::By(show)) => show(value),
            (Value::String(text), _) => text.clone(),
            _ => value.to_string(),
        }
    }
}

/// Rows of values under columns: a table of the page, and a list of objects in its JSON.
#[derive(Clone)]
pub(crate) struct Table {
    key: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table without rows; `key` is the list's in the JSON.
    pub(crate) fn new(key: &str, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            key: key.into(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a tuple or list of values, one for each column. A list in it stands for as many columns as it has values.
    pub(crate) fn row(&mut self, cells: impl Serialize) -> &mut Self {
        let mut row = Vec::new();
        spread(json!(cells), &mut row);
        debug_assert_eq!(row.len(), self.columns.len(), "{}: {row:?}", self.key);
        self.rows.push(row);
        self
    }

    fn text(&self) -> text::Table {
        let shown = |column: &&Column| !matches!(column.form, Form::Hidden);
        let head = self.columns.iter().filter(shown).map(|c| c.heading.clone());
        text::Table::new(head).with_rows(self.rows.iter().map(|row| {
            let cells = self.columns.iter().zip(row);
            let cells = cells.filter(|(column, _)| shown(column));
            cells.map(|(column, value)| column.show(value)).collect()
        }))
    }

    fn objects(&self) -> impl Iterator<Item = Value> {
        self.rows.iter().map(|row| -> Value {
            let cells = self.columns.iter().zip(row);
            let cells = cells.filter(|(column, _)| !column.key.is_empty());
            cells
                .map(|(c, value)| (c.key.clone(), value.clone()))
                .collect()
        })
    }
}

fn spread(value: Value, row: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.into_iter().for_each(|value| spread(value, row)),
        value => row.push(value),
    }
}

/// A page, written from top to bottom.
#[derive(Clone)]
pub(crate) struct Report {
    title: String,
    command: String,
    origin: Origin,
    body: String,
    numbers: Value,
    /// The list, and the place in it, of the object that numbers and tables go to.
    part: Option<(String, usize)>,
}

impl Report {
    /// A page that has nothing but its title, the machine and the command that makes it: `bench` and its arguments.
    pub(crate) fn new(title: &str, arguments: &str, origin: Origin) -> Self {
        let gpu = if cfg!(feature = "gpu") {
            " --features gpu"
        } else {
            ""
        };
        Self {
            title: title.into(),
            command: format!(
                "cargo run --release -p arras-benches{gpu} -- {arguments} --out docs/benchmarks"
            ),
            origin,
            body: String::new(),
            numbers: json!({}),
            part: None,
        }
    }

    pub(crate) fn heading(&mut self, title: impl Display) -> &mut Self {
        self.text(format!("## {title}"))
    }

    pub(crate) fn subheading(&mut self, title: impl Display) -> &mut Self {
        self.text(format!("### {title}"))
    }

    /// Adds a paragraph or a list.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Self {
        self.body += &format!("\n{}\n", text.to_string().trim_end());
        self
    }

    /// Adds the names of engines, which columns are numbered by.
    pub(crate) fn engines(&mut self, key: &str, names: &[String]) -> &mut Self {
        let lines = names.iter().zip(1..);
        let lines: Vec<_> = lines
            .map(|(name, i)| format!("- engine {i}: {name}"))
            .collect();
        self.number(key, names).text(lines.join("\n"))
    }

    /// Adds text that stays in fixed width.
    pub(crate) fn fixed_width(&mut self, text: impl Display) -> &mut Self {
        self.text(format!("```text\n{}\n```", text.to_string().trim_end()))
    }

    /// Adds a table, unless it has no rows. Rows of tables with one key become one list of the JSON.
    pub(crate) fn add(&mut self, table: &Table) -> &mut Self {
        list(&mut self.object()[&table.key]).extend(table.objects());
        self.show(table)
    }

    /// Adds a table of what the JSON has elsewhere, unless it has no rows.
    pub(crate) fn show(&mut self, table: &Table) -> &mut Self {
        if !table.rows.is_empty() {
            self.text(table.text().to_markdown());
        }
        self
    }

    /// Adds a number, or any other value, to the JSON alone.
    pub(crate) fn number(&mut self, key: &str, value: impl Serialize) -> &mut Self {
        self.object()[key] = json!(value);
        self
    }

    /// Numbers and tables from here on go to a new object of a list: for parts of the page that have the same tables.
    pub(crate) fn part(&mut self, key: &str) -> &mut Self {
        let parts = list(&mut self.numbers[key]);
        parts.push(json!({}));
        self.part = Some((key.into(), parts.len() - 1));
        self
    }

    fn object(&mut self) -> &mut Value {
        match &self.part {
            Some((list, at)) => &mut self.numbers[list][at],
            None => &mut self.numbers,
        }
    }

    /// The page.
    pub(crate) fn to_markdown(&self) -> String {
        let (title, command) = (&self.title, &self.command);
        let (machine, body) = (self.origin.table().to_markdown(), &self.body);
        format!("# {title}\n\nFrom `{command}`.\n\n{machine}{body}")
    }

    /// The page's numbers.
    pub(crate) fn to_json(&self) -> Result<String> {
        let mut page = self.numbers.clone();
        page["title"] = json!(self.title);
        page["command"] = json!(self.command);
        page["machine"] = json!(self.origin);
        Ok(serde_json::to_string_pretty(&page)? + "\n")
    }
}

/// A list of the JSON, which is made if there is none.
fn list(value: &mut Value) -> &mut Vec<Value> {
    if value.is_null() {
        *value = json!([]);
    }
    value
        .as_array_mut()
        .expect("a key is that of a list or of a value")
}

/// Where pages go: a folder, or nowhere but the screen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Option<PathBuf>);

impl Output {
    /// Makes the folder before minutes of measurements, so that a mistyped one is found out first.
    pub(crate) fn to(folder: Option<PathBuf>) -> Result<Self> {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(|e| format!("--out {}: {e}", folder.display()))?;
        }
        Ok(Self(folder))
    }

    /// Prints a page and writes it as `NAME.md`, with its numbers in `NAME.json`.
    pub(crate) fn page(&self, name: &str, report: &Report) -> Result<()> {
        print!("{}", report.to_markdown());
        self.save(name, report)
    }

    pub(crate) fn save(&self, name: &str, report: &Report) -> Result<()> {
        self.write(&format!("{name}.md"), &report.to_markdown())?;
        self.write(&format!("{name}.json"), &report.to_json()?)
    }

    /// Writes a file, naming it if that fails.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        write(&folder.join(name), text)
    }
}

/// Writes a file, naming it if that fails.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Timing;

    #[test]
    fn a_page_says_what_how_and_where() {
        let mut report = Report::new("Sums", "sums", Origin::here());
        let mut table = Table::new(
            "sums",
            [
                column("what", Form::Plain),
                column("GB/s", Form::Fixed(1)),
                column("time", Form::Seconds).or("unknown"),
                hidden("bytes"),
            ],
        );
        report.heading("Times").add(&table);
        let empty = report.to_markdown();
        assert!(empty.ends_with("## Times\n"), "no empty table");
        let timing = Timing::of(&[1e-6]);
        table
            .row(("add", 2.25, timing, 7))
            .row(("all", [None::<u8>; 3]));
        report.number("n", 1).text("All.").add(&table);
        report.part("parts").number("n", 2).fixed_width("a\n");
        report.part("parts").add(&table);
        let text = report.to_markdown();
        assert!(text.starts_with("# Sums\n\nFrom `cargo run --release -p arras-benches"));
        assert!(text.contains("| processor "));
        let expected = "\
| what | GB/s |    time |
| ---- | ---: | ------: |
| add  |  2.2 | 1.00 µs |
| all  |    - | unknown |
";
        assert!(text.ends_with(&format!(
            "All.\n\n{expected}\n```text\na\n```\n\n{expected}"
        )));
        let json: Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!((&json["n"], &json["title"]), (&1.into(), &"Sums".into()));
        assert!(json["machine"]["cpu"].is_string());
        let time = json!({"median": 1e-6, "fastest": 1e-6, "slowest": 1e-6, "runs": 1});
        let add = json!({"what": "add", "GB_s": 2.25, "time": time, "bytes": 7});
        assert_eq!(json["sums"][0], add);
        assert_eq!(json["parts"][0], json!({"n": 2}));
        assert_eq!(json["parts"][1]["sums"], json["sums"]);
    }
}
