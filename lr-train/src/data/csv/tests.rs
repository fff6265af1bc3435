//! What the reader takes and what it refuses.

use ndarray::array;
use proptest::prelude::*;

use super::*;
use crate::data::tests::external;

/// The label by name, or by number.
fn parsed(text: &str, label: &str) -> Result<Dataset, DataError> {
    read(text.as_bytes(), &Options::new(label))
}

/// What a text is refused with.
#[track_caller]
fn refused(text: &str, label: &str) -> String {
    parsed(text, label).unwrap_err().to_string()
}

#[test]
fn header_and_label_by_name() {
    let text = "age,sick,\"dose, mg\"\n30, no ,1e-3\n41.5,yes,-2\n\n";
    let data = parsed(text, "sick").unwrap();
    assert_eq!(data.features(), array![[30.0, 1e-3], [41.5, -2.0]]);
    assert_eq!(data.labels(), [false, true]);
    assert_eq!(data.feature_names(), ["age", "dose, mg"]);
    assert!(data.table().has_names());
    let (negative, positive) = (&*data.classes().negative, &*data.classes().positive);
    assert_eq!((negative, positive), ("no", "yes"));
}

#[test]
fn label_by_number_from_both_ends() {
    for (label, expected) in [
        ("0", array![[2.0, 0.0], [4.0, 1.0]]),
        ("-1", array![[0.0, 2.0], [1.0, 4.0]]),
    ] {
        let data = parsed("0\t2\t0\n1\t4\t1\n", label).unwrap();
        assert_eq!(data.features(), expected);
        assert_eq!(data.labels(), [false, true]);
        assert!(!data.table().has_names());
    }
    let data = parsed("0;2;0\n1;4;1\n", "0").unwrap();
    assert_eq!(data.feature_names(), ["column 2", "column 3"]);
    for index in [3, -4, i64::MIN, i64::MAX] {
        let told = refused("0,2,0\n1,4,1\n", &index.to_string());
        assert_eq!(
            told,
            format!(
                "label column {index} does not exist: the table has 3 columns, numbered 0 to 2 or -3 to -1"
            )
        );
    }
}

#[test]
fn headers_are_recognized() {
    // Words as labels do not make a header, words as features do.
    assert_eq!(parsed("1,2,B\n3,4,M\n", "-1").unwrap().rows(), 2);
    assert_eq!(parsed("a,b,y\n3,4,M\n5,6,B\n", "-1").unwrap().rows(), 2);
    let told = refused("a,2,0\n3,4,1\n", "-1");
    assert!(told.starts_with("line 1: the first row mixes"), "{told}");
    let with = |text: &str, label: &str, header| {
        let mut options = Options::new(label);
        options.format.header = header;
        read(text.as_bytes(), &options)
    };
    let numbered = "0,1,2\n5,6,0\n7,8,1\n";
    let data = with(numbered, "-1", Header::Present).unwrap();
    assert_eq!(data.feature_names(), ["0", "1"]);
    // Neither is guessed where both may be meant.
    let told = refused(numbered, "-1");
    assert!(
        told.starts_with("line 1: the first row counts from 0 to 2"),
        "{told}"
    );
    // Taken for data, the header's label is a third one.
    let told = with(numbered, "-1", Header::Absent)
        .unwrap_err()
        .to_string();
    assert!(told.starts_with("line 3: a third label"), "{told}");
    for (text, label, told) in [
        ("a,b,y\n3,4,0\n", "-1", "line 1, column 1: \"a\" is not a"),
        ("a,b,y\n", "y", "a column is asked for by name (\"y\")"),
    ] {
        let error = with(text, label, Header::Absent).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
    let data = parsed("\u{feff}y,a\n0,1\n1,2\n", "y").unwrap();
    assert_eq!(data.feature_names(), ["a"]);
}

#[test]
fn the_positive_class_is_deterministic() {
    let positive = |labels: [&str; 2], wanted: Option<&str>| {
        let text = format!("1,{}\n2,{}\n", labels[0], labels[1]);
        let mut options = Options::new("-1");
        options.positive = wanted.map(str::to_owned);
        read(text.as_bytes(), &options).map(|d| (d.classes().positive.clone(), d.labels().to_vec()))
    };
    for (low, high) in [
        ("-1", "1"),
        ("2", "10"),
        ("benign", "malignant"),
        ("no", "yes"),
        ("1", "true"),
    ] {
        for (labels, wanted, class, rows) in [
            ([low, high], None, high, [false, true]),
            ([high, low], None, high, [true, false]),
            ([high, low], Some(low), low, [false, true]),
        ] {
            let expected = (class.to_owned(), rows.to_vec());
            assert_eq!(positive(labels, wanted).unwrap(), expected);
        }
    }
    assert_eq!(positive(["0", "1"], Some("1.0")).unwrap().0, "1");
    let told = positive(["0", "1"], Some("2")).unwrap_err().to_string();
    assert!(told.contains("\"2\"") && told.contains("\"0\""), "{told}");
}

#[test]
fn labels_of_one_or_three_values() {
    let data = parsed("1,1\n2,0\n3,1.0\n4,0e0\n", "-1").unwrap();
    assert_eq!(data.labels(), [true, false, true, false]);
    let told = refused("1,1\n2,1\n", "-1");
    assert!(told.contains("all 2 labels are"), "{told}");
    let told = refused("1,a\n2,b\n3,c\n", "-1");
    assert!(told.starts_with("line 3: a third label"), "{told}");
    // Against a model's classes one class is enough, and others are refused.
    let mut against = Options::new("-1");
    against.classes = Some(Classes {
        negative: "9".into(),
        positive: "1".into(),
    });
    let against = |text: &str| read(text.as_bytes(), &against);
    assert_eq!(against("1,1\n2,1\n").unwrap().labels(), [true, true]);
    assert_eq!(against("1,9\n").unwrap().labels(), [false]);
    assert!(matches!(
        against("1,9\n2,0\n"),
        Err(DataError::Csv(CsvError::UnknownLabel { line: 2, .. }))
    ));
}

#[test]
fn bad_fields_are_refused_with_line_and_column() {
    for missing in ["", "?", "NA", "nan", "n/a", "NULL", "-NaN"] {
        let told = refused(&format!("a,b,y\n1,2,0\n\n3,{missing},1\n"), "y");
        let expected = "line 4, column 2 (\"b\"): the value is missing";
        assert!(told.starts_with(expected), "{told}");
    }
    for infinite in ["inf", "-Infinity", "1e999"] {
        let told = refused(&format!("a,y\n{infinite},0\n"), "y");
        let expected = format!("line 2, column 1 (\"a\"): {infinite:?} is not a finite number");
        assert!(told.starts_with(&expected), "{told}");
    }
    for (text, expected) in [
        (
            "a,y\n1,\n",
            "line 2, column 2 (\"y\"): the value is missing",
        ),
        (
            "a,y\n1,0\n\"x\ny\",1\n",
            "line 3, column 1 (\"a\"): \"x\\ny\" is not a number",
        ),
        ("a,b,y\n1,2,0\n1\n", "line 3: 1 fields, the first row has 3"),
        (
            "a,b,y\n1,2,0\n1,2,3,4\n",
            "line 3: 4 fields, the first row has 3",
        ),
    ] {
        let told = refused(text, "y");
        assert!(told.starts_with(expected), "{told}");
    }
    // Blank lines, lines inside quotes and every kind of line end count.
    for end in ["\n", "\r\n", "\r"] {
        for tail in ["", "\n", "\r\n\r\n"] {
            let text = format!("{end}a,y{end}{end}1,\"0{end}\"{end}{end}2,1{end}x,1{tail}");
            let told = refused(&text, "y");
            let expected = "line 8, column 1 (\"a\"): \"x\" is not a number";
            assert!(told.starts_with(expected), "{text:?}: {told}");
        }
    }
    assert!(matches!(
        read(&b"a,y\n1,0\n\xff,1\n"[..], &Options::new("y")),
        Err(DataError::Csv(CsvError::BadRecord { line: 3, .. }))
    ));
}

#[test]
fn tables_that_hold_nothing() {
    for (text, label, expected) in [
        ("", "0", "the table has no rows of data; "),
        ("\n\n", "0", "the table has no rows of data; "),
        ("a,y\n", "y", "the table has no rows of data after its "),
        ("1\n0\n", "0", "the table has 1 column and no feature; "),
        (
            "a,b\n1,2\n",
            "y",
            "no column is named \"y\"; the columns are \"a\", \"b\"",
        ),
        (
            "y,a,y\n1,2,3\n",
            "y",
            "the name \"y\" stands over columns 1 and 3; ",
        ),
    ] {
        let told = refused(text, label);
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn tables_for_prediction() {
    let read = |text: &str, label| {
        let mut options = Options::unlabelled();
        options.label = label;
        read_table(text.as_bytes(), &options).unwrap()
    };
    let table = read("a,b\n1,2\n3,4\n", None);
    assert_eq!(table.features(), array![[1.0, 2.0], [3.0, 4.0]]);
    assert!(table.has_names());
    let table = read("a,b\nx,2\ny,4\nz,6\n", Some(ColumnId::from("a")));
    assert_eq!(table.features(), array![[2.0], [4.0], [6.0]]);
    assert_eq!(table.feature_names(), ["b"]);
}

#[test]
fn errors_in_files_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    let options = Options::new("-1");
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
        let file = folder.join(format!("{name}.txt"));
        let data = read_file(&file, &Options::new("-1")).unwrap();
        let found = (data.rows(), data.columns(), data.positives());
        assert_eq!(found, (rows, columns, positives), "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-z,;\t\n\r\" .?-]{0,80}", index in -4i64..4) {
        if let Ok(data) = parsed(&text, &index.to_string()) {
            prop_assert!(data.positives() > 0 && data.positives() < data.rows());
            prop_assert!(data.features().iter().all(|v| v.is_finite()));
        }
    }
}

/// A pipe that gives a byte at a time, now and then interrupted.
struct Drops<'a>(&'a [u8], bool);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let count = self.0.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn the_first_line_is_read_to_its_end_however_it_comes() {
    for text in [
        "\n\na;b;y\n1;2;0\n3;4;1\n",
        "a;b,c;y\r\n1;2;0\r\n3;4;1",
        "\"a\t\t\";y\n1;0\n2;1\n",
    ] {
        let mut options = Options::new("y");
        let whole = read(text.as_bytes(), &options).unwrap();
        assert!(whole.columns() == 2 || text.starts_with('"'));
        let drops = |text: &str, options: &Options| read(Drops(text.as_bytes(), false), options);
        assert_eq!(drops(text, &options).unwrap(), whole);
        options.format.delimiter = Some(whole.table().reading().unwrap().delimiter as u8);
        let marked = drops(&format!("\u{feff}{}", text.trim_start()), &options).unwrap();
        assert_eq!(marked.feature_names(), whole.feature_names());
    }
    // A line without an end is not read for ever.
    let endless = std::io::repeat(b'a').take(1 << 22);
    assert!(read(endless, &Options::new("y")).is_err());
}

#[test]
fn delimiters_are_found() {
    for (text, delimiter) in [
        ("a|b|y\n1|2|0\n3|4|1\n", '|'),
        ("a  b y\n1 2   0\n 3 4 1 \n", ' '),
        ("a\tb c\ty\n1\t2\t0\n3\t4\t1\n", '\t'),
        ("a b,b|c,y\n1,2,0\n3,4,1\n", ','),
    ] {
        let data = parsed(text, "y").unwrap();
        assert_eq!(data.features(), array![[1.0, 2.0], [3.0, 4.0]], "{text}");
        assert_eq!(data.table().reading().unwrap().delimiter, delimiter);
    }
}

#[test]
fn commas_may_be_for_decimals() {
    let with = |text: &str, delimiter| {
        let mut options = Options::new("-1");
        options.format.decimal_comma = true;
        options.format.delimiter = delimiter;
        read(text.as_bytes(), &options)
    };
    for (text, delimiter) in [
        ("a,1;b;y\n1,5;2;0\n-0,25;1e3;1\n", None),
        ("1,5;2;0\n-0,25;1e3;1\n", None),
        ("\"1,5\",2,0\n\"-0,25\",1e3,1\n", Some(b',')),
    ] {
        let data = with(text, delimiter).unwrap();
        assert_eq!(data.features(), array![[1.5, 2.0], [-0.25, 1e3]], "{text}");
    }
    // A comma for thousands and a point for decimals is something else.
    let told = with("a;y\n1,000.5;0\n2;1\n", None).unwrap_err().to_string();
    assert!(told.contains("thousands"), "{told}");
    assert!(parsed("a;b;y\n1,5;2;0\n1;2;1\n", "y").is_err());
}

#[test]
fn columns_are_chosen_by_name_and_number() {
    let text = "id,a,y,b\n1,2,0,3\n4,5,1,6\n";
    let ids = |names: &[&str]| -> Vec<ColumnId> { names.iter().map(|&name| name.into()).collect() };
    let with = |columns| {
        let mut options = Options::new("y");
        options.columns = columns;
        read(text.as_bytes(), &options)
    };
    for columns in [
        Columns::only(ids(&["b", "1"])),
        Columns::default().without(ids(&["id"])),
        Columns::default().without(ids(&["0", "y"])),
        Columns::default().without(ids(&["-4"])),
        Columns::only(ids(&["*"])).without(ids(&["i?"])),
        Columns::only(ids(&["[a-c]"])),
    ] {
        let data = with(columns).unwrap();
        assert_eq!(data.feature_names(), ["a", "b"]);
        assert_eq!(data.features(), array![[2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(data.table().reading().unwrap().left_out, ["id"]);
    }
    let told = |columns| with(columns).unwrap_err().to_string();
    assert!(told(Columns::only(ids(&["a", "y"]))).contains("holds the label"));
    assert!(told(Columns::only(ids(&["c"]))).contains("no column is named \"c\""));
    assert!(told(Columns::default().without(ids(&["4"]))).contains("column 4 does not exist"));
    assert!(told(Columns::default().without(ids(&["id", "a", "b"]))).contains("no feature"));
    // Words in a column that is left out are nobody's matter.
    let mut options = Options::new("-1");
    options.columns = Columns::default().without(ids(&["0"]));
    options.format.header = Header::Absent;
    assert_eq!(read(&b"x,1,0\nz,2,1\n"[..], &options).unwrap().columns(), 1);
}

#[test]
fn headers_that_count_are_asked_about() {
    for (text, label) in [
        ("0,1\n0,-2\n1,2\n", "0"),
        (",0,1,2\n0,5,6,1\n1,7,8,0\n", "-1"),
        ("2019,2020,2021\n1,2,0\n3,4,1\n", "-1"),
    ] {
        assert!(refused(text, label).contains("names or data"), "{text}");
        let mut options = Options::new(label);
        options.format.header = Header::Present;
        assert_eq!(read(text.as_bytes(), &options).unwrap().rows(), 2);
    }
    assert_eq!(parsed("1,2,0\n2,3,1\n", "-1").unwrap().rows(), 2);
}

#[test]
fn columns_that_number_rows_are_found() {
    let mut text = String::from(",x,n,y\n");
    for row in 0..32 {
        text += &format!("{row},{},{},{}\n", row % 3, row + 5, u8::from(row >= 16));
    }
    let data = parsed(&text, "y").unwrap();
    let counting = &data.table().reading().unwrap().counting;
    let found: Vec<_> = counting
        .iter()
        .map(|c| (c.position, c.name.as_deref(), c.first))
        .collect();
    assert_eq!(found, [(0, None, 0.0), (2, Some("n"), 5.0)]);
}

#[test]
fn one_class_against_the_rest() {
    let text = "a,y\n1,red\n2,green\n3,blue\n4,green\n";
    let mut options = Options::new("y");
    options.positive = Some("green".into());
    let data = read(text.as_bytes(), &options).unwrap();
    assert_eq!(data.labels(), [false, true, false, true]);
    assert_eq!(data.classes().negative, "not green");
    // And again, with the model's classes.
    let mut again = Options::new("y");
    again.classes = Some(data.classes().clone());
    assert_eq!(
        read(text.as_bytes(), &again).unwrap().labels(),
        data.labels()
    );
    options.positive = Some("violet".into());
    let told = read(text.as_bytes(), &options).unwrap_err().to_string();
    assert!(told.contains("violet") && told.contains("red"), "{told}");
}

/// Reads with other rules than the usual ones.
fn ruled(text: &str, change: impl Fn(&mut Options)) -> Result<Dataset, DataError> {
    let mut options = Options::new("y");
    change(&mut options);
    read(text.as_bytes(), &options)
}

#[test]
fn missing_values_and_words_are_counted_before_they_are_refused() {
    let told = refused("a,b,y\n1,?,0\n,2,1\nNA,3,1\n", "y");
    let expected = "line 2, column 2 (\"b\"): the value is missing (\"?\"), 3 in 2 of";
    assert!(
        told.starts_with(expected) && told.contains("--missing-values impute"),
        "{told}"
    );
    let told = refused("a,b,y\n1,red,0\n2,blue,1\n3,red,1\n", "y");
    for words in [
        "3 of 3 rows",
        "2 different",
        "\"red\", \"blue\";",
        "one-hot",
        "--drop \"b\"",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = refused("1,red,0\n2,4,1\n", "last");
    assert!(told.contains("mixes numbers and words"), "{told}");
    // What stands first in the file is told first.
    let told = refused("a,b,y\n1,2,0\n1,x,1\n,3,2\n", "y");
    assert!(told.starts_with("line 3, column 2"), "{told}");
}

#[test]
fn missing_values_are_marked_as_is_said() {
    let text = "a,y\n-999,0\n2,1\n-999.0,1\n.,0\n";
    let data = ruled(text, |o| {
        o.format.missing = Some(vec!["-999".into(), ".".into()]);
        o.rules.missing = Some(MissingValues::Impute);
    });
    assert_eq!(
        data.unwrap().features().column(1),
        array![1.0, 0.0, 1.0, 1.0]
    );
    let told = refused("a,y\n1,0\n.,1\n", "y");
    assert!(told.contains("--missing ."), "{told}");
}

#[test]
fn columns_of_words_become_categories_where_that_is_asked_for() {
    let one_hot = |o: &mut Options| o.rules.categories = Categories::OneHot;
    let zip = |o: &mut Options| o.rules.categorical = vec!["a".into()];
    let text = "a,y\n01,0\n1,1\n01,1\nb,0\n";
    // Codes are as they are written.
    assert_eq!(ruled(text, zip).unwrap().feature_names(), ["a=1", "a=b"]);
    for (text, words) in [
        (text, "line 5, column 1 (\"a\"): \"b\" among numbers"),
        ("a,y\nb,0\n1,1\n", "\"1\" among words"),
        ("a,y\n1,0\ninf,1\n", "not a finite number"),
    ] {
        let told = ruled(text, one_hot).unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    let many: String = (0..60).map(|i| format!("w{i},{}\n", i % 2)).collect();
    let many = format!("a,y\n{many}");
    let told = ruled(&many, one_hot).unwrap_err().to_string();
    assert!(
        told.contains("column 1 (\"a\") has 60 different values, more than the 50"),
        "{told}"
    );
    let more = |o: &mut Options| {
        one_hot(o);
        o.rules.most_levels = 60;
    };
    assert_eq!(ruled(&many, more).unwrap().columns(), 59);
    let endless: String = (0..3000).map(|i| format!("w{i},{}\n", i % 2)).collect();
    let told = ruled(&format!("a,y\n{endless}"), one_hot)
        .unwrap_err()
        .to_string();
    assert!(told.contains("more than 1000 different values"), "{told}");
    let told = ruled("a,b,y\n1,2,0\n2,3,1\n", |o| {
        zip(o);
        o.columns = Columns::only([ColumnId::from("b")]);
    });
    assert!(told.unwrap_err().to_string().contains("is no feature"));
}

#[test]
fn names_that_nearly_fit_are_told() {
    let text = "lab_one,lab_two,age,y\n1,2,3,0\n4,5,6,1\n";
    let with = |name: &str| ruled(text, |o| o.columns = Columns::only([ColumnId::from(name)]));
    assert_eq!(
        with("lab_*").unwrap().feature_names(),
        ["lab_one", "lab_two"]
    );
    for (name, near) in [
        ("Lab_one", "the nearest: \"lab_one\""),
        ("labs_*", "\"lab_"),
        ("[", "no pattern"),
    ] {
        let told = with(name).unwrap_err().to_string();
        assert!(told.contains(near), "{told}");
    }
    // The label is among a pattern's columns, and is none of the features.
    assert_eq!(with("*").unwrap().columns(), 3);
    let told = refused("a,b,a,y\n1,2,3,0\n", "y");
    assert!(told.contains("stands over columns 1 and 3"), "{told}");
}

#[test]
fn labels_may_stand_in_a_second_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let data = file("x.csv", "a,b\n1,2\n,4\n5,6\n");
    let read = |labels: &str, text: &str| {
        let path = file("y.csv", text).display().to_string();
        let mut options = Options::unlabelled();
        options.rules.missing = Some(MissingValues::DropRows);
        LabelFile::from(&*format!("{path}{labels}"))
            .read_with(&data, &options)?
            .dataset()
            .map_err(TrainError::from)
    };
    for (column, text) in [
        ("", "0\n1\n1\n"),
        ("", "sick\n0\n1\n1\n"),
        (":sick", "id,sick\n7,0\n8,1\n9,1\n"),
        (":1", "7,0\n8,1\n9,1\n"),
    ] {
        let data = read(column, text).unwrap();
        assert_eq!(data.labels(), [false, true], "{text}");
        assert_eq!(data.feature_names(), ["a", "b"]);
    }
    for (column, text, words) in [
        ("", "0\n1\n", "2 labels, the data have 3 rows"),
        ("", "", "no rows"),
        (
            "",
            "a,b\n1,0\n1,1\n1,1\n",
            "2 columns (\"a\", \"b\"); name one as in --label-file FILE:COLUMN",
        ),
        (
            ":ill",
            "id,sick\n7,0\n8,1\n9,1\n",
            "no column is named \"ill\"",
        ),
        ("", "0\n1\n?\n", "y.csv: line 3, label file"),
        ("", "0\n1\n0\n", "all 2 labels are \"0\""),
    ] {
        let told = read(column, text).unwrap_err().to_string();
        assert!(told.contains(words) && told.contains("y.csv"), "{told}");
    }
}
