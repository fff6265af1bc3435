//! Plans, records and models of other targets than two classes, and of columns of words.

use arras_backend_cpu::CpuEngine;
use lr_train::{
    ModelKind,
    data::{
        Dataset, FeatureTable, Target,
        csv::{self, Categories, MissingValues},
    },
    plain::{FirstStep, Rate},
    preprocess::Scheme,
    trainer::{DataOwner, Settings, TrainingPlan, files::PlannedColumns, plan},
};
use ndarray::{Array1, Array2};

use super::toy;

fn with(target: Target) -> Dataset {
    let value = |(row, column): (usize, usize)| (row * (3 + column) % 7) as f64 - 3.0;
    let rows = Array2::from_shape_fn((9, 2), value);
    let table = FeatureTable::new(rows, ["a".into(), "b".into()].into()).unwrap();
    table.with_target(target).unwrap()
}

/// Rows with a number for a target.
fn measured() -> Dataset {
    with(Target::Real {
        name: "dose".into(),
        values: (0..9u8).map(|row| f64::from(row * row % 11)).collect(),
    })
}

/// Rows of three classes.
fn several() -> Dataset {
    with(Target::Several {
        labels: (0..9).map(|row| row % 3).collect(),
        names: ["red", "green", "blue"].map(str::to_owned).into(),
    })
}

/// Rows of which a column holds words and another lacks values.
fn worded() -> Dataset {
    let text = "a,b,y\n1,red,yes\n,blue,no\n3,red,yes\n4,,no\n5,green,yes\n2,red,no\n";
    let mut options = csv::Options::new("y");
    options.rules.categories = Categories::OneHot;
    options.rules.missing = Some(MissingValues::Impute);
    csv::read(text.as_bytes(), &options).unwrap()
}

/// Names and contents; the columns are of the plan of the exchange.
pub(super) fn files(of_exchange: &TrainingPlan) -> Vec<(String, Vec<u8>)> {
    let columns = PlannedColumns::new(of_exchange, worded().table().layout().unwrap().clone());
    let columns = serde_json::to_vec_pretty(&columns).unwrap();
    let mut files = vec![("columns/columns.json".to_owned(), columns)];
    let classes = ModelKind::OneVsRest { classes: 3 };
    for (name, kind, data) in [
        ("linear", ModelKind::Linear, measured()),
        ("several", classes, several()),
        ("layout", ModelKind::Logistic, worded()),
    ] {
        let settings = Settings::new(4, 2).model(kind).rate(Rate::Constant(0.5));
        let settings = settings.first_step(FirstStep::Full);
        let features = data.columns() + 1;
        let (plan, _) = plan(&settings, features, data.rows(), &toy(8)).unwrap();
        let engine = CpuEngine::with_threads(1).unwrap();
        let (owner, _) = DataOwner::generate(plan, engine).unwrap();
        let (plan, prepared) = (
            owner.plan(),
            owner.prepare(&data, Scheme::Standard).unwrap(),
        );
        let weights = Array1::from_iter((0..kind.chains() * features).map(|at| at as f64 / 8.0));
        let model = prepared.record().model(plan, &weights).unwrap();
        let record = serde_json::to_vec_pretty(prepared.record()).unwrap();
        files.extend([
            (format!("plan/{name}.toml"), plan.to_toml().unwrap().into()),
            (format!("record/{name}.json"), record),
            (
                format!("model/{name}.json"),
                model.to_json().unwrap().into(),
            ),
        ]);
    }
    files
}
