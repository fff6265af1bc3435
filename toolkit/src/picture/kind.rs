//! Kinds of operations, which a picture tells apart by colour.

use serde::{Deserialize, Serialize};

use crate::circuit::Class;

/// What a box does, by the most expensive of its parts where it has one kind of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeKind {
    /// An encrypted input.
    Input,
    /// An output.
    Output,
    /// Product of ciphertexts.
    Product,
    /// Product with a public number or vector that costs a level.
    PlainProduct,
    /// Rotations and their sums.
    Rotation,
    /// Sums, differences, signs, integer multiples.
    Sum,
    /// Ciphertexts of batches picked and joined.
    Arrangement,
    /// Relinearization, rescale, level changes.
    Maintenance,
    /// Several kinds together: an operation of linear algebra.
    Composite,
}

impl NodeKind {
    /// All, in the order of the legend.
    pub const ALL: [Self; 9] = [
        Self::Input,
        Self::Output,
        Self::Product,
        Self::PlainProduct,
        Self::Rotation,
        Self::Sum,
        Self::Arrangement,
        Self::Maintenance,
        Self::Composite,
    ];

    /// What the legend says.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Product => "product of ciphertexts",
            Self::PlainProduct => "product with public numbers",
            Self::Rotation => "rotations",
            Self::Sum => "sum",
            Self::Arrangement => "batches picked, joined",
            Self::Maintenance => "relinearize, rescale, lower",
            Self::Composite => "several kinds together",
        }
    }

    /// The colour: Okabe and Ito's palette, whose members colour-blind readers can tell apart.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Input => "#56B4E9",
            Self::Output => "#009E73",
            Self::Product => "#D55E00",
            Self::PlainProduct => "#E69F00",
            Self::Rotation => "#0072B2",
            Self::Sum => "#999999",
            Self::Arrangement => "#F0E442",
            Self::Maintenance => "#444444",
            Self::Composite => "#CC79A7",
        }
    }

    /// A tint of the colour on which dark text can be read.
    pub fn tint(self) -> &'static str {
        match self {
            Self::Input => "#E3F2FC",
            Self::Output => "#DDF3EB",
            Self::Product => "#FBE5D6",
            Self::PlainProduct => "#FDF1D8",
            Self::Rotation => "#DCE9F4",
            Self::Sum => "#F2F2F2",
            Self::Arrangement => "#FDFBDD",
            Self::Maintenance => "#E4E4E4",
            Self::Composite => "#F7E6EF",
        }
    }
}

impl From<Class> for NodeKind {
    fn from(class: Class) -> Self {
        match class {
            Class::Input => Self::Input,
            Class::Product => Self::Product,
            Class::PlainProduct => Self::PlainProduct,
            Class::Rotation => Self::Rotation,
            Class::Sum => Self::Sum,
            Class::Arrangement => Self::Arrangement,
            Class::Maintenance => Self::Maintenance,
        }
    }
}

/// Of several together. Picking and joining batches goes with whatever else is done.
pub(super) fn together(kinds: impl Iterator<Item = NodeKind>) -> NodeKind {
    let mut all: Option<NodeKind> = None;
    for kind in kinds {
        all = match all {
            None | Some(NodeKind::Arrangement) => Some(kind),
            Some(known) if known == kind || kind == NodeKind::Arrangement => Some(known),
            Some(_) => return NodeKind::Composite,
        };
    }
    all.unwrap_or(NodeKind::Composite)
}
