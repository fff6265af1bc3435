//! Models of every kind with searched settings: encrypted, their twins in the clear and the exact solver, on the same rows held back.

use std::{path::Path, time::Instant};

use arras::toolkit::text::fixed;
use lr_train::{
    ModelKind,
    data::{Dataset, builtin},
    search::{Given, Options},
    split::train_test_target,
    trainer::{Model, PlannerOptions, TrainerBuilder},
};
use serde_json::{Value, json};

use super::{
    data,
    quality::Checks,
    trained::{Cost, Trained, number},
};
use crate::{
    Result,
    report::{Form::*, Report, Table, column},
};

const SEVERAL: ModelKind = ModelKind::OneVsRest { classes: 0 };

/// Sets of `packages/`, and what is asked of their models: of numbers what R^2 may lack of the closed form's on the rows trained on, of
/// classes the least accuracy on rows held back.
const PACKAGED: [(&str, ModelKind, Option<f64>); 4] = [
    ("diabetes", ModelKind::Linear, Some(0.005)),
    ("iris", SEVERAL, None),
    ("wine", SEVERAL, None),
    ("digits", SEVERAL, Some(0.935)),
];

/// A kind of model: the key of its table, a heading and the figures.
type Kind = (&'static str, &'static str, &'static [&'static str]);

const KINDS: [Kind; 3] = [
    ("linear", "Numbers", &["R^2", "RMSE"]),
    (
        "one_vs_rest",
        "One of several classes",
        &["accuracy", "mean recall"],
    ),
    (
        "logistic",
        "One of two classes",
        &["log loss", "AUC", "accuracy"],
    ),
];

fn kind_of(model: ModelKind) -> usize {
    match model {
        ModelKind::Linear => 0,
        ModelKind::OneVsRest { .. } => 1,
        _ => 2,
    }
}

/// The figures of a model's [kind](KINDS) on rows held back; of two classes after calibration on the rows trained on.
fn figures(model: &Model, train: &Dataset, test: &Dataset) -> Result<Vec<f64>> {
    let known = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    Ok(match model.settings.model {
        ModelKind::Linear => {
            let found = model.evaluate_values(test)?;
            vec![known(found.r_squared), found.rmse]
        }
        ModelKind::OneVsRest { .. } => {
            let found = model.evaluate_classes(test)?;
            vec![found.accuracy, found.balanced_accuracy]
        }
        _ => {
            let mut model = model.clone();
            model.calibrate(train)?;
            let found = model.evaluate(test)?;
            vec![found.log_loss, known(found.auc), found.accuracy]
        }
    })
}

/// How settings are searched and plans made.
type Way = (Options<'static>, PlannerOptions);

/// A table for each kind of model.
pub(super) struct Models {
    tables: [Table; 3],
}

impl Models {
    /// Trains on every set that is there; if it is to be quick, few iterations on the built-in ones.
    pub(super) fn train(
        folder: &Path,
        clinical: &[(&str, Dataset)],
        quick: bool,
        checks: &mut Checks,
    ) -> Result<Self> {
        let mut models = Self::new();
        if quick {
            let mut given = Given::default();
            (given.iterations, given.penalty) = (Some(2), Some(0.0));
            let search = Options::new().given(given);
            let way = (search, PlannerOptions::new().log_n(14..=15));
            for (name, model) in [
                ("digits as numbers", ModelKind::Linear),
                ("digits", SEVERAL),
            ] {
                models.add(name, &data::held_back(model, None)?, None, &way, checks)?;
            }
            let data = builtin::breast_cancer()?;
            models.add("breast cancer", &data, None, &way, checks)?;
            return Ok(models);
        }
        let way = (Options::new(), PlannerOptions::new());
        for (name, model, goal) in PACKAGED {
            if let Some(data) = data::packaged(folder, name, model)? {
                models.add(name, &data, goal, &way, checks)?;
            }
        }
        let data = builtin::breast_cancer()?;
        models.add("breast cancer", &data, None, &way, checks)?;
        for (name, data) in clinical {
            models.add(name, data, None, &way, checks)?;
        }
        Ok(models)
    }

    fn new() -> Self {
        let three = |v: &Value| {
            let of = |key| fixed(number(v, key), 4);
            format!("{} / {} / {}", of("encrypted"), of("twin"), of("exact"))
        };
        let table = |(key, _, figures): Kind| {
            let first = [
                column("data", Plain),
                column("rows", Plain),
                column("held back", Plain),
                column("features", Plain),
                column("k", Plain).key("iterations"),
                column("mb", Plain).key("minibatch"),
                column("normalization, polynomial, L2", Plain).key("settings"),
            ];
            let last = [
                column("search s", Fixed(1)),
                column("keys", Bytes).key("key_bytes"),
                column("data sent", Bytes).key("data_bytes"),
                column("states and results", Bytes).key("round_bytes"),
            ];
            let figures = figures.iter().map(|figure| column(figure, By(three)));
            let all = first.into_iter().chain(figures).chain(Cost::columns());
            Table::new(key, all.chain(last))
        };
        Self {
            tables: KINDS.map(table),
        }
    }

    /// Holds back a fifth of the rows, searches settings on the others and trains on them.
    fn add(
        &mut self,
        name: &str,
        data: &Dataset,
        goal: Option<f64>,
        (search, planner): &Way,
        checks: &mut Checks,
    ) -> Result<()> {
        let kind = kind_of(ModelKind::of(data.target()));
        let (_, heading, names) = KINDS[kind];
        eprintln!("{heading}: {name}, {} rows", data.rows());
        let split = train_test_target(data.target(), 0.2, 0)?;
        let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
        let start = Instant::now();
        let builder = TrainerBuilder::search(&train, search)?;
        let searched = start.elapsed().as_secs_f64();
        let Trained { model, twin, cost } = Trained::of(builder.planner(planner.clone()))?;
        let exact = model.exact(&train)?;
        let of = |model: &Model| figures(model, &train, &test);
        let (own, of_twin) = (of(&model)?, of(&twin)?);
        let of_exact = exact.as_ref().map(of).transpose()?;
        let of_exact = of_exact.unwrap_or_else(|| vec![f64::NAN; own.len()]);
        let cells = (0..names.len())
            .map(|at| json!({"encrypted": own[at], "twin": of_twin[at], "exact": of_exact[at]}));
        let (settings, chosen) = (&model.settings, &cost.chosen);
        let polynomial = settings.activation.name();
        let polynomial = polynomial.as_deref().unwrap_or("a line");
        let scheme = model.preprocessor.scheme().name();
        self.tables[kind].row((
            name,
            [train.rows(), test.rows(), model.preprocessor.features()],
            [settings.iterations, settings.minibatch],
            format!("{scheme}, {polynomial}, {}", settings.penalty),
            cells.collect::<Vec<_>>(),
            cost.cells(),
            searched,
            [
                chosen.key_file_bytes,
                chosen.data_bytes,
                chosen.state_bytes + chosen.result_bytes,
            ],
        ));
        let what = |what: &str| format!("{heading}, {name}: {what}");
        let against_twin = what("encrypted against its twin, worst weight");
        checks.check(&against_twin, cost.weight_error, false, 1e-3);
        match (goal, &exact) {
            (Some(most), Some(exact)) if kind == 0 => {
                let closed = figures(exact, &train, &train)?[0];
                let lacks = closed - figures(&model, &train, &train)?[0];
                let what = what("R^2 that it lacks of the closed form's, rows trained on");
                checks.goal(&what, lacks, false, most);
            }
            (Some(least), _) => checks.goal(&what(names[0]), own[0], true, least),
            _ => {}
        }
        Ok(())
    }

    /// Adds the tables to a page.
    pub(super) fn report(&self, report: &mut Report) {
        report.heading("Every kind of model").text(
            "A fifth of each set is held back; settings are searched in the clear on the other rows, which are trained on. Figures are of the rows \
             held back: encrypted / its twin / the exact solver (of numbers the closed form) on the same columns with a penalty of one over the \
             rows. Scores of two classes are calibrated on the rows trained on. all s leaves out the search and has both parties' work: plan, keys, \
             their loading, encryption, rounds, refreshes, decryption. Bytes are those of the plan, which plans.md holds to files.",
        );
        for ((_, heading, _), table) in KINDS.iter().zip(&self.tables) {
            report.subheading(heading).add(table);
        }
    }
}
