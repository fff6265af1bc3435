//! Ledgers: nothing is opened that is not counted, whatever fails and whoever else is at it.

use std::path::Path;

use arras_ckks::{
    SecretKey,
    opening::{LedgerChange, LedgerFile, LedgerInMemoryForTests},
    random::Seed,
    wire::{AtomicFile, Overwrite, WireError},
};

use super::*;
use crate::support::{insecure, secure, values};

/// Fails before or after it has kept the bytes, as a process that is killed.
struct Failing {
    inner: LedgerInMemoryForTests,
    fails: Option<When>,
}

#[derive(Clone, Copy, PartialEq)]
enum When {
    Before,
    After,
}

impl Ledger for Failing {
    fn update(&mut self, change: &mut LedgerChange<'_>) -> Result<()> {
        let killed = || WireError::from(std::io::Error::other("no power")).into();
        let fails = self.fails.take();
        self.inner.update(&mut |kept| {
            let bytes = change(kept)?;
            match fails {
                Some(When::Before) => Err(killed()),
                _ => Ok(bytes),
            }
        })?;
        match fails {
            Some(When::After) => Err(killed()),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_is_killed_after_the_record_loses_an_opening_and_never_the_count() {
    let owner = Owner::new(&secure(13, 1));
    let inner = LedgerInMemoryForTests::new(&owner.party.secret, 10).unwrap();
    let mut ledger = Failing { inner, fails: None };
    let request = owner.request(8.0).audited();
    let ct = owner.encrypt(&values(1, PERIOD));
    for (when, openings) in [(When::Before, 0), (When::After, 1)] {
        ledger.fails = Some(when);
        says! { owner.open(&ct, &request, &mut ledger).unwrap_err() => ["no power"] }
        assert_eq!(owner.account(&mut ledger).openings, openings);
    }
    // It may be asked for again, and is counted once.
    let opened = owner.open(&ct, &request, &mut ledger).unwrap();
    assert_eq!(opened.account.openings, 1);
    // It is kept again before it is given again: the first attempt may not have come to the disk.
    ledger.fails = Some(When::Before);
    assert!(owner.open(&ct, &request, &mut ledger).is_err());

    struct Idle;
    impl Ledger for Idle {
        fn update(&mut self, _: &mut LedgerChange<'_>) -> Result<()> {
            Ok(())
        }
    }
    assert!(matches!(
        refusal(owner.open(&ct, &request, &mut Idle)),
        OpeningError::NotRecorded
    ));
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_ledger_is_a_private_file_that_is_created_once() {
    let owner = Owner::new(&insecure(11, 1));
    let key = &owner.party.secret;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    assert!(matches!(
        refusal(LedgerFile::open(&path, key)),
        OpeningError::Missing { .. }
    ));
    says! { LedgerFile::open(&path, key).unwrap_err() => ["open a ledger", "ledger.json", "create it once"] }

    let request = owner.request(8.0).audited();
    let (x, y) = (
        owner.encrypt(&values(1, PERIOD)),
        owner.encrypt(&values(2, PERIOD)),
    );
    let mut ledger = LedgerFile::create(&path, key, 10).unwrap();
    says! { LedgerFile::create(&path, key, 10).unwrap_err() => ["exists already"] }
    let first = owner.open(&x, &request, &mut ledger).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        owner.open(&y, &request, &mut ledger).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(files_in(folder.path()), ["ledger.json"]);
    // Another process: what was counted is counted.
    let mut ledger = LedgerFile::open(&path, key).unwrap();
    assert_eq!(ledger.path(), path);
    let again = owner.open(&x, &request, &mut ledger).unwrap();
    assert_eq!(again.values, first.values);
    assert_eq!(again.account.openings, if cfg!(unix) { 2 } else { 1 });

    // A link would leave the old count behind.
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            refusal(LedgerFile::open(&link, key)),
            OpeningError::Unusable { .. }
        ));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        refusal(owner.open(&x, &request, &mut ledger)),
        OpeningError::Missing { .. }
    ));
    assert!(path.symlink_metadata().is_err());
}

#[test]
fn a_ledger_that_is_damaged_or_another_keys_is_refused() {
    let owner = Owner::new(&insecure(11, 1));
    let key = &owner.party.secret;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let mut ledger = LedgerFile::create(&path, key, 10).unwrap();
    let request = owner.request(8.0).audited();
    let ct = owner.encrypt(&values(1, PERIOD));
    owner.open(&ct, &request, &mut ledger).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();

    let mut damaged: Vec<Vec<u8>> = (0..whole.len())
        .step_by(37)
        .map(|len| whole[..len].to_vec())
        .collect();
    // Any bit, an entry made smaller, a limit raised, one more space.
    damaged.extend((0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    }));
    damaged.push(
        text.replace("\"coordinates\": 32", "\"coordinates\": 2")
            .into_bytes(),
    );
    damaged.push(
        text.replace("\"queries\": 10", "\"queries\": 99")
            .into_bytes(),
    );
    damaged.push([&whole[..], b" "].concat());
    for bytes in damaged {
        assert_ne!(bytes, whole);
        std::fs::write(&path, &bytes).unwrap();
        // What changes the commitment makes it another key's.
        let refused = refusal(owner.open(&ct, &request, &mut ledger));
        let refused = matches!(refused, OpeningError::Damaged | OpeningError::AnotherKey);
        assert!(refused, "{}", String::from_utf8_lossy(&bytes));
        assert!(LedgerFile::open(&path, key).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(owner.account(&mut ledger).openings, 1);

    let other = SecretKey::from_seed(&owner.party.context, &Seed::from_bytes([77; 32])).unwrap();
    assert!(matches!(
        refusal(LedgerFile::open(&path, &other)),
        OpeningError::AnotherKey
    ));
    let opened = Decryptor::new(&other).open_for_others(&ct, &request, &mut ledger);
    assert!(matches!(refusal(opened), OpeningError::AnotherKey));
    // Nor does the noise of one key serve another.
    let mut others = LedgerInMemoryForTests::new(&other, 10).unwrap();
    let stranger = Decryptor::new(&other).open_for_others(&ct, &request, &mut others);
    assert_ne!(
        stranger.unwrap().values,
        owner.open(&ct, &request, &mut ledger).unwrap().values
    );
}

#[test]
fn two_handles_count_together_and_one_waits_for_the_other() {
    let owner = Owner::new(&insecure(11, 1));
    let key = &owner.party.secret;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    LedgerFile::create(&path, key, 100).unwrap();
    let request = Opening::new(PERIOD, 8.0, owner.fresh_error()).audited();

    // While somebody else is at it.
    let mut ledger = LedgerFile::open(&path, key).unwrap();
    let ct = owner.encrypt(&values(0, PERIOD));
    let held = AtomicFile::create_private(&path, Overwrite::Replace).unwrap();
    assert!(held.is_exclusive());
    says! { owner.open(&ct, &request, &mut ledger).unwrap_err() => ["another process"] }
    drop(held);
    assert_eq!(owner.account(&mut ledger).openings, 0);

    let opened = |from: u64| {
        let mut ledger = LedgerFile::open_when_free(&path, &owner);
        let mut opened = 0;
        for seed in from..from + 20 {
            let ct = owner.encrypt(&values(seed, PERIOD));
            loop {
                match owner
                    .open(&ct, &request, &mut ledger)
                    .map_err(CkksError::into_kind)
                {
                    Ok(_) => opened += 1,
                    Err(CkksErrorKind::Wire(WireError::Busy { .. })) => continue,
                    Err(CkksErrorKind::Opening(OpeningError::Budget { .. })) => {}
                    Err(other) => panic!("{other}"),
                }
                break;
            }
        }
        opened
    };
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| opened(1000));
        let b = scope.spawn(|| opened(2000));
        (a.join().unwrap(), b.join().unwrap())
    });
    let account = owner.account(&mut ledger);
    assert_eq!(account.openings, a + b);
    assert_eq!(account.coordinates, 32 * (a + b) as u64);
    // Forty openings at 32 of 2048 coordinates.
    assert_eq!(a + b, 40);
}

trait WhenFree {
    fn open_when_free(path: &Path, owner: &Owner) -> Self;
}

impl WhenFree for LedgerFile {
    fn open_when_free(path: &Path, owner: &Owner) -> Self {
        loop {
            if let Ok(ledger) = Self::open(path, &owner.party.secret) {
                return ledger;
            }
        }
    }
}
