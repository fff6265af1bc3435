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

    /// What the legend says, the colour, a tint of it.
    fn look(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Input => ("input", "#56B4E9", "#E3F2FC"),
            Self::Output => ("output", "#009E73", "#DDF3EB"),
            Self::Product => ("product of ciphertexts", "#D55E00", "#FBE5D6"),
            Self::PlainProduct => ("product with public numbers", "#E69F00", "#FDF1D8"),
            Self::Rotation => ("rotations", "#0072B2", "#DCE9F4"),
            Self::Sum => ("sum", "#999999", "#F2F2F2"),
            Self::Arrangement => ("batches picked, joined", "#F0E442", "#FDFBDD"),
            Self::Maintenance => ("relinearize, rescale, lower", "#444444", "#E4E4E4"),
            Self::Composite => ("several kinds together", "#CC79A7", "#F7E6EF"),
        }
    }

    /// What the legend says.
    pub fn describe(self) -> &'static str {
        self.look().0
    }

    /// The colour: Okabe and Ito's palette, whose members colour-blind readers can tell apart.
    pub fn colour(self) -> &'static str {
        self.look().1
    }

    /// A tint of the colour on which dark text can be read.
    pub fn tint(self) -> &'static str {
        self.look().2
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
