//! Where the bytes of data come from: files, compressed or not, and the standard input.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use crate::TrainError;

/// What every file compressed by gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The path that stands for the standard input.
const STDIN: &str = "-";

/// Opens a file, or the standard input if it is called `-`; what is compressed by gzip, as its first two bytes say, is expanded.
///
/// # Errors
/// [`TrainError::Read`].
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, TrainError> {
    let opened = if path == Path::new(STDIN) {
        expanded(io::stdin().lock())
    } else {
        File::open(path).and_then(expanded)
    };
    opened.map_err(|error| unreadable(path, error))
}

/// The error that a path has.
pub(super) fn unreadable(path: &Path, error: io::Error) -> TrainError {
    TrainError::Read {
        path: path.to_owned(),
        error,
    }
}

fn expanded(input: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut input = BufReader::new(input);
    let mut start = vec![];
    (&mut input)
        .take(GZIP.len() as u64)
        .read_to_end(&mut start)?;
    let compressed = start == GZIP;
    let whole = Cursor::new(start).chain(input);
    Ok(if compressed {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn what_is_compressed_is_expanded() {
        let folder = tempfile::tempdir().unwrap();
        let compressed = |text: &[u8]| {
            let mut file = GzEncoder::new(vec![], Compression::fast());
            file.write_all(text).unwrap();
            file.finish().unwrap()
        };
        // Files may be joined without being expanded.
        let joined = [compressed(b"a,b\n"), compressed(b"1,2\n")].concat();
        for (given, expected) in [
            (&b"a,b\n1,2\n"[..], &b"a,b\n1,2\n"[..]),
            (&joined, b"a,b\n1,2\n"),
            (b"", b""),
            (b"\x1f", b"\x1f"),
        ] {
            let path = folder.path().join("data");
            std::fs::write(&path, given).unwrap();
            let mut found = vec![];
            open(&path).unwrap().read_to_end(&mut found).unwrap();
            assert_eq!(found, expected);
        }
        let cut = &joined[..joined.len() - 9];
        std::fs::write(folder.path().join("cut"), cut).unwrap();
        let mut rest = open(&folder.path().join("cut")).unwrap();
        assert!(rest.read_to_end(&mut vec![]).is_err());
        let absent = open(&folder.path().join("absent"));
        assert!(matches!(absent, Err(TrainError::Read { .. })));
    }
}
