//! Runs the binary in a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder in which `lr-train` runs.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
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
        self.command(arguments).output().unwrap().into()
    }

    /// Runs what must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(
            ran.code,
            Some(0),
            "lr-train {arguments}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        ran
    }

    /// Runs what must succeed with `--json`, and returns the object.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let ran = self.ok(&format!("{arguments} --json"));
        let value: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{arguments}: {error}\n{}", ran.stdout));
        assert_eq!(value["ok"], true);
        assert_eq!(value["verb"].as_str(), arguments.split_whitespace().next());
        value
    }

    /// Runs what must fail with this exit code, and with all of these words in its message.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &str, code: i32, words: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(
            ran.code,
            Some(code),
            "lr-train {arguments}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        for word in words {
            assert!(
                ran.stderr.contains(word),
                "lr-train {arguments}: no {word:?} in\n{}",
                ran.stderr
            );
        }
    }

    /// Names of all files and folders under a folder, sorted.
    pub(crate) fn listing(&self, folder: &str) -> Vec<String> {
        let mut names = vec![];
        let mut open = vec![self.path(folder)];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                names.push(
                    path.strip_prefix(self.root())
                        .unwrap()
                        .display()
                        .to_string(),
                );
                if path.is_dir() {
                    open.push(path);
                }
            }
        }
        names.sort();
        names
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
        "plan --data train.csv --label y --minibatch 16 --out plan.toml {options}"
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
        desk.ok("decrypt --keys keys --model result.arras --out model.json");
        desk
    })
}

impl Desk {
    /// A desk with a copy of some files and folders of another.
    pub(crate) fn with(from: &Desk, names: &[&str]) -> Self {
        let desk = Self::new();
        for name in names {
            copy(&from.path(name), &desk.path(name));
        }
        desk
    }
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}
