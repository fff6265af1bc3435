//! Tables of data.

use std::io::{Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use lr_train::data::{
    Classes,
    csv::{self, Categories, ColumnId, Columns, Header, MissingValues},
    idx,
};

use super::Home;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Gives one byte at a time.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

/// The first two bytes say how the rest is read.
pub(super) fn csv(home: &Home, bytes: &[u8]) -> bool {
    let Some((&[how, more], text)) = bytes.split_first_chunk() else {
        return false;
    };
    let (how, more) = (usize::from(how), usize::from(more));
    let (name, index) = (ColumnId::Name, ColumnId::Index);
    let mut options = csv::Options::new([name("y".into()), index(-1), index(0)][how % 3].clone());
    options.format.header = [Header::Auto, Header::Present, Header::Absent][how / 3 % 3];
    let delimiters = [
        None,
        Some(b','),
        Some(b';'),
        Some(b'\t'),
        Some(b' '),
        Some(b'|'),
    ];
    options.format.delimiter = delimiters[how / 9 % 6];
    options.columns = match more % 4 {
        0 => Columns::default(),
        1 => Columns::only([index(0), name("b".into())]),
        2 => Columns::only([name("*".into())]).without([index(-2)]),
        _ => Columns::default().without([name("a".into()), name("[a]".into())]),
    };
    options.rules.missing = [
        None,
        Some(MissingValues::Impute),
        Some(MissingValues::DropRows),
    ][how % 3];
    options.rules.categories = [Categories::Refuse, Categories::OneHot][more / 32 % 2];
    if more / 64 % 2 == 1 {
        options.rules.categorical = vec![name("b".into())];
    }
    options.format.decimal_comma = more / 16 % 2 == 1;
    options.positive = [None, Some("no".into())][more / 4 % 2].clone();
    options.classes = [None, Some(home.data.classes().clone())][more / 8 % 2].clone();

    let mut unlabelled = options.clone();
    if how % 2 == 1 {
        unlabelled.label = None;
    }
    let table = csv::read_table(text, &unlabelled);
    if let Ok(table) = &table {
        assert!(table.rows() > 0 && table.features().iter().all(|x| x.is_finite()));
    }
    let in_drops = csv::read_table(Drops(text), &unlabelled);
    assert_eq!(format!("{in_drops:?}"), format!("{table:?}"));

    let data = csv::read(text, &options);
    let in_drops = csv::read(Drops(text), &options);
    assert_eq!(format!("{in_drops:?}"), format!("{data:?}"));
    // In a file it is the same, unless it is compressed.
    let in_file = csv::read_file(&home.file(text), &options);
    if !text.starts_with(&GZIP) {
        assert_eq!(in_file.as_ref().ok(), data.as_ref().ok());
    }
    let Ok(data) = data.or(in_file) else {
        return table.is_ok();
    };
    assert_eq!(data.labels().len(), data.rows());
    // Read again by the layout that was fitted, the rows are the same.
    let mut known = options.clone();
    known.layout = data.table().layout().cloned();
    known.classes = Some(data.classes().clone());
    if let Ok(again) = csv::read(text, &known) {
        assert_eq!(again.features(), data.features());
    }

    // Written plainly and read again, features and labels are the same.
    let Classes { negative, positive } = data.classes();
    let mut plain = Vec::new();
    for (row, &label) in data.features().rows().into_iter().zip(data.labels()) {
        let numbers: Vec<String> = row.iter().map(f64::to_string).collect();
        plain.extend(format!("{},{}\n", numbers.join(","), u8::from(label)).bytes());
    }
    let mut options = csv::Options::new(index(-1));
    options.format.header = Header::Absent;
    options.format.delimiter = Some(b',');
    options.classes = Some(Classes {
        negative: "0".into(),
        positive: "1".into(),
    });
    let again = csv::read(&plain[..], &options).unwrap();
    assert_eq!(again.features(), data.features());
    assert_eq!(again.labels(), data.labels());
    assert_ne!(negative, positive);
    true
}

pub(super) fn idx(home: &Home, bytes: &[u8]) -> bool {
    let path = home.file(bytes);
    let mut written = vec![];
    if let Ok(images) = idx::read_images(&path) {
        assert_eq!(images.iter().len(), images.count());
        let dimensions = [images.count(), images.height(), images.width()];
        written.extend(0x803u32.to_be_bytes());
        written.extend(dimensions.iter().flat_map(|&d| (d as u32).to_be_bytes()));
        written.extend(images.iter().flatten());
    } else if let Ok(labels) = idx::read_labels(&path) {
        written.extend(0x801u32.to_be_bytes());
        written.extend((labels.len() as u32).to_be_bytes());
        written.extend(labels);
    } else {
        return false;
    }
    let mut plain = vec![];
    if bytes.starts_with(&GZIP) {
        let most = written.len() as u64 + 1;
        let unpacked = MultiGzDecoder::new(Cursor::new(bytes));
        // The reader looks for one byte beyond the end, and no further.
        let _ = unpacked.take(most).read_to_end(&mut plain);
    } else {
        plain.extend(bytes);
    }
    assert!(written == plain);
    true
}
