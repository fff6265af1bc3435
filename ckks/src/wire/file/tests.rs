//! Files that appear whole or not at all, and bounds of reading.

use super::super::{ObjectKind, Reader, write_container};
use super::*;

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn put(path: &Path, overwrite: Overwrite, text: &[u8]) -> Result<(), WireError> {
    AtomicFile::create(path, overwrite)?.write_and_commit(text)
}

#[test]
fn a_container_goes_to_a_file_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.arras");
    let mut file = AtomicFile::create(&path, Overwrite::Refuse).unwrap();
    let written = write_container(&mut file, ObjectKind::Model, &7u8, 5, |payload| {
        payload.bytes(b"hello")
    })
    .unwrap();
    file.commit().unwrap();
    let bytes = read_bounded(&path, 1 << 20).unwrap();
    assert_eq!(bytes.len() as u64, written);
    let reader = Reader::from_bytes(&bytes, ObjectKind::Model).unwrap();
    assert_eq!(reader.payload(), b"hello");
    assert_eq!(files_in(folder.path()), ["x.arras"]);
}

#[test]
fn an_error_leaves_nothing_behind_and_the_old_file_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    // Whatever fails on the way drops the file.
    let fail = |overwrite| {
        let mut file = AtomicFile::create(&path, overwrite).unwrap();
        file.write_all(&[1; 3 << 20]).unwrap();
        assert_eq!(file.path(), path);
    };
    fail(Overwrite::Refuse);
    assert!(files_in(folder.path()).is_empty());

    put(&path, Overwrite::Refuse, b"old").unwrap();
    fail(Overwrite::Replace);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(files_in(folder.path()), ["x"]);
}

#[test]
fn while_writing_the_target_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let mut file = AtomicFile::create_private(&path, Overwrite::Refuse).unwrap();
    file.write_all(b"half").unwrap();
    assert!(!path.exists());
    // The partial file's name is random: it may sort before the lock or after it.
    let mut there = files_in(folder.path());
    there.retain(|name| name != ".x.lock");
    let [partial] = &there[..] else {
        panic!("beside the lock there is one file, not {there:?}");
    };
    assert!(partial.starts_with(".x.") && partial.ends_with(".partial"));
    file.write_all(b"whole").unwrap();
    file.commit().unwrap();
    assert_eq!(files_in(folder.path()), ["x"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"halfwhole");
}

#[test]
fn refuse_and_replace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    put(&path, Overwrite::Refuse, b"first").unwrap();
    refused! { put(&path, Overwrite::Refuse, b"second") => WireError::AlreadyExists { .. } }
    assert_eq!(std::fs::read(&path).unwrap(), b"first");
    put(&path, Overwrite::Replace, b"third").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"third");
    assert_eq!(files_in(folder.path()), ["x"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let file = AtomicFile::create(&path, Overwrite::Refuse).unwrap();
    std::fs::write(&path, b"theirs").unwrap();
    let result = file.write_and_commit(b"ours");
    assert!(matches!(result, Err(WireError::AlreadyExists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
    assert_eq!(files_in(folder.path()), ["x"]);
}

#[cfg(unix)]
#[test]
fn private_files_are_private_from_their_creation() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = folder.path().join("secret");
    let file = AtomicFile::create_private(&path, Overwrite::Refuse).unwrap();
    // The other file is the lock, which holds nothing.
    let files = files_in(folder.path());
    let partial = files.iter().find(|name| !name.ends_with(".lock")).unwrap();
    assert_eq!(mode(&folder.path().join(partial)), 0o600);
    file.write_and_commit(b"s").unwrap();
    assert_eq!(mode(&path), 0o600);

    // Replacing a file that anybody may read does not inherit its mode.
    let open = folder.path().join("open");
    std::fs::write(&open, b"").unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let file = AtomicFile::create_private(&open, Overwrite::Replace).unwrap();
    file.write_and_commit(b"s").unwrap();
    assert_eq!(mode(&open), 0o600);

    // And a file that is not private is as the umask says, as for any file created here.
    let plain = folder.path().join("plain");
    put(&plain, Overwrite::Refuse, b"p").unwrap();
    let reference = folder.path().join("reference");
    File::create(&reference).unwrap();
    assert_eq!(mode(&plain), mode(&reference));
}

#[test]
fn impossible_places_are_errors_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no such folder").join("x");
    let error = put(&missing, Overwrite::Refuse, b"").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("no such folder") && text.contains("create the folder"),
        "{text}"
    );
    for path in ["", "/", ".."] {
        refused! { put(Path::new(path), Overwrite::Replace, b"") => WireError::Io { .. } }
    }
    // A folder in the way.
    let error = put(folder.path(), Overwrite::Replace, b"").unwrap_err();
    assert!(matches!(error, WireError::Io { .. }), "{error}");
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let first = AtomicFile::create(&path, Overwrite::Refuse).unwrap();
    let error = AtomicFile::create(&path, Overwrite::Replace).unwrap_err();
    assert!(matches!(&error, WireError::Busy { path: named } if *named == path));
    // Files with names that begin or end alike have locks of their own.
    for other in ["x.y", "y.x", ".x"] {
        put(&folder.path().join(other), Overwrite::Refuse, b"").unwrap();
    }
    first.write_and_commit(b"first").unwrap();
    put(&path, Overwrite::Replace, b"second").unwrap();
    assert_eq!(files_in(folder.path()), [".x", "x", "x.y", "y.x"]);
}

/// Nothing that a link of ours points to is made, emptied or removed.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, victim) = (folder.path().join("x"), elsewhere.path().join("victim"));
    let lock = folder.path().join(".x.lock");
    // Of a file that is there, and of none.
    for there in [true, false] {
        if there {
            std::fs::write(&victim, b"theirs").unwrap();
        } else {
            std::fs::remove_file(&victim).unwrap();
        }
        symlink(&victim, &lock).unwrap();
        assert!(put(&path, Overwrite::Refuse, b"ours").is_err());
        assert_eq!(victim.exists(), there);
        std::fs::remove_file(&lock).unwrap();
    }
    std::fs::write(&victim, b"theirs").unwrap();
    symlink(&victim, folder.path().join(".x.abcdef.partial")).unwrap();
    symlink(&victim, &path).unwrap();
    put(&path, Overwrite::Replace, b"ours").unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"theirs");
    assert_eq!(files_in(folder.path()), [".x.abcdef.partial", "x"]);
    assert!(!path.is_symlink());
}

#[test]
fn what_a_killed_process_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let others = [
        ".x.abcdefg.partial",
        ".x.y.abcdef.partial",
        ".y.abcdef.partial",
        "x.abcdef.partial",
    ];
    for name in others.iter().chain(&[".x.abcdef.partial", ".x.lock"]) {
        std::fs::write(folder.path().join(name), b"left").unwrap();
    }
    put(&folder.path().join("x"), Overwrite::Refuse, b"new").unwrap();
    let mut expected = [&others[..], &["x"]].concat();
    expected.sort_unstable();
    assert_eq!(files_in(folder.path()), expected);
}

#[test]
fn reading_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for len in [0usize, 1, 1 << 20, (1 << 20) + 1] {
        std::fs::write(&path, vec![7u8; len]).unwrap();
        assert_eq!(read_bounded(&path, len as u64).unwrap(), vec![7; len]);
        if len > 0 {
            refused! { read_bounded(&path, len as u64 - 1) => WireError::FileTooLong { .. } }
        }
    }
    assert!(read_bounded(&path, u64::MAX).is_ok());
    refused! { read_bounded(&folder.path().join("absent"), 1) => WireError::Io { operation: "open", .. } }
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_file_is_refused_at_the_bound() {
    let zero = Path::new("/dev/zero");
    refused! {
        read_bounded(zero, 1 << 20) => WireError::FileTooLong { .. },
        Reader::new(open_file(zero).unwrap(), u64::MAX) => WireError::BadMagic { .. },
    }
}
