//! Rows of delimited text and the lines on which they stand.

use std::io::{BufReader, Chain, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use super::{CsvError, Format};

/// What was read to look at, and the rest.
type Whole<R> = Chain<Cursor<Vec<u8>>, BufReader<Lines<R>>>;

/// Reads row after row.
pub(super) struct Rows<R> {
    reader: Reader<Whole<R>>,
    delimiter: u8,
}

impl<R: Read> Rows<R> {
    /// Without a delimiter, the first line decides.
    pub(super) fn new(input: R, format: &Format) -> Result<Self, CsvError> {
        let mut input = BufReader::with_capacity(1 << 16, Lines::new(input));
        let mut start = vec![];
        // With a delimiter, too: a byte order mark is one only where it arrives as a whole.
        first_line(&mut input, &mut start)?;
        let delimiter = (format.delimiter).unwrap_or_else(|| guess_delimiter(&start, format));
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(start).chain(input));
        Ok(Self { reader, delimiter })
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    /// The next row that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Row>, CsvError> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {
                if self.delimiter == b' ' {
                    // Several in a row are one, and those at the ends are none.
                    record = record.iter().filter(|field| !field.is_empty()).collect();
                }
                Row::new(record, self.reader.position().line()).map(Some)
            }
            Ok(false) => Ok(None),
            Err(error) => Err(CsvError::BadRecord {
                line: self.reader.position().line(),
                reason: error.to_string(),
            }),
        }
    }
}

/// One row.
pub(super) struct Row {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    record: StringRecord,
}

impl Row {
    /// `after` is the line on which the reader stands behind the record. The line that the reader states for the record itself is
    /// that of the blank lines before it.
    fn new(record: ByteRecord, after: u64) -> Result<Self, CsvError> {
        let bytes = record.iter().flatten();
        let inner = bytes.filter(|&&byte| byte == b'\n').count() as u64;
        let line = after.saturating_sub(inner + 1);
        match StringRecord::from_byte_record(record) {
            Ok(record) => Ok(Self { line, record }),
            Err(error) => Err(CsvError::BadRecord {
                line,
                reason: format!("not UTF-8 text ({})", error.utf8_error()),
            }),
        }
    }

    /// How many fields.
    pub(super) fn len(&self) -> usize {
        self.record.len()
    }

    /// The fields, without spaces around them.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.record.iter().map(str::trim)
    }
}

/// The most bytes of a first line that are looked at.
const FIRST_LINE: u64 = 1 << 20;

/// Reads until the first line that is not blank has ended, however little each read gives.
fn first_line(input: &mut impl Read, start: &mut Vec<u8>) -> Result<(), CsvError> {
    let mut input = input.take(FIRST_LINE);
    let mut buffer = [0; 1 << 12];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                let blank = start.iter().all(|&b| b == b'\n');
                let new = &buffer[..count];
                start.extend_from_slice(new);
                let text = new.iter().skip_while(|&&b| blank && b == b'\n');
                if text.copied().any(|b| b == b'\n') {
                    break;
                }
            }
            Err(error) => {
                return Err(CsvError::BadRecord {
                    line: 1,
                    reason: error.to_string(),
                });
            }
        }
    }
    Ok(())
}

fn guess_delimiter(start: &[u8], format: &Format) -> u8 {
    let first = start
        .split(|&b| b == b'\n')
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let count = |candidate: u8| {
        let mut quoted = false;
        let delimits = |&&b: &&u8| {
            quoted ^= b == b'"';
            b == candidate && !quoted
        };
        first.trim_ascii().iter().filter(delimits).count()
    };
    let (mut best, mut most) = (b',', 0);
    for candidate in *b",\t;|" {
        let found = count(candidate);
        if found > most && !(candidate == b',' && format.decimal_comma) {
            (best, most) = (candidate, found);
        }
    }
    if most == 0 && count(b' ') > 0 {
        return b' ';
    }
    best
}

/// Passes bytes on with every line ended by one line feed, the last one too, so that line feeds count lines.
struct Lines<R> {
    inner: R,
    after_return: bool,
    ended: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            after_return: false,
            ended: false,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match self.inner.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if count == 0 {
                self.ended = true;
                buffer[0] = b'\n';
                return Ok(1);
            }
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                let second_half = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !second_half {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            // A lone second half of a line's end leaves nothing, which would look like the end.
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}
