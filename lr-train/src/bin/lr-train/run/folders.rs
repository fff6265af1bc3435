//! The two parties' folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use arras::ckks::wire::AtomicFile;
use lr_train::TrainError;

use crate::{failure::Failure, output::overwrite};

/// Where the files of a run lie.
pub(super) struct Folders {
    client: PathBuf,
    server: PathBuf,
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            client: root.join("client"),
            server: root.join("server"),
        }
    }

    /// # Errors
    /// What the operating system refuses.
    pub(super) fn create(&self) -> Result<(), Failure> {
        for folder in [&self.client, &self.server] {
            fs::create_dir_all(folder).map_err(written(folder))?;
        }
        Ok(())
    }

    pub(super) fn plan(&self) -> PathBuf {
        self.client.join("plan.toml")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.client.join("keys")
    }

    pub(super) fn model(&self) -> PathBuf {
        self.client.join("model.json")
    }

    pub(super) fn report(&self) -> PathBuf {
        self.client.join("report.html")
    }

    pub(super) fn evaluation(&self) -> PathBuf {
        self.server.join("eval")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.server.join("data.arras")
    }

    /// Rounds count from 0 here and from 1 in names.
    pub(super) fn result(&self, round: usize) -> PathBuf {
        self.server.join(format!("result-{}.arras", round + 1))
    }

    pub(super) fn state(&self, round: usize) -> PathBuf {
        self.server.join(format!("state-{}.arras", round + 1))
    }

    /// Gives the server the evaluation keys that lie in `from`: the same files under a second name where the system can do that, copies
    /// elsewhere.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub(super) fn share(&self, from: &Path) -> Result<(), Failure> {
        let folder = self.evaluation();
        fs::create_dir_all(&folder).map_err(written(&folder))?;
        for entry in fs::read_dir(from).map_err(Failure::read(from))? {
            let entry = entry.map_err(Failure::read(from))?;
            let (source, target) = (entry.path(), folder.join(entry.file_name()));
            match fs::hard_link(&source, &target) {
                Ok(()) => {}
                // Of an earlier call: loading compares them with the plan and with each other.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) => {
                    let file = AtomicFile::create(&target, overwrite(false))?;
                    let bytes = fs::read(&source).map_err(Failure::read(&source))?;
                    file.write_and_commit(&bytes)?;
                }
            }
        }
        Ok(())
    }
}

fn written(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |error| TrainError::Write { path, error }.into()
}
