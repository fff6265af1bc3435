//! What is fitted to columns, and what becomes of other rows.

use ndarray::{Array2, array};

use super::*;
use crate::data::{
    DataError, Dataset, FeatureTable,
    csv::{self, Categories, CsvError, MissingValues, Options, Unseen},
};

const TRAIN: &str = "\
age,city,dose,y
30,Rome,1,0
,Oslo,2,1
50,Rome,4,0
40,,9,1
70,Lima,1,1
";

fn options(missing: MissingValues) -> Options {
    let mut options = Options::new("y");
    options.rules.missing = Some(missing);
    options.rules.categories = Categories::OneHot;
    options
}

fn trained() -> Dataset {
    csv::read(TRAIN.as_bytes(), &options(MissingValues::Impute)).unwrap()
}

/// Rows without labels, as a model reads them.
fn known(text: &str, change: impl Fn(&mut Options)) -> Result<FeatureTable, DataError> {
    let mut options = Options::unlabelled();
    options.layout = trained().table().layout().cloned();
    change(&mut options);
    csv::read_table(text.as_bytes(), &options)
}

#[test]
fn medians_and_levels_are_those_of_the_rows() {
    let data = trained();
    let names = [
        "age",
        "age (missing)",
        "city=Lima",
        "city=Oslo",
        "city (missing)",
        "dose",
    ];
    assert_eq!(data.feature_names(), names);
    let expected = array![
        [30.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        [45.0, 1.0, 0.0, 1.0, 0.0, 2.0],
        [50.0, 0.0, 0.0, 0.0, 0.0, 4.0],
        [40.0, 0.0, 0.0, 0.0, 1.0, 9.0],
        [70.0, 0.0, 1.0, 0.0, 0.0, 1.0],
    ];
    assert_eq!(data.features(), expected);
    let filled = &data.table().reading().unwrap().filled;
    let told: Vec<_> = filled
        .iter()
        .map(|f| (&*f.column, f.count, f.median))
        .collect();
    assert_eq!(told, [("age", 1, Some(45.0)), ("city", 1, None)]);
}

#[test]
fn only_the_rows_to_train_on_are_looked_at() {
    let raw = csv::read_raw(TRAIN.as_bytes(), &options(MissingValues::Impute)).unwrap();
    let data = raw.select(&[0, 1, 2]).unwrap().dataset().unwrap();
    // Of two levels the more frequent one is the reference, of equally frequent ones the first.
    assert_eq!(
        data.feature_names(),
        ["age", "age (missing)", "city=Oslo", "dose"]
    );
    assert_eq!(data.features()[(1, 0)], 40.0);
}

#[test]
fn rows_with_missing_values_may_be_left_out() {
    let data = csv::read(TRAIN.as_bytes(), &options(MissingValues::DropRows)).unwrap();
    assert_eq!(data.feature_names(), ["age", "city=Lima", "dose"]);
    assert_eq!(data.labels(), [false, false, true]);
    let reading = data.table().reading().unwrap();
    assert_eq!((reading.rows, &*reading.rows_left_out), (5, &[1, 3][..]));
    let none = "a,y\n,0\n?,1\n";
    let told = csv::read(none.as_bytes(), &options(MissingValues::DropRows));
    assert!(matches!(
        told,
        Err(DataError::Csv(CsvError::NothingLeft { rows: 2 }))
    ));
    let label = csv::read(
        &b"a,y\n1,0\n2,\n3,1\n"[..],
        &options(MissingValues::DropRows),
    );
    assert_eq!(label.unwrap().rows(), 2);
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let table = known("dose,y,extra,city,age\n7,1,word,Lima,33\n", |_| ()).unwrap();
    assert_eq!(table.features(), array![[33.0, 0.0, 1.0, 0.0, 0.0, 7.0]]);
    assert_eq!(table.reading().unwrap().left_out, ["y", "extra"]);
    for (text, words) in [
        (
            "dose,city\n1,Rome\n",
            "\"age\" that was trained on is missing",
        ),
        ("dose,City,age,Age\n1,Rome,2,3\n", "the nearest"),
        ("dose,city,age,age\n1,Rome,2,3\n", "columns 3 and 4"),
        ("age,city,dose\nold,Rome,2\n", "\"old\" is not a number"),
        (
            "age,city,dose\n1,Paris,2\n",
            "levels were \"Rome\", \"Lima\", \"Oslo\"",
        ),
    ] {
        let told = known(text, |_| ()).unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    // The median of every column is kept.
    let text = "age,city,dose\n1,Rome,\n";
    assert_eq!(known(text, |_| ()).unwrap().features()[(0, 5)], 2.0);
    let refuse = |o: &mut Options| o.rules.missing = Some(MissingValues::Refuse);
    let told = known(text, refuse).unwrap_err().to_string();
    assert!(
        told.starts_with("line 2, column 3 (\"dose\"): the value is missing"),
        "{told}"
    );
}

#[test]
fn levels_that_are_new_may_be_none() {
    let other = |o: &mut Options| o.rules.unseen = Unseen::Other;
    let table = known("age,city,dose\n1,Paris,2\n1,Oslo,2\n", other).unwrap();
    let cities: Array2<f64> = table.features().select(ndarray::Axis(1), &[2, 3, 4]);
    assert_eq!(cities, array![[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    assert_eq!(table.reading().unwrap().unseen, [("city".to_owned(), 1)]);
}

#[test]
fn without_names_columns_come_in_their_order() {
    let mut options = options(MissingValues::Impute);
    options.label = Some("last".into());
    options.format.header = csv::Header::Absent;
    let body = TRAIN.split_once('\n').unwrap().1;
    let data = csv::read(body.as_bytes(), &options).unwrap();
    assert_eq!(data.feature_names()[2], "column 2=Lima");
    let mut again = Options::unlabelled();
    again.layout = data.table().layout().cloned();
    again.format.header = csv::Header::Absent;
    let table = csv::read_table(&b"1,Rome,2\n"[..], &again).unwrap();
    assert_eq!(table.columns(), 6);
    let told = csv::read_table(&b"1,Rome,2,0\n"[..], &again).unwrap_err();
    assert!(matches!(
        told,
        DataError::Csv(CsvError::OtherColumns {
            trained: 3,
            found: 4
        })
    ));
}

#[test]
fn what_is_stored_is_checked() {
    let layout = trained().table().layout().unwrap().clone();
    let text = serde_json::to_string(&layout).unwrap();
    assert_eq!(serde_json::from_str::<Layout>(&text).unwrap(), layout);
    for (from, to, words) in [
        ("\"city\"", "\"age\"", "one name"),
        ("\"Lima\"", "\"Rome\"", "twice"),
        ("45.0", "null", "without a median"),
        ("[\"Lima\",\"Oslo\"]", "[]", "no level"),
        ("\"missing\":true", "\"missing\":false", "takes none"),
        ("\"named\"", "\"names\"", "unknown field"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let told = serde_json::from_str::<Layout>(&changed)
            .unwrap_err()
            .to_string();
        assert!(told.contains(words), "{told}");
    }
}
