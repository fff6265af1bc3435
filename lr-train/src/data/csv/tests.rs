//! What the reader takes and what it refuses.

use ndarray::array;
use proptest::prelude::*;

use super::*;
use crate::data::tests::external;

fn by_name(text: &str, label: &str) -> Result<Dataset, DataError> {
    read(text.as_bytes(), &Options::new(Label::Name(label.into())))
}

fn by_index(text: &str, index: i64) -> Result<Dataset, DataError> {
    read(text.as_bytes(), &Options::new(Label::Index(index)))
}

#[test]
fn header_and_label_by_name() {
    let data = by_name(
        "age,sick,\"dose, mg\"\n30, no ,1e-3\n41.5,yes,-2\n\n",
        "sick",
    )
    .unwrap();
    assert_eq!(data.features(), array![[30.0, 1e-3], [41.5, -2.0]]);
    assert_eq!(data.labels(), [false, true]);
    assert_eq!(data.feature_names(), ["age", "dose, mg"]);
    assert!(data.table().has_names());
    assert_eq!(
        (&*data.classes().negative, &*data.classes().positive),
        ("no", "yes")
    );
}

#[test]
fn label_by_number_from_both_ends() {
    for (index, expected) in [
        (0, array![[2.0, 0.0], [4.0, 1.0]]),
        (-1, array![[0.0, 2.0], [1.0, 4.0]]),
    ] {
        let data = by_index("0\t2\t0\n1\t4\t1\n", index).unwrap();
        assert_eq!(data.features(), expected);
        assert_eq!(data.labels(), [false, true]);
        assert!(!data.table().has_names());
    }
    assert_eq!(
        by_index("0;2;0\n1;4;1\n", 0).unwrap().feature_names(),
        ["column 2", "column 3"]
    );
    for index in [3, -4, i64::MIN, i64::MAX] {
        assert!(matches!(
            by_index("0,2,0\n1,4,1\n", index),
            Err(DataError::Csv(CsvError::LabelIndexOutOfRange {
                columns: 3,
                ..
            }))
        ));
    }
    let message = by_index("0,2,0\n", 3).unwrap_err().to_string();
    assert!(message.contains("0 to 2 or -3 to -1"), "{message}");
}

#[test]
fn headers_are_recognized() {
    // Words as labels do not make a header, words as features do.
    assert_eq!(by_index("1,2,B\n3,4,M\n", -1).unwrap().rows(), 2);
    assert_eq!(by_index("a,b,y\n3,4,M\n5,6,B\n", -1).unwrap().rows(), 2);
    assert!(matches!(
        by_index("a,2,0\n3,4,1\n", -1),
        Err(DataError::Csv(CsvError::AmbiguousHeader { line: 1, .. }))
    ));
    let options = |header| Options {
        header,
        ..Options::new(Label::Index(-1))
    };
    let numbered = "0,1,2\n5,6,0\n7,8,1\n";
    assert_eq!(
        read(numbered.as_bytes(), &options(Header::Present))
            .unwrap()
            .feature_names(),
        ["0", "1"]
    );
    // Taken for data, the header's label is a third one.
    assert!(matches!(
        by_index(numbered, -1),
        Err(DataError::Csv(CsvError::ThreeClasses { line: 3, .. }))
    ));
    assert!(matches!(
        read("a,b,y\n3,4,0\n".as_bytes(), &options(Header::Absent)),
        Err(DataError::Csv(CsvError::NotANumber { line: 1, .. }))
    ));
    let mut named = options(Header::Absent);
    named.label = Label::Name("y".into());
    assert!(matches!(
        read("a,b,y\n".as_bytes(), &named),
        Err(DataError::Csv(CsvError::LabelNameWithoutHeader { .. }))
    ));
    assert_eq!(
        by_name("\u{feff}y,a\n0,1\n1,2\n", "y")
            .unwrap()
            .feature_names(),
        ["a"]
    );
}

#[test]
fn the_positive_class_is_deterministic() {
    let positive = |labels: [&str; 2], wanted: Option<&str>| {
        let text = format!("1,{}\n2,{}\n", labels[0], labels[1]);
        let options = Options {
            positive: wanted.map(str::to_owned),
            ..Options::new(Label::Index(-1))
        };
        read(text.as_bytes(), &options).map(|d| (d.classes().positive.clone(), d.labels().to_vec()))
    };
    for (low, high) in [
        ("-1", "1"),
        ("2", "10"),
        ("benign", "malignant"),
        ("no", "yes"),
        ("1", "true"),
    ] {
        assert_eq!(
            positive([low, high], None).unwrap(),
            (high.to_owned(), vec![false, true])
        );
        assert_eq!(
            positive([high, low], None).unwrap(),
            (high.to_owned(), vec![true, false])
        );
        assert_eq!(
            positive([high, low], Some(low)).unwrap(),
            (low.to_owned(), vec![false, true])
        );
    }
    assert_eq!(positive(["0", "1"], Some("1.0")).unwrap().0, "1");
    let message = positive(["0", "1"], Some("2")).unwrap_err().to_string();
    assert!(
        message.contains("\"2\"") && message.contains("\"0\""),
        "{message}"
    );
}

#[test]
fn labels_of_one_or_three_values() {
    assert_eq!(
        by_index("1,1\n2,0\n3,1.0\n4,0e0\n", -1).unwrap().labels(),
        [true, false, true, false]
    );
    assert!(matches!(
        by_index("1,1\n2,1\n", -1),
        Err(DataError::OneClass { rows: 2, .. })
    ));
    assert!(matches!(
        by_index("1,a\n2,b\n3,c\n", -1),
        Err(DataError::Csv(CsvError::ThreeClasses { line: 3, .. }))
    ));
    // Against a model's classes one class is enough, and others are refused.
    let against = Options {
        classes: Some(Classes {
            negative: "9".into(),
            positive: "1".into(),
        }),
        ..Options::new(Label::Index(-1))
    };
    assert_eq!(
        read("1,1\n2,1\n".as_bytes(), &against).unwrap().labels(),
        [true, true]
    );
    assert_eq!(
        read("1,9\n".as_bytes(), &against).unwrap().labels(),
        [false]
    );
    assert!(matches!(
        read("1,9\n2,0\n".as_bytes(), &against),
        Err(DataError::Csv(CsvError::UnknownLabel { line: 2, .. }))
    ));
}

#[test]
fn bad_fields_are_refused_with_line_and_column() {
    let message = |text: &str| by_name(text, "y").unwrap_err().to_string();
    for missing in ["", "?", "NA", "nan", "n/a", "NULL", "-NaN"] {
        let text = format!("a,b,y\n1,2,0\n\n3,{missing},1\n");
        assert!(
            matches!(
                by_name(&text, "y"),
                Err(DataError::Csv(CsvError::MissingValue { line: 4, .. }))
            ),
            "{missing}"
        );
        let told = message(&text);
        assert!(
            told.starts_with("line 4, column 2 (\"b\"): the value is missing"),
            "{told}"
        );
    }
    assert!(matches!(
        by_name("a,y\n1,\n", "y"),
        Err(DataError::Csv(CsvError::MissingValue { line: 2, .. }))
    ));
    let told = message("a,y\n1,0\n\"x\ny\",1\n");
    assert!(
        told.starts_with("line 3, column 1 (\"a\"): \"x\\ny\" is not a number"),
        "{told}"
    );
    for infinite in ["inf", "-Infinity", "1e999"] {
        let text = format!("a,y\n{infinite},0\n");
        assert!(
            matches!(
                by_name(&text, "y"),
                Err(DataError::Csv(CsvError::NotFiniteField { line: 2, .. }))
            ),
            "{infinite}"
        );
    }
    for (row, found) in [("1", 1), ("1,2,3,4", 4)] {
        let text = format!("a,b,y\n1,2,0\n{row}\n");
        match by_name(&text, "y") {
            Err(DataError::Csv(CsvError::RaggedRow {
                line: 3,
                found: f,
                expected: 3,
            })) => assert_eq!(f, found),
            other => panic!("{other:?}"),
        }
    }
    // Blank lines, lines inside quotes and every kind of line end count.
    for end in ["\n", "\r\n", "\r"] {
        for tail in ["", "\n", "\r\n\r\n"] {
            let text = format!("{end}a,y{end}{end}1,\"0{end}\"{end}{end}2,1{end}x,1{tail}");
            assert!(
                matches!(
                    by_name(&text, "y"),
                    Err(DataError::Csv(CsvError::NotANumber { line: 8, .. }))
                ),
                "{text:?}"
            );
        }
    }
    let bytes = b"a,y\n1,0\n\xff,1\n";
    assert!(matches!(
        read(&bytes[..], &Options::new(Label::Name("y".into()))),
        Err(DataError::Csv(CsvError::BadRecord { line: 3, .. }))
    ));
}

#[test]
fn tables_that_hold_nothing() {
    assert!(matches!(
        by_index("", 0),
        Err(DataError::EmptyTable { header: false })
    ));
    assert!(matches!(
        by_index("\n\n", 0),
        Err(DataError::EmptyTable { header: false })
    ));
    assert!(matches!(
        by_name("a,y\n", "y"),
        Err(DataError::EmptyTable { header: true })
    ));
    assert!(matches!(
        by_index("1\n0\n", 0),
        Err(DataError::Csv(CsvError::NoFeatures { columns: 1, .. }))
    ));
    let message = by_name("a,b\n1,2\n", "y").unwrap_err().to_string();
    assert_eq!(
        message,
        "no column is named \"y\"; the columns are \"a\", \"b\""
    );
    assert!(matches!(
        by_name("y,a,y\n1,2,3\n", "y"),
        Err(DataError::Csv(CsvError::DuplicateLabelColumn {
            first: 1,
            second: 3,
            ..
        }))
    ));
}

#[test]
fn tables_for_prediction() {
    let read = |text: &str, label| read_table(text.as_bytes(), Header::Auto, None, label).unwrap();
    let table = read("a,b\n1,2\n3,4\n", None);
    assert_eq!(table.features(), array![[1.0, 2.0], [3.0, 4.0]]);
    assert!(table.has_names());
    let label = Label::Name("a".into());
    let table = read("a,b\nx,2\ny,4\nz,6\n", Some(&label));
    assert_eq!(table.features(), array![[2.0], [4.0], [6.0]]);
    assert_eq!(table.feature_names(), ["b"]);
}

#[test]
fn errors_in_files_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    let options = Options::new(Label::Index(-1));
    assert!(matches!(
        read_file(&path, &options),
        Err(TrainError::Read { .. })
    ));
    std::fs::write(&path, "1,0\n2,x\n3,1\n").unwrap();
    let told = read_file(&path, &options).unwrap_err().to_string();
    assert!(told.contains("d.csv: line 3: a third label"), "{told}");
}

#[test]
fn the_clinical_sets_need_no_special_reading() {
    let Some(folder) = external("clinical") else {
        return;
    };
    for (name, rows, columns, positives) in [
        ("edin", 1253, 9, 274),
        ("lbw", 189, 9, 130),
        ("nhanes3", 15_649, 15, 3251),
        ("pcs", 379, 9, 153),
        ("uis", 575, 8, 428),
    ] {
        let data = read_file(
            &folder.join(format!("{name}.txt")),
            &Options::new(Label::Index(-1)),
        )
        .unwrap();
        assert_eq!(
            (data.rows(), data.columns(), data.positives()),
            (rows, columns, positives),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-z,;\t\n\r\" .?-]{0,80}", index in -4i64..4) {
        if let Ok(data) = by_index(&text, index) {
            prop_assert!(data.positives() > 0 && data.positives() < data.rows());
            prop_assert!(data.features().iter().all(|v| v.is_finite()));
        }
    }
}
