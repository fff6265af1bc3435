//! Minibatches, Gram matrices and weights in slots.

use ndarray::{Array1, Array2, ArrayView1};

use super::{CircuitError, Constants, Geometry, Spec, Start};
use crate::{
    Result,
    data::DataError,
    plain::{Examples, State, of_chain},
};

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    /// Z_i times the factor of [`data_factor`], rows of the minibatch in rows of wide units, tiles row by row.
    Rows { iteration: usize },
    /// Z_i^T times the same, features in rows of tall units, one for each tile.
    Columns { iteration: usize },
    /// G_ij = Z_i Z_j^T or its transpose times the factor of [`gram_factor`], in a wide unit.
    Gram {
        iteration: usize,
        earlier: usize,
        transposed: bool,
    },
    /// gamma X^T c times what gradients of the iteration are wanted times, a vector of features.
    Pull {
        iteration: usize,
        chain: usize,
        row: bool,
    },
    /// X_i times the sum of gamma_j X_j^T c_j and the share of each gradient in v_i, over those met through Gram matrices, times k_i / B: a
    /// value for each row of the minibatch, in a wide unit.
    Offset {
        iteration: usize,
        chain: usize,
        row: bool,
    },
    /// Weights of the start.
    Start { v: bool, chain: usize, row: bool },
}

impl Packed {
    /// Whether it is of the state to start from, not of the data.
    pub(super) fn is_start(self) -> bool {
        matches!(self, Self::Start { .. })
    }

    /// Ciphertexts.
    pub(super) fn units(self, g: &Geometry) -> usize {
        match self {
            Self::Rows { .. } => g.down * g.across,
            Self::Columns { .. } | Self::Pull { .. } | Self::Start { .. } => g.across,
            Self::Gram { .. } | Self::Offset { .. } => 1,
        }
    }

    pub(super) fn pack(
        self,
        spec: &Spec,
        g: &Geometry,
        minibatches: &[Examples],
        start: Option<&State>,
    ) -> Result<Vec<Vec<f64>>> {
        let mut units = vec![vec![0.0; g.slots]; self.units(g)];
        match self {
            Self::Rows { iteration } => {
                let factor = data_factor(spec, iteration);
                for ((r, f), z) in minibatches[iteration].rows().indexed_iter() {
                    units[r / g.m * g.across + f / g.chunk][r % g.m * g.n + f % g.chunk] =
                        factor * z;
                }
            }
            Self::Columns { iteration } => {
                let factor = data_factor(spec, iteration);
                for ((r, f), z) in minibatches[iteration].rows().indexed_iter() {
                    units[f / g.chunk][f % g.chunk * g.tall_width() + r] = factor * z;
                }
            }
            Self::Gram {
                iteration,
                earlier,
                transposed,
            } => {
                let factor = gram_factor(spec, iteration, earlier);
                let share = spec.share_of_gradient(earlier, iteration);
                let (rows, earlier) = (minibatches[iteration].rows(), minibatches[earlier].rows());
                let (factor, gram) = match share.common() {
                    Some(share) => {
                        let gram = rows.dot(&earlier.t());
                        (factor(share), gram)
                    }
                    // A penalty leaves the intercept out: features have their shares one by one.
                    None => {
                        let mut shared = earlier.clone();
                        for (f, mut column) in shared.columns_mut().into_iter().enumerate() {
                            column *= share.of(f);
                        }
                        (factor(1.0), rows.dot(&shared.t()))
                    }
                };
                let gram = if transposed {
                    gram.reversed_axes()
                } else {
                    gram
                };
                for ((r, c), x) in gram.indexed_iter() {
                    units[0][r * g.n + c] = factor * x;
                }
            }
            Self::Start { v, chain, row } => {
                let start = start.ok_or(CircuitError::MissingResult {
                    name: "start".into(),
                })?;
                let weights = if v { &start.v } else { &start.w };
                let own = of_chain(weights, chain, spec.features);
                fill_features(&mut units, g, &own, row);
            }
            Self::Pull {
                iteration,
                chain,
                row,
            } => {
                let pull = minibatches[iteration].pull(chain) * spec.gradient_factor(iteration);
                fill_features(&mut units, g, &pull.view(), row);
            }
            Self::Offset {
                iteration,
                chain,
                row,
            } => {
                let mut met = Array1::zeros(spec.features);
                for earlier in spec.met_through_grams(iteration) {
                    let share = spec.share_of_gradient(earlier, iteration);
                    let gamma = spec.steps[earlier].gamma;
                    let pull = minibatches[earlier].pull(chain);
                    for (f, (met, pull)) in met.iter_mut().zip(&pull).enumerate() {
                        *met += share.of(f) * gamma * pull;
                    }
                }
                let factor = spec.scale(iteration) / spec.activation.bound();
                let offset = minibatches[iteration].rows().dot(&met) * factor;
                for (s, slot) in units[0].iter_mut().enumerate() {
                    let r = if row { s / g.n } else { s % g.tall_width() };
                    *slot = offset.get(r).copied().unwrap_or(0.0);
                }
            }
        }
        Ok(units)
    }
}

/// A vector of features of column or row kind.
fn fill_features(units: &mut [Vec<f64>], g: &Geometry, vector: &ArrayView1<'_, f64>, row: bool) {
    for (h, unit) in units.iter_mut().enumerate() {
        for (s, slot) in unit.iter_mut().enumerate() {
            let f = if row { s / g.tall_width() } else { s % g.chunk };
            *slot = vector.get(h * g.chunk + f).copied().unwrap_or(0.0);
        }
    }
}

/// What data is multiplied by: k / B, and where t is known to be zero what makes gradients sums of data, gamma c0.
fn data_factor(spec: &Spec, iteration: usize) -> f64 {
    if spec.starts_at(iteration) {
        spec.gradient_factor(iteration) * spec.activation.constant()
    } else {
        spec.scale(iteration) / spec.activation.bound()
    }
}

/// What `Z_i Z_j^T` is multiplied by, from the share of g_j in v_i: k_i, the share of g_j in v_i, gamma / B and the polynomial's leading coefficient over k_j to the
/// power of its degree, or where t_j is known to be zero its constant.
fn gram_factor(spec: &Spec, iteration: usize, earlier: usize) -> impl Fn(f64) -> f64 {
    let coefficient = if spec.starts_at(earlier) {
        spec.activation.constant()
    } else {
        spec.activation.leading() / spec.scale_of_products(earlier)
    };
    let (scale, bound) = (spec.scale(iteration), spec.activation.bound());
    let gamma = spec.steps[earlier].gamma;
    move |share| scale * share * gamma * coefficient / bound
}

/// Weights from slots of column or row kind.
pub(super) fn unpack_weights(
    g: &Geometry,
    slots: &[Vec<f64>],
    features: usize,
    row: bool,
) -> Array1<f64> {
    Array1::from_shape_fn(features, |f| {
        let slot = if row {
            f % g.chunk * g.tall_width()
        } else {
            f % g.chunk
        };
        slots[f / g.chunk][slot]
    })
}

/// Minibatches and start fit a specification.
pub(super) fn check(spec: &Spec, minibatches: &[Examples], start: Option<&State>) -> Result<()> {
    length("minibatches", minibatches.len(), spec.iterations())?;
    for examples in minibatches {
        let z = examples.rows();
        length("columns of rows", z.ncols(), spec.features)?;
        let apart = usize::from(spec.constants == Constants::Apart) * z.nrows() * spec.chains;
        let constants = examples.constants().map_or(0, Array2::len);
        length("constants of gradients", constants, apart)?;
        if !(1..=spec.minibatch).contains(&z.nrows()) {
            length("rows of a minibatch", z.nrows(), spec.minibatch)?;
        }
    }
    let wanted = usize::from(spec.start == Start::Encrypted);
    length("states to start from", start.iter().len(), wanted)?;
    start.map_or(Ok(()), |state| check_start(spec, state))
}

/// A state to start from fits a specification.
pub(super) fn check_start(spec: &Spec, state: &State) -> Result<()> {
    let expected = spec.features * spec.chains;
    length("starting weights", state.v.len(), expected)?;
    length("starting weights", state.w.len(), expected)
}

fn length(what: &'static str, found: usize, expected: usize) -> Result<()> {
    Ok(DataError::expect_length(
        "training inputs",
        what,
        found,
        expected,
    )?)
}
