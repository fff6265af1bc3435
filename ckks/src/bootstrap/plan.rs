//! What bootstraps of a number of values consist of: stages with their levels, and the keys that all of it needs.

use std::collections::BTreeMap;
use std::fmt;

use arras_hal::{GaloisElement, Named};

use super::maps::{Giant, Map, coefficients_to_slots, slots_to_coefficients, split};
use crate::{
    CkksError, CkksErrorKind, KeyKind, Parameters, Result,
    context::abbreviate,
    encoding::Encoder,
    params::BootstrapSpec,
    wire::{ObjectBytes, evaluation_key_set_bytes_by_level},
};

/// Most rotations of one sum. With fewer there are fewer keys, and more passes over what is left.
const MAX_TERMS: usize = 32;

/// How ciphertexts of a parameter set are bootstrapped that hold so many real values: which keys that needs, and from which level it
/// goes. The client makes the keys of it ([`KeyGenerator::bootstrapping_keys`](crate::KeyGenerator::bootstrapping_keys)), the server computes by it
/// ([`Bootstrapper`](super::Bootstrapper)).
#[derive(Clone)]
pub struct BootstrapPlan {
    params: Parameters,
    spec: BootstrapSpec,
    values: usize,
    /// Whether two real vectors come in as real and imaginary parts.
    pairs: bool,
    /// Most rotations of one sum.
    terms: usize,
    /// The highest level at which each rotation is used.
    rotations: BTreeMap<i64, usize>,
}

impl BootstrapPlan {
    /// A plan for ciphertexts of real values whose slots repeat with the period `values`, a power of two from 16 to N/2.
    ///
    /// # Errors
    /// [`CkksErrorKind::NoBootstrapping`] for parameters without, [`CkksErrorKind::OutOfRange`] for another number of values.
    pub fn new(params: &Parameters, values: usize) -> Result<Self> {
        Self::with_terms(params, values, false, MAX_TERMS)
    }

    /// A plan for ciphertexts that hold two real vectors v and w of `values` / 2 numbers each as v + i w, with that period. The result is real and holds
    /// v, then w, with the period `values`: nothing has to be put apart before, and keys of slots to coefficients are fewer.
    ///
    /// # Errors
    /// As [`BootstrapPlan::new`].
    pub fn of_pairs(params: &Parameters, values: usize) -> Result<Self> {
        Self::with_terms(params, values, true, MAX_TERMS)
    }

    /// A plan whose sums have at most `terms` rotations, a power of two.
    pub(super) fn with_terms(
        params: &Parameters,
        values: usize,
        pairs: bool,
        terms: usize,
    ) -> Result<Self> {
        CkksError::within("BootstrapPlan::new", || {
            let Some(&spec) = params.bootstrap() else {
                let set = abbreviate(&params.fingerprint());
                return Err(CkksErrorKind::NoBootstrapping { set }.into());
            };
            // A layer of butterflies for each stage at least.
            let stages = spec.coefficients_to_slots.max(spec.slots_to_coefficients);
            let fewest = (2usize << stages).max(16);
            if !values.is_power_of_two() || !(fewest..=params.slots()).contains(&values) {
                return Err(CkksErrorKind::OutOfRange {
                    what: "the number of values",
                    value: values as f64,
                    range: format!("powers of two from {fewest} to {}", params.slots()),
                }
                .into());
            }
            let mut plan = Self {
                params: params.clone(),
                spec,
                values,
                pairs,
                terms,
                rotations: BTreeMap::new(),
            };
            plan.rotations = plan.find_rotations()?;
            Ok(plan)
        })
    }

    fn find_rotations(&self) -> Result<BTreeMap<i64, usize>> {
        let mut rotations = BTreeMap::new();
        let mut need = |step: i64, level: usize| {
            if step != 0 {
                let most = rotations.entry(step).or_insert(level);
                *most = level.max(*most);
            }
        };
        let encoder = self.encoder()?;
        for (level, stage) in self
            .to_coefficients(&encoder)
            .chain(self.to_slots(&encoder))
        {
            for giant in stage {
                need(giant.step, level);
                giant.terms.iter().for_each(|(step, _)| need(*step, level));
            }
        }
        let raised = self.params.raised_level();
        self.trace()
            .into_iter()
            .flatten()
            .for_each(|step| need(step, raised));
        Ok(rotations)
    }

    /// The encoder of weights: their period is that of the values, so their polynomials are ones in a power of X.
    pub(super) fn encoder(&self) -> Result<Encoder> {
        Ok(Encoder::new(self.values.trailing_zeros() + 1)?)
    }

    /// The stages from slots to coefficients, with their levels.
    pub(super) fn to_coefficients(
        &self,
        encoder: &Encoder,
    ) -> impl Iterator<Item = (usize, Vec<Giant>)> + use<> {
        let count = self.spec.slots_to_coefficients;
        let maps = slots_to_coefficients(encoder, self.values, count, self.pairs);
        self.stages(maps, count, self.period())
    }

    /// The stages from coefficients to slots, with their levels. What they act on has half of the period.
    pub(super) fn to_slots(
        &self,
        encoder: &Encoder,
    ) -> impl Iterator<Item = (usize, Vec<Giant>)> + use<> {
        let count = self.spec.coefficients_to_slots;
        let maps = coefficients_to_slots(encoder, self.values, count);
        self.stages(maps, self.params.raised_level(), self.values / 2)
    }

    /// Maps at the levels from `top` down, split into sums of rotations.
    fn stages(
        &self,
        maps: Vec<Map>,
        top: usize,
        period: usize,
    ) -> impl Iterator<Item = (usize, Vec<Giant>)> + use<> {
        let (levels, most) = ((0..=top).rev(), self.terms);
        let stages = levels.zip(maps);
        stages.map(move |(level, map)| (level, split(&map, period, most)))
    }

    /// The sums of rotations, one after the other, whose result has the coefficients of powers of X^(N / values) alone, each times
    /// N / values. Two doublings at a time: one extension and one division for three rotations.
    pub(super) fn trace(&self) -> Vec<Vec<i64>> {
        let mut sums = Vec::new();
        let mut step = self.values / 2;
        let slots = self.params.slots();
        while step < slots {
            let terms = if 4 * step <= slots { 4 } else { 2 };
            sums.push((0..terms).map(|i| (i * step) as i64).collect());
            step *= terms;
        }
        sums
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// Real values in a ciphertext: the period of the result's slots.
    pub fn values(&self) -> usize {
        self.values
    }

    /// The period of the slots that come in: half of the values, where these come as real and imaginary parts.
    pub fn period(&self) -> usize {
        self.values / if self.pairs { 2 } else { 1 }
    }

    /// Whether two real vectors come in as real and imaginary parts.
    pub fn is_of_pairs(&self) -> bool {
        self.pairs
    }

    /// The level that a ciphertext must have at least; it is spent.
    pub fn least_level(&self) -> usize {
        self.spec.slots_to_coefficients
    }

    /// The level of the result.
    pub fn level(&self) -> usize {
        self.spec.levels
    }

    /// The level at which the reduction modulo Q_0 begins.
    pub(super) fn eval_mod_level(&self) -> usize {
        self.spec.eval_mod_level()
    }

    /// The rotations that it uses, and the highest level of each.
    pub fn rotations(&self) -> impl ExactSizeIterator<Item = (i64, usize)> + '_ {
        self.rotations.iter().map(|(&step, &level)| (step, level))
    }

    /// The keys that it needs, each with its level budget.
    pub fn keys(&self) -> Vec<(KeyKind, usize)> {
        let log_n = self.params.log_n();
        let rotation =
            |(step, level)| (KeyKind::Galois(GaloisElement::rotation(step, log_n)), level);
        let reduction = self.spec.eval_mod_level();
        let others = [
            (KeyKind::Relinearization, reduction),
            (
                KeyKind::Galois(GaloisElement::conjugation(log_n)),
                reduction,
            ),
            (KeyKind::ToSparse, 0),
            (KeyKind::FromSparse, self.params.raised_level()),
        ];
        others
            .into_iter()
            .chain(self.rotations().map(rotation))
            .collect()
    }

    /// Bytes of these keys.
    ///
    /// # Errors
    /// None for a plan that was made.
    pub fn key_bytes(&self) -> Result<ObjectBytes> {
        evaluation_key_set_bytes_by_level(&self.params, self.keys()).named("key_bytes")
    }
}

impl fmt::Debug for BootstrapPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BootstrapPlan({} values{}, level {} to {}, {} rotations)",
            self.values,
            if self.pairs { " in pairs" } else { "" },
            self.least_level(),
            self.level(),
            self.rotations.len()
        )
    }
}
