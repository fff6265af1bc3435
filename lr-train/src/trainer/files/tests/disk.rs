//! Full disks and limits on file sizes.

use std::io::Write;

use super::*;

/// A disk with room for this many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_happens() {
    let exchange = Exchange::new();
    let bytes = dataset_file_bytes(&exchange.plan).unwrap() as usize;
    let write = |room| dataset::write_to(&exchange.owner, &exchange.data, &mut Full(room), |_| {});
    assert_eq!(write(bytes).unwrap(), bytes as u64);
    for room in [0, 10, 2000, bytes / 3, bytes - 1] {
        let error = write(room).unwrap_err();
        let full = matches!(&error, TrainError::Wire(WireError::Stream { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull);
        assert!(full, "{room}: {error}");
    }
}

/// Runs in a process of its own, under a limit on file sizes.
#[test]
#[ignore = "run by the test below"]
fn writes_under_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (owner, _) = owner(&make_plan(2));
    let data = owner.prepare(&some_rows(60), Scheme::MaxAbs).unwrap();
    let path = folder.path().join("data.arras");
    let error = write_dataset(&owner, &data, created(&path), |_| {}).unwrap_err();
    assert!(error.to_string().contains("data.arras"), "{error}");
    assert!(files_in(folder.path()).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_file_sizes_leaves_nothing_behind() {
    // 64 blocks are 32 or 64 KiB, by shell.
    assert!(dataset_file_bytes(&make_plan(2)).unwrap() > 1 << 16);
    let test = std::env::current_exe().unwrap();
    let command = format!(
        "trap '' XFSZ; ulimit -f 64; exec '{}' --ignored --exact trainer::files::tests::disk::writes_under_a_limit",
        test.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &command])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
