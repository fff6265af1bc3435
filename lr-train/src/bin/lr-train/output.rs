//! Answers on standard output, progress and notes on standard error.

use std::{
    io::{IsTerminal, Write},
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use arras::{
    ckks::wire::{AtomicFile, Overwrite},
    toolkit::{run::Options, text::is_obeyed},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::{failure::Failure, signals};

/// What a verb has to say: the same for people and for programs.
pub(crate) struct Answer {
    text: String,
    json: Value,
    /// The text is for programs, too: nothing in it is changed on its way to one.
    is_data: bool,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            is_data: false,
        }
    }

    /// A table that another program may read.
    pub(crate) fn data(text: impl Into<String>, json: Value) -> Self {
        Self {
            is_data: true,
            ..Self::new(text, json)
        }
    }
}

/// Whether `--force` was given.
pub(crate) fn overwrite(force: bool) -> Overwrite {
    if force {
        Overwrite::Replace
    } else {
        Overwrite::Refuse
    }
}

/// Claims a file that a verb will write, before it does its work; from here on a signal is the verb's to obey ([`signals::token`]).
pub(crate) fn claim(out: &Path, force: bool) -> Result<AtomicFile, Failure> {
    signals::claimed();
    Ok(AtomicFile::create(out, overwrite(force))?)
}

/// [`claim`] of a file that only its owner is to read.
pub(crate) fn claim_private(out: &Path, force: bool) -> Result<AtomicFile, Failure> {
    signals::claimed();
    Ok(AtomicFile::create_private(out, overwrite(force))?)
}

/// How long a file is that was written.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Progress appears on anything that takes longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where things are said.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    /// What was noted, for `--json`.
    notes: Mutex<Vec<String>>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            notes: Mutex::default(),
        }
    }

    /// Whether a person reads along.
    pub(crate) fn is_talkative(&self) -> bool {
        !self.json && !self.quiet
    }

    /// A line beside the answer: on standard error for a person, among the answer's `notes` for a program.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        let text = printable(&text.to_string());
        if self.is_talkative() {
            eprintln!("{text}");
        }
        self.noted().push(text);
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer.
    pub(crate) fn answer(&self, verb: &str, answer: Answer) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let text = if self.json {
            let head = json!({"verb": verb, "ok": true, "notes": *self.noted()});
            object(&with(head, answer.json))
        } else if answer.is_data && !out.is_terminal() {
            answer.text
        } else {
            printable(&answer.text)
        };
        let written = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
        match written {
            // The reader has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(Failure::Stdout),
        }
    }

    /// Why there is none.
    pub(crate) fn failure(&self, verb: &str, failure: &Failure) {
        let text = printable(&failure.to_string());
        if self.json && !matches!(failure, Failure::Stdout(_)) {
            let failed = json!({"verb": verb, "ok": false, "code": failure.code(), "error": text, "notes": *self.noted()});
            // The exit code says it, too.
            let _ = writeln!(std::io::stdout(), "{}", object(&failed));
        }
        let _ = writeln!(std::io::stderr(), "lr-train {verb}: {text}");
    }

    /// A bar and options of a run that moves it; the bar is wiped when both are gone.
    pub(crate) fn watched(&self, what: &'static str) -> (Arc<Progress>, Options) {
        let progress = Arc::new(self.progress(what));
        let seen = progress.clone();
        let options = Options::new().on_progress(move |at| seen.at(at.done, at.total));
        (progress, options)
    }

    /// A bar that appears after a second, if a person looks at a terminal.
    pub(crate) fn progress(&self, what: &'static str) -> Progress {
        let show = self.is_talkative() && std::io::stderr().is_terminal();
        Progress {
            what,
            show,
            started: Instant::now(),
            bar: OnceLock::new(),
        }
    }
}

/// How far something has come. Everything is drawn on standard error and wiped in the end.
pub(crate) struct Progress {
    what: &'static str,
    show: bool,
    started: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// `done` of `total` steps.
    pub(crate) fn at(&self, done: usize, total: usize) {
        if !self.show || self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let style =
                ProgressStyle::with_template("{msg:<12} [{bar:40}] {percent:>3} %  {eta} left");
            ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr())
                .with_elapsed(self.started.elapsed())
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message(self.what)
        });
        bar.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

/// A text whose parts may come from a file that somebody else made: what a terminal obeys is escaped.
fn printable(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) && !matches!(c, '\n' | '\t') {
            said.extend(c.escape_unicode());
        } else {
            said.push(c);
        }
    }
    said
}

/// An object on one line. JSON escapes some of what a terminal obeys, the rest is escaped here; it reads the same.
fn object(value: &Value) -> String {
    let mut said = String::new();
    for c in value.to_string().chars() {
        if is_obeyed(c) {
            // All of these are below 2^16.
            said += &format!("\\u{:04x}", u32::from(c));
        } else {
            said.push(c);
        }
    }
    said
}

/// An object with the fields of another.
pub(crate) fn with(mut object: Value, fields: Value) -> Value {
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    object
}

/// A path for JSON.
pub(crate) fn path(path: &Path) -> Value {
    path.display().to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "line\n\tof \u{1b}[2J\r\u{9b}0m\u{7f}\u{202e}Ä";

    #[test]
    fn control_characters_of_files_do_not_reach_a_terminal() {
        assert_eq!(
            printable(HOSTILE),
            "line\n\tof \\u{1b}[2J\\u{d}\\u{9b}0m\\u{7f}\\u{202e}Ä"
        );
    }

    #[test]
    fn json_reads_the_same_without_them() {
        let value = json!({ HOSTILE: HOSTILE });
        let said = object(&value);
        assert!(!said.chars().any(is_obeyed), "{said}");
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), value);
    }
}
