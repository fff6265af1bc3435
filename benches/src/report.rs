//! A page of results: Markdown for people and the same numbers as JSON for programs.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use arras::toolkit::text::{Table, bytes};
use lr_train::report::Machine;
use serde::{Deserialize, Serialize};

use crate::{Result, process::printed};

/// What numbers were measured on: machine, build, and the state of the source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The machine.
    #[serde(flatten)]
    pub machine: Machine,
    /// Processes that were running or waiting on average in the minute before the start. Above 1 the machine was not idle.
    pub load: Option<f64>,
    /// The compiler.
    pub rustc: String,
    /// The target triple that was compiled for.
    pub target: String,
    /// The profile and its optimization level.
    pub profile: String,
    /// The commit, with a mark if files differ from it; the commit of the build where there is no checkout or one of another commit.
    pub commit: Option<String>,
}

impl Origin {
    /// Here and now.
    pub fn here() -> Self {
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
            commit: commit().or_else(commit_of_build),
        }
    }

    fn table(&self) -> Table {
        let unknown = || "unknown".to_owned();
        let mut table = Table::new(["machine and build", ""]);
        table.row(["processor", &self.machine.cpu]);
        table.row(["threads available", &self.machine.cores.to_string()]);
        let memory = self.machine.memory_bytes.map_or_else(unknown, bytes);
        table.row(["memory", &memory]);
        let load = self.load.map_or_else(unknown, |load| format!("{load:.2}"));
        table.row(["load before the start", &load]);
        table.row(["compiler", &self.rustc]);
        table.row(["target", &self.target]);
        table.row(["profile", &self.profile]);
        let commit = self.commit.clone().unwrap_or_else(unknown);
        table.row(["commit", &commit]);
        table
    }
}

/// Processes that were running or waiting on average in the last minute, where the system says.
pub fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn commit_of_build() -> Option<String> {
    let commit = env!("ARRAS_BENCHES_COMMIT");
    (!commit.is_empty()).then(|| format!("{commit} (at the build)"))
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        printed(
            "git",
            &[&["-C", env!("CARGO_MANIFEST_DIR")], arguments].concat(),
        )
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // A program that was copied may find another checkout where its own was.
    if commit != env!("ARRAS_BENCHES_COMMIT") {
        return commit_of_build();
    }
    // The files that a report writes are no difference.
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.is_empty() {
        ""
    } else {
        " (with uncommitted changes)"
    };
    Some(commit + mark)
}

/// A page, written from top to bottom.
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    command: String,
    origin: Origin,
    body: String,
}

/// A page's numbers, with what stands at its top.
#[derive(Serialize)]
struct Numbers<'a, T> {
    title: &'a str,
    command: &'a str,
    machine: &'a Origin,
    #[serde(flatten)]
    data: &'a T,
}

impl Report {
    /// A page that has nothing but its title, the machine and the command that makes it: `bench` and its arguments.
    pub fn new(title: &str, arguments: &str, origin: Origin) -> Self {
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
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, title: impl Display) -> &mut Self {
        self.text(format!("## {title}"))
    }

    /// Adds a heading below another.
    pub fn subheading(&mut self, title: impl Display) -> &mut Self {
        self.text(format!("### {title}"))
    }

    /// Adds a paragraph or a list.
    pub fn text(&mut self, text: impl Display) -> &mut Self {
        self.body += &format!("\n{}\n", text.to_string().trim_end());
        self
    }

    /// Adds a table, unless it has no rows.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        if !table.is_empty() {
            self.text(table.to_markdown());
        }
        self
    }

    /// Adds text that stays in fixed width.
    pub fn fixed_width(&mut self, text: &str) -> &mut Self {
        self.text(format!("```text\n{}\n```", text.trim_end()))
    }

    /// The page.
    pub fn to_markdown(&self) -> String {
        let Self {
            title,
            command,
            origin,
            body,
        } = self;
        let machine = origin.table().to_markdown();
        format!("# {title}\n\nFrom `{command}`.\n\n{machine}{body}")
    }

    /// The page's numbers.
    ///
    /// # Errors
    /// None but those of the encoder.
    pub fn to_json<T: Serialize>(&self, data: &T) -> Result<String> {
        let numbers = Numbers {
            title: &self.title,
            command: &self.command,
            machine: &self.origin,
            data,
        };
        Ok(serde_json::to_string_pretty(&numbers)? + "\n")
    }
}

/// Where pages go: a folder, or nowhere but the screen.
#[derive(Clone, Debug, Default)]
pub struct Output(Option<PathBuf>);

impl Output {
    /// Makes the folder before minutes of measurements, so that a mistyped one is found out first.
    ///
    /// # Errors
    /// The operating system's.
    pub fn to(folder: Option<PathBuf>) -> Result<Self> {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(|e| format!("--out {}: {e}", folder.display()))?;
        }
        Ok(Self(folder))
    }

    /// Prints a page and writes it as `NAME.md`, with its numbers in `NAME.json`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn publish<T: Serialize>(&self, name: &str, report: &Report, data: &T) -> Result<()> {
        print!("{}", report.to_markdown());
        self.write(&format!("{name}.md"), &report.to_markdown())?;
        self.write(&format!("{name}.json"), &report.to_json(data)?)
    }

    /// Writes a file, naming it if that fails.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        write(&folder.join(name), text)
    }
}

/// Writes a file, naming it if that fails.
///
/// # Errors
/// The operating system's.
pub fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// What stands in a cell without a value.
pub fn or_dash<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_how_and_where() {
        let mut report = Report::new("Sums", "sums", Origin::here());
        let mut table = Table::new(["what", "time"]);
        report.heading("Times").table(&table);
        assert!(
            report.to_markdown().ends_with("## Times\n"),
            "no empty table"
        );
        table.row(["add", "1.00 µs"]);
        report.text("All.").table(&table).fixed_width("a\n");
        let text = report.to_markdown();
        assert!(text.starts_with("# Sums\n\nFrom `cargo run --release -p arras-benches"));
        assert!(text.contains("| processor "));
        assert!(text.ends_with(
            "All.\n\n| what |    time |\n| ---- | ------: |\n| add  | 1.00 µs |\n\n```text\na\n```\n"
        ));
        let json: serde_json::Value =
            serde_json::from_str(&report.to_json(&serde_json::json!({"n": 1})).unwrap()).unwrap();
        assert_eq!((&json["n"], &json["title"]), (&1.into(), &"Sums".into()));
        assert!(json["machine"]["cpu"].is_string());
    }
}
