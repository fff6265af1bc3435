//! Settings of a training: what is given on the command line is held, the rest is searched on the client's data or stated.

use arras::toolkit::text;
use lr_train::{
    ModelKind, TrainError,
    data::{DataError, Dataset},
    plain::Rate,
    preprocess::Scheme,
    search::{
        Errors, FoldsTrial, Found, FoundOnFolds, Given, Options, Outcome, Setting, Shares, Trial,
        search, search_classes, search_measured,
    },
    sigmoid::Approximation,
    split::Order,
    trainer::{CircuitChoice, Optimizer, Settings},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{failure::Failure, output::Output, plan::Training, signals};

/// Where settings come from that are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingsFrom {
    /// From the data, by a search with the plaintext twin.
    Auto,
    /// From the help.
    Fixed,
}

// What `--settings fixed` and plans without data take where nothing is given. With columns of one size a rate of 0.1 keeps the data sets that
// this was tried on within the cubic's interval (8 of them, with 2 to 196 columns), and gives 7 of them a lower log loss than max-abs at rate 1.
const MINIBATCH: usize = 64;
const ITERATIONS: usize = 6;
const RATE: f64 = 0.1;
const PENALTY: f64 = 0.0;
const SCHEME: Scheme = Scheme::StandardClipped;
const ORDER: Order = Order::Shuffled { seed: 0 };

/// What a search found, by the kind of model.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Search {
    Classes(Found),
    Several(FoundOnFolds<Shares>),
    Numbers(FoundOnFolds<Errors>),
}

/// What is to be trained.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The settings.
    pub(crate) settings: Settings,
    /// How columns are normalized.
    pub(crate) scheme: Scheme,
    /// What the search found, where one was made.
    pub(crate) found: Option<Search>,
}

impl Training {
    /// Settings: those given, the others searched on `data` if there are any and nothing else was asked for.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what the search does not know; those of [`search`].
    pub(crate) fn choose(
        &self,
        data: Option<&Dataset>,
        output: &Output,
    ) -> Result<Chosen, Failure> {
        let given = self.given()?;
        if let (ModelKind::Linear, Some(sigmoid)) = (self.model, &self.sigmoid) {
            return Err(Failure::Usage(format!(
                "--sigmoid, {sigmoid}: a linear model has no sigmoid; leave it out, or say --model logistic"
            )));
        }
        if let (false, Some(Order::Stratified { .. })) =
            (self.model == ModelKind::default(), given.order)
        {
            return Err(Failure::Usage(format!(
                "--order stratified and --class-weights are for two classes, and the model is {}: leave them out, or say --model logistic",
                self.model.name()
            )));
        }
        match data {
            Some(data) if self.settings == SettingsFrom::Auto && !given.is_all() => {
                self.expect_searchable()?;
                let found = found(data, self.model, given, output)?;
                Ok(Chosen {
                    settings: self.completed(found.settings()),
                    scheme: found.setting().scheme,
                    found: Some(found),
                })
            }
            _ => {
                let model = data.map_or(self.model, |data| self.model.resolved(data.target()));
                Ok(self.fixed(given, model))
            }
        }
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_silent(&self) -> bool {
        self.given().is_ok_and(|given| given == Given::default())
            && self.model == ModelKind::default()
            && self.settings == SettingsFrom::Auto
            && (self.schedule)(1.0) == Rate::Constant(1.0)
            && self.rounds.is_none()
            && self.circuit == CircuitChoice::Auto
            && self.optimizer == Optimizer::Nesterov
    }

    fn given(&self) -> Result<Given, Failure> {
        let mut given = Given::default();
        given.scheme = self.normalize.map(Scheme::from);
        given.activation = self.sigmoid.clone().or(self.model.polynomial());
        given.rate = self.lr.map(self.schedule);
        given.penalty = self.l2;
        given.minibatch = self.minibatch;
        given.iterations = self.iterations;
        given.order = self.order()?;
        if let Some(first_step) = self.first_step {
            given.first_step = first_step;
        }
        Ok(given)
    }

    fn fixed(&self, given: Given, model: ModelKind) -> Chosen {
        let settings = Settings::new(
            given.minibatch.unwrap_or(MINIBATCH),
            given.iterations.unwrap_or(ITERATIONS),
        )
        .rate(given.rate.unwrap_or_else(|| (self.schedule)(RATE)))
        .activation(given.activation.unwrap_or_else(Approximation::cubic_16))
        .model(model)
        .penalty(given.penalty.unwrap_or(PENALTY))
        .first_step(given.first_step)
        .order(given.order.unwrap_or(ORDER));
        Chosen {
            settings: self.completed(settings),
            scheme: given.scheme.unwrap_or(SCHEME),
            found: None,
        }
    }

    /// With what no search chooses.
    fn completed(&self, mut settings: Settings) -> Settings {
        settings.optimizer = self.optimizer;
        settings.rounds = self.rounds.unwrap_or(settings.rounds);
        settings.circuit = self.circuit;
        settings
    }

    fn expect_searchable(&self) -> Result<(), Failure> {
        let what = if self.optimizer != Optimizer::Nesterov {
            "settings are searched for --optimizer nesterov alone: give all of them"
        } else if self.lr.is_none() && (self.schedule)(1.0) != Rate::Constant(1.0) {
            "the rates that are searched stay constant: give --lr with --schedule harmonic"
        } else {
            return Ok(());
        };
        Err(Failure::Usage(format!(
            "{what}, or take stated ones with --settings fixed"
        )))
    }
}

fn found(
    data: &Dataset,
    model: ModelKind,
    given: Given,
    output: &Output,
) -> Result<Search, Failure> {
    let progress = output.progress("searching");
    let seen = |done, total| progress.at(done, total);
    let stop = signals::token();
    let stopped = || stop.is_stopped();
    let order = given.order;
    let mut options = Options::new()
        .given(given)
        .on_progress(&seen)
        .stop_when(&stopped);
    if let Some(Order::Shuffled { seed } | Order::Stratified { seed, .. }) = order {
        options = options.seed(seed);
    }
    Search::of(data, model, &options).map_err(|error| match error {
        TrainError::Data(DataError::OneClass { .. }) => Failure::WithHint {
            error: Box::new(error.into()),
            hint: "without both there is nothing to search: take stated settings with --settings fixed",
        },
        error => error.into(),
    })
}

impl Chosen {
    /// What to say of it.
    pub(crate) fn text(&self, with_data: bool) -> String {
        match &self.found {
            Some(found) => found.text(),
            None if with_data => "settings: as given, the others as `lr-train plan --help` states them".to_owned(),
            None => "settings: as given, the others as `lr-train plan --help` states them; without data there is nothing to search".to_owned(),
        }
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        match &self.found {
            Some(found) => {
                json!({"from": "search", "found": found, "arguments": found.setting().arguments()})
            }
            None => json!({"from": "fixed"}),
        }
    }

    /// What a search found for a model of classes.
    pub(crate) fn classes_found(&self) -> Option<&Found> {
        match &self.found {
            Some(Search::Classes(found)) => Some(found),
            _ => None,
        }
    }
}

impl Search {
    /// # Errors
    /// Those of the searches.
    pub(crate) fn of(
        data: &Dataset,
        model: ModelKind,
        options: &Options<'_>,
    ) -> Result<Self, TrainError> {
        match model {
            ModelKind::Linear => search_measured(data, options).map(Self::Numbers),
            ModelKind::OneVsRest { .. } => search_classes(data, options).map(Self::Several),
            _ => search(data, options).map(Self::Classes),
        }
    }

    /// The choice.
    pub(crate) fn setting(&self) -> &Setting {
        match self {
            Self::Classes(found) => &found.chosen.setting,
            Self::Several(found) => &found.chosen.setting,
            Self::Numbers(found) => &found.chosen.setting,
        }
    }

    /// What to plan.
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Classes(found) => found.settings(),
            Self::Several(found) => found.settings(),
            Self::Numbers(found) => found.settings(),
        }
    }

    /// The choice in words.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Classes(found) => chosen(found),
            Self::Several(found) => chosen_for_several(found),
            Self::Numbers(found) => chosen_for_numbers(found),
        }
    }
}

/// The choice for a model of several classes in words, beside the optimum.
fn chosen_for_several(found: &FoundOnFolds<Shares>) -> String {
    let FoldsTrial {
        setting, errors, ..
    } = &found.chosen;
    let exact = found.exact.as_ref();
    let exact = exact.map_or(String::new(), |e| {
        format!(" (exact solver {})", text::percent(e.accuracy))
    });
    format!(
        "chosen for {} classes: {setting}: accuracy {} +- {}{exact}, mean recall {} on rows held back",
        found.model.chains(),
        text::percent(errors.accuracy),
        text::percent(errors.spread),
        text::percent(errors.balanced_accuracy),
    )
}

/// The choice for a model of numbers in words, beside the closed form.
fn chosen_for_numbers(found: &FoundOnFolds<Errors>) -> String {
    let FoldsTrial {
        setting, errors, ..
    } = &found.chosen;
    let exact = found.exact.as_ref();
    let beside = |of: fn(&Errors) -> String| {
        exact.map_or(String::new(), |e| format!(" (closed form {})", of(e)))
    };
    format!(
        "chosen: {setting}: R^2 {:.4} +- {:.4}{}, root mean squared error {:.5}{} on rows held back",
        errors.r_squared,
        errors.spread,
        beside(|e| format!("{:.4}", e.r_squared)),
        errors.rmse,
        beside(|e| format!("{:.5}", e.rmse)),
    )
}

/// The choice in words, beside the exact solver.
fn chosen(found: &Found) -> String {
    let Trial {
        setting, outcome, ..
    } = &found.chosen;
    let exact = |of: fn(&Outcome) -> String| {
        let beside = found.exact.as_ref().map(of);
        beside.map_or(String::new(), |figure| format!(" (exact solver {figure})"))
    };
    format!(
        "chosen: {setting}: log loss {:.4} +- {:.4}{}, AUC {:.4}{}, accuracy {}{}",
        outcome.log_loss,
        outcome.spread,
        exact(|e| format!("{:.4}", e.log_loss)),
        outcome.auc,
        exact(|e| format!("{:.4}", e.auc)),
        text::percent(outcome.accuracy),
        exact(|e| text::percent(e.accuracy)),
    )
}
