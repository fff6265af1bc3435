//! The IDX format of the MNIST files: a big-endian header, then bytes.
//!
//! ```text
//!   0x00000801 | count                  | count bytes                    labels
//!   0x00000803 | count | height | width | count * height * width bytes   images
//! ```
//!
//! A file may be compressed with gzip, which is recognized by its first two bytes. Files are treated as hostile: the
//! announced size is bounded before anything is read, memory grows with the bytes that are really there, and data
//! after the announced end is an error.

use std::{io::Read, path::Path};

use super::{DataError, source};
use crate::TrainError;

/// The most data bytes that a header may announce: 1 GiB, 22 times the largest MNIST file.
pub const LIMIT: u64 = 1 << 30;

const LABELS: u32 = 0x0000_0801;
const IMAGES: u32 = 0x0000_0803;

/// Images of one size, bytes row by row, one image after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Rows of pixels per image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of pixels per image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many images.
    pub fn count(&self) -> usize {
        self.pixels.len() / (self.height * self.width)
    }

    /// The images in their order, each of `height * width` bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.height * self.width)
    }
}

/// Reads a file of images.
///
/// # Errors
/// [`TrainError::Read`]; in [`TrainError::InFile`]: [`DataError::IdxMagic`], [`DataError::IdxTooLarge`] (images
/// without a pixel, too), [`DataError::IdxLength`].
pub fn read_images(path: &Path) -> Result<Images, TrainError> {
    read_file(path, parse_images)
}

/// Reads a file of labels.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, TrainError> {
    read_file(path, parse_labels)
}

fn read_file<T>(
    path: &Path,
    parse: fn(&mut dyn Read) -> Result<T, ParseError>,
) -> Result<T, TrainError> {
    parse(&mut *source::open(path)?).map_err(|error| match error {
        ParseError::Io(error) => source::unreadable(path, error),
        ParseError::Format(error) => TrainError::from(error).in_file(path),
    })
}

enum ParseError {
    Io(std::io::Error),
    Format(DataError),
}

impl From<DataError> for ParseError {
    fn from(error: DataError) -> Self {
        Self::Format(error)
    }
}

fn parse_images(input: &mut dyn Read) -> Result<Images, ParseError> {
    let (dimensions, pixels) = parse::<3>(input, IMAGES, "image files")?;
    let [_, height, width] = dimensions.map(|d| d as usize);
    Ok(Images {
        height,
        width,
        pixels,
    })
}

fn parse_labels(input: &mut dyn Read) -> Result<Vec<u8>, ParseError> {
    Ok(parse::<1>(input, LABELS, "label files")?.1)
}

fn parse<const D: usize>(
    mut input: &mut dyn Read,
    expected: u32,
    what: &'static str,
) -> Result<([u32; D], Vec<u8>), ParseError> {
    let found = word(input)?;
    if found != expected {
        return Err(DataError::IdxMagic {
            what,
            found,
            expected,
        }
        .into());
    }
    let mut dimensions = [0; D];
    for d in &mut dimensions {
        *d = word(input)?;
    }
    let bytes = dimensions
        .iter()
        .fold(1u64, |product, &d| product.saturating_mul(u64::from(d)));
    // An image without pixels would make the number of images meaningless.
    if bytes > LIMIT || dimensions[1..].contains(&0) {
        return Err(DataError::IdxTooLarge {
            dimensions: dimensions.to_vec(),
            bytes,
            limit: LIMIT,
        }
        .into());
    }
    // `read_to_end` grows with what arrives; one byte more than announced shows data after the end.
    let mut data = Vec::new();
    let found = (&mut input)
        .take(bytes + 1)
        .read_to_end(&mut data)
        .map_err(|error| truncated(error, bytes))? as u64;
    if found != bytes {
        return Err(DataError::IdxLength {
            expected: bytes,
            found,
        }
        .into());
    }
    Ok((dimensions, data))
}

fn word(input: &mut dyn Read) -> Result<u32, ParseError> {
    let mut bytes = [0; 4];
    input
        .read_exact(&mut bytes)
        .map_err(|error| truncated(error, 4))?;
    Ok(u32::from_be_bytes(bytes))
}

/// A stream that ends early is a damaged file, other failures are the system's.
fn truncated(error: std::io::Error, expected: u64) -> ParseError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return DataError::IdxLength { expected, found: 0 }.into();
    }
    ParseError::Io(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn images_file(count: u32, height: u32, width: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [IMAGES, count, height, width] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Images, TrainError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read_images(file.path())
    }

    /// What is wrong with a file of images.
    #[track_caller]
    fn refusal(bytes: &[u8]) -> DataError {
        match read(bytes) {
            Err(TrainError::InFile { error, .. }) => match *error {
                TrainError::Data(error) => error,
                other => panic!("{other}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_and_compressed_files_read_the_same() {
        let bytes = images_file(2, 2, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let plain = read(&bytes).unwrap();
        assert_eq!((plain.count(), plain.height(), plain.width()), (2, 2, 3));
        assert_eq!(plain.iter().nth(1), Some(&[7, 8, 9, 10, 11, 12][..]));
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&bytes).unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(read(&packed).unwrap(), plain);
        // Cut within the compressed stream.
        let error = refusal(&packed[..packed.len() - 12]);
        assert!(matches!(error, DataError::IdxLength { .. }), "{error}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let good = images_file(2, 2, 2, &[0; 8]);
        let long = [&good[..], &[0]].concat();
        // What the header announces and the file has: of a header that is cut short, nothing is known.
        for (bytes, expected, found) in [
            (&good[..good.len() - 1], 8, 7),
            (&long[..], 8, 9),
            (&good[..9], 4, 0),
            (&[], 4, 0),
        ] {
            let DataError::IdxLength {
                expected: announced,
                found: there,
            } = refusal(bytes)
            else {
                panic!("{}", refusal(bytes));
            };
            assert_eq!((announced, there), (expected, found));
        }
        let mut labels = good.clone();
        labels[3] = 1;
        let told = refusal(&labels).to_string();
        let magics = told.contains("0x00000801") && told.contains("0x00000803");
        assert!(magics, "{told}");
        assert!(matches!(
            read_images(Path::new("/nonexistent/file")),
            Err(TrainError::Read { .. })
        ));
    }

    #[test]
    fn announced_sizes_are_bounded_before_reading() {
        for (count, height, width) in [
            (u32::MAX, u32::MAX, u32::MAX),
            (1 << 20, 1 << 10, 2),
            (5, 0, 3),
        ] {
            let error = refusal(&images_file(count, height, width, &[]));
            assert!(matches!(error, DataError::IdxTooLarge { .. }), "{error}");
        }
        let error = refusal(&images_file(1 << 20, 1 << 10, 1, &[]));
        assert!(
            matches!(error, DataError::IdxLength { found: 0, .. }),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse_images(&mut &bytes[..]);
            let _ = parse_labels(&mut &bytes[..]);
            let mut framed = IMAGES.to_be_bytes().to_vec();
            framed.extend(&bytes);
            let _ = parse_images(&mut &framed[..]);
        }
    }
}
