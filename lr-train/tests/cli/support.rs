//! Runs the binary in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

// Verbs on the files of `finished`.
pub(crate) const ENCRYPT: &str = "encrypt --keys keys --data train.csv --label y --out out.arras";
pub(crate) const TRAIN: &str = "train --eval-keys keys/eval --data data.arras --out out.arras";
pub(crate) const DECRYPT: &str = "decrypt --keys keys --result result.arras --out out.json";

/// A folder in which `lr-train` runs.
pub(crate) struct Desk(TempDir);

/// What a run gave.
pub(crate) struct Ran {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self::from(&format!("{command:?}"), &output)
    }

    pub(crate) fn from(command: &str, output: &Output) -> Self {
        Self {
            command: command.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// All of these words, with ` | ` between, are on standard output.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        self.holds(&self.stdout, words);
    }

    /// All of these words, with ` | ` between, are on standard error.
    #[track_caller]
    pub(crate) fn notes(&self, words: &str) {
        self.holds(&self.stderr, words);
    }

    #[track_caller]
    fn holds(&self, text: &str, words: &str) {
        for word in words.split(" | ") {
            assert!(text.contains(word), "no {word:?} in {self}");
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}{}", self.command, self.stdout, self.stderr)
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The command, with nothing of the caller's environment that would change it.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lr-train"));
        command
            .current_dir(self.root())
            .env_remove("ARRAS_ENGINE")
            .args(arguments.split_whitespace());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs what must not wait for anything.
    pub(crate) fn run_soon(&self, arguments: &str) -> Ran {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("{arguments} hangs");
            }
            sleep(Duration::from_millis(5));
        }
        Ran::from(&format!("{command:?}"), &child.wait_with_output().unwrap())
    }

    /// Runs what must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &str) -> Ran {
        self.run(arguments).ends_with(0)
    }

    /// Runs what must succeed with `--json`, and returns the object.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let ran = self.ok(&format!("{arguments} --json"));
        let value: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
        assert_eq!(value["ok"], true);
        assert_eq!(value["verb"].as_str(), arguments.split_whitespace().next());
        value
    }

    /// Runs what must fail with this exit code, and with all of these words in its message.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &str, code: i32, words: &str) {
        self.run(arguments).ends_with(code).notes(words);
    }

    /// Runs what must fail, a case a line: `exit code | arguments | word of the message | ..`.
    #[track_caller]
    pub(crate) fn refuses(&self, cases: &str) {
        for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
            let mut parts = case.splitn(3, " | ");
            let mut next = || parts.next().unwrap_or_else(|| panic!("no case: {case}"));
            let (code, arguments, words) = (next(), next(), next());
            self.fails(arguments, code.parse().unwrap(), words);
        }
    }

    /// Names of all files and folders under a folder, sorted.
    pub(crate) fn listing(&self, folder: &str) -> Vec<String> {
        let mut names = vec![];
        let mut open = vec![self.path(folder)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.root()).unwrap();
                names.push(name.display().to_string());
                if path.is_dir() {
                    open.push(path);
                }
            }
        }
        names.sort();
        names
    }

    /// A desk with a copy of some files and folders of this one, their names with spaces between.
    pub(crate) fn copy_of(&self, names: &str) -> Self {
        let desk = Self::new();
        for name in names.split_whitespace() {
            copy(&self.path(name), &desk.path(name));
        }
        desk
    }
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Two features that tell the classes apart, with a constant column between them.
pub(crate) fn small_csv(rows: usize) -> String {
    let mut text = String::from("a,same,b,y\n");
    for row in 0..rows {
        let class = row % 2;
        let (a, b) = (
            class as f64 - 0.5 + 0.01 * (row * 7 % 13) as f64,
            0.3 * class as f64 + 0.02 * (row * 5 % 11) as f64,
        );
        text += &format!("{a},4,{b},{}\n", if class == 1 { "yes" } else { "no" });
    }
    text
}

/// Plan, keys and encrypted data of a small training: `plan.toml`, `keys`, `data.arras`.
pub(crate) fn prepared(options: &str) -> Desk {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(24));
    desk.ok(&format!(
        "plan --data train.csv --label y --settings fixed --normalize max-abs --lr 1 --first-step published --minibatch 16 --out plan.toml {options}"
    ));
    desk.ok("keygen --plan plan.toml --out keys");
    desk.ok("encrypt --keys keys --data train.csv --label y --out data.arras");
    desk
}

/// A finished small exchange that tests read and do not change: beside what [`prepared`] makes there are `result.arras` and
/// `model.json`.
pub(crate) fn finished() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = prepared("--circuit baseline --iterations 1");
        desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
        desk.ok("decrypt --keys keys --result result.arras --out model.json");
        desk
    })
}
