//! What data are read for, and what is known of them from training.

use lr_train::{
    ModelKind,
    data::{Classes, Layout},
    trainer::{DatasetRecord, Model, TrainingPlan},
};

/// What data are read for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Making a model of this kind, from columns as they were planned for if anybody has kept them.
    Training(ModelKind, Option<Layout>),
    /// Looking again at the rows that one was made from.
    Calibrating(Known),
    /// Using one.
    Testing(Known),
}

/// What is known from training.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(super) model: ModelKind,
    pub(super) classes: Classes,
    pub(super) class_names: Vec<String>,
    pub(super) layout: Option<Layout>,
}

impl Known {
    pub(crate) fn of_model(model: &Model) -> Self {
        Self {
            model: model.settings.model,
            classes: model.classes.clone(),
            class_names: model.class_names.clone(),
            layout: model.preprocessor.layout().cloned(),
        }
    }

    /// Of rows that no model of this program is applied to.
    pub(crate) fn nothing() -> Self {
        let classes = |name: &str| name.to_owned();
        Self {
            model: ModelKind::default(),
            classes: Classes {
                negative: classes("0"),
                positive: classes("1"),
            },
            class_names: vec![],
            layout: None,
        }
    }

    /// Of the rows that a plan's training computes on.
    pub(crate) fn of_record(plan: &TrainingPlan, record: &DatasetRecord) -> Self {
        Self {
            model: plan.settings().model,
            classes: record.classes.clone(),
            class_names: record.class_names.clone(),
            layout: record.preprocessor.layout().cloned(),
        }
    }
}

impl Purpose {
    pub(super) fn model(&self) -> ModelKind {
        match self {
            Self::Training(model, _) => *model,
            Self::Calibrating(known) | Self::Testing(known) => known.model,
        }
    }
}
