//! Bootstrapping: a ciphertext gets its levels back, by the server alone.
//!
//! ```text
//! level stc      slots z, real, of period `values`
//!   |  slots to coefficients, stc stages           z 2^-12.5 / B times Q_0 in the coefficients
//! level 0        to the sparse secret, the modulus is raised, back (`raise`): coefficients + Q_0 I
//! top            trace: what repeats is kept, copies are averaged
//!   |  coefficients to slots, cts stages; plus the conjugate
//! L_out + 8      v = 2 (t / Q_0 - 1/4) / (K + 1/4)
//!   |  reduction modulo Q_0 (`eval_mod`), 8 levels
//! level L_out    slots z
//! ```
//! Slots to coefficients come first (ePrint 2018/153 has them last), at the lowest levels, where they cost least and where errors of the coefficients are not summed
//! up to slots afterwards. No ciphertext ever has a scale that is not its level's: all factors are in weights and coefficients.
//!
//! Levels above L_out exist inside of [`Bootstrapper::bootstrap`] alone: as polynomials, which no ciphertext, key request or file of a user names.
//!
//! `docs/bootstrapping.md` of the repository has parameters, precision and costs.

mod eval_mod;
mod maps;
mod plan;
mod raise;
mod stage;
#[cfg(test)]
mod tests;

use arras_hal::{Backend, Eval, GaloisElement, Poly};

use eval_mod::{MESSAGE_RATIO, Numbers, REACH};
pub use plan::BootstrapPlan;
use stage::Stage;

use crate::{
    Ciphertext, CkksError, CkksErrorKind, Context, Evaluator, KeyKind, Result,
    context::parameters_mismatch,
};

/// Bootstraps ciphertexts that hold so many real values of at most so large a magnitude, with evaluation keys only.
///
/// ```text
/// client   BootstrapPlan::new(&params, 512)      KeyGenerator::bootstrapping_keys(&plan), with the keys of the circuit
/// server   Bootstrapper::new(&evaluator, &plan, 8.0)               once: it encodes the maps
///          bootstrapper.bootstrap(&ciphertext)                     level 2 and up -> L_out
/// ```
///
/// **Every value comes back as the mean of its copies.** Slots j, j + values, j + 2 values, .. should hold the same; where they do not, nothing
/// reports it. Imaginary parts must be zero up to the scheme's error, unless the plan is of pairs: they leak into other values.
///
/// The result errs by about 2^-22 of the bound in the worst slot at N = 2^16, and is not exact for values beyond the bound: at twice the bound 19 bits
/// are left, far beyond it values wrap. A bootstrap fails, in one value and silently, with probability 2^-65 for 512 values: that is a property of the
/// ciphertext's randomness, so that nobody should react to it.
pub struct Bootstrapper<B: Backend> {
    evaluator: Evaluator<B>,
    plan: BootstrapPlan,
    bound: f64,
    numbers: Numbers,
    to_coefficients: Vec<Stage<B>>,
    to_slots: Vec<Stage<B>>,
}

/// log2 of the largest bound: at level 0 values of 2^8.7 have no room any more.
const MAX_LOG2_BOUND: i32 = 8;
/// log2 of the smallest.
const MIN_LOG2_BOUND: i32 = -20;

impl<B: Backend> Bootstrapper<B> {
    /// Encodes the maps of a plan for values of at most `bound` in magnitude: a power of two from 2^-20 to 2^8. Whoever sees the bound learns how large values may
    /// be: choose it beforehand, and not from the data.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`]; [`CkksErrorKind::OutOfRange`]; [`CkksErrorKind::NoGaloisKey`], [`CkksErrorKind::NoRelinearizationKey`],
    /// [`CkksErrorKind::NoSparseKey`], [`CkksErrorKind::KeyBudget`] for the first key of the plan that the evaluator does not have;
    /// [`CkksErrorKind::Stopped`]; the engine's if it has no memory for the maps.
    pub fn new(evaluator: &Evaluator<B>, plan: &BootstrapPlan, bound: f64) -> Result<Self> {
        CkksError::within("Bootstrapper::new", || {
            let params = evaluator.context().params();
            if plan.params() != params {
                return Err(parameters_mismatch(params, plan.params()));
            }
            let (least, most) = (2f64.powi(MIN_LOG2_BOUND), 2f64.powi(MAX_LOG2_BOUND));
            // A power of two has no mantissa.
            let is_power = bound.to_bits().trailing_zeros() >= 52;
            if !is_power || !(least..=most).contains(&bound) {
                return Err(CkksErrorKind::OutOfRange {
                    what: "the bound of bootstrapped values",
                    value: bound,
                    range: format!("powers of two from 2^{MIN_LOG2_BOUND} to 2^{MAX_LOG2_BOUND}"),
                }
                .into());
            }
            check_keys(evaluator, plan)?;
            Self::encoded(evaluator.share(), plan.clone(), bound)
        })
    }

    fn encoded(evaluator: Evaluator<B>, plan: BootstrapPlan, bound: f64) -> Result<Self> {
        let context = evaluator.context();
        let (params, encoder) = (context.params(), plan.encoder()?);
        let base: f64 = context
            .moduli_of(context.raised_window(0)?)
            .into_iter()
            .map(f64::from)
            .product();
        let top = params.scale(params.raised_level());
        // Values of the bound become 2^-12.5 of Q_0; coefficients times N / values of the trace become u.
        let down = base / MESSAGE_RATIO / params.scale(0) / bound;
        let copies = (params.n() / plan.values()) as f64;
        let up = top / (copies * base * REACH);
        let to_coefficients: Vec<_> = plan.to_coefficients(&encoder).collect();
        let to_slots: Vec<_> = plan.to_slots(&encoder).collect();
        let stages = |stages: Vec<(usize, Vec<maps::Giant>)>, factor| {
            let each = root(factor, stages.len() as u32);
            let stage = |(level, giants)| Stage::new(context, &encoder, level, giants, each);
            stages.into_iter().map(stage).collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            numbers: Numbers::new(bound),
            to_coefficients: stages(to_coefficients, down)?,
            to_slots: stages(to_slots, up)?,
            evaluator,
            plan,
            bound,
        })
    }

    /// What it was made for.
    pub fn plan(&self) -> &BootstrapPlan {
        &self.plan
    }

    /// What values are at most in magnitude.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The same values at the highest level, with this bound; a whole batch at once.
    ///
    /// A ciphertext above the level that it needs ([`BootstrapPlan::least_level`]) goes down to it first.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`] below that level; [`CkksErrorKind::OutOfRange`] if the ciphertext's own bound is larger than this one
    /// ([`Ciphertext::assume`] states a tighter one); [`CkksErrorKind::Stopped`]; those of
    /// [`Evaluator::relinearize_and_rescale`].
    pub fn bootstrap(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        CkksError::within("bootstrap", || {
            self.check_bound(ct)?;
            let lowered = self.evaluator.level_down(ct, self.plan.least_level())?;
            let poly = self.coefficients(lowered.poly())?;
            let poly = raise::to_sparse(&self.evaluator, &poly)?;
            let poly = raise::lift(self.context(), poly)?;
            let poly = raise::from_sparse(&self.evaluator, &poly)?;
            let poly = self.slots(poly)?;
            let poly = self.cosine(poly)?;
            let poly = self.double_angles(poly)?;
            Ok(Ciphertext::settled(
                self.context(),
                poly,
                self.plan.level(),
                self.bound,
            ))
        })
    }

    /// Two batches of real vectors as one ciphertext each, v then w, both at the highest level: of a plan of pairs, with the keys of one bootstrap.
    ///
    /// # Errors
    /// [`CkksErrorKind::WrongForm`] if the plan is not of pairs; [`CkksErrorKind::BatchMismatch`]; as [`Bootstrapper::bootstrap`], of each.
    pub fn bootstrap_pair(&self, v: &Ciphertext<B>, w: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        CkksError::within("bootstrap_pair", || {
            if !self.plan.is_of_pairs() {
                return Err(CkksErrorKind::WrongForm {
                    have: "to be bootstrapped by a plan of single vectors",
                    remedy: "make the keys and the bootstrapper with BootstrapPlan::of_pairs",
                }
                .into());
            }
            self.check_bound(v)?;
            self.check_bound(w)?;
            let both = self.evaluator.add(v, &self.evaluator.multiply_i(w)?)?;
            self.bootstrap(&both.with_bound(self.bound))
        })
    }

    /// That no value of a ciphertext is said to be larger than those that this is made for.
    fn check_bound(&self, ct: &Ciphertext<B>) -> Result<()> {
        if ct.bound() <= self.bound {
            return Ok(());
        }
        let range = format!(
            "0 to {}, what the bootstrapper was made for; make one for larger values, or assume (Ciphertext::assume) a smaller bound if \
             they are smaller",
            self.bound
        );
        Err(CkksErrorKind::OutOfRange {
            what: "the bound of the ciphertext's values",
            value: ct.bound(),
            range,
        }
        .into())
    }

    fn context(&self) -> &Context<B> {
        self.evaluator.context()
    }

    /// From slots at the least level to coefficients at level 0.
    fn coefficients(&self, ciphertext: &Poly<B, Eval>) -> Result<Poly<B, Eval>> {
        let poly = ciphertext.try_clone()?;
        self.stages(&self.to_coefficients, poly)
    }

    /// From raised coefficients at the top to v in the slots.
    fn slots(&self, mut poly: Poly<B, Eval>) -> Result<Poly<B, Eval>> {
        let (evaluator, context) = (&self.evaluator, self.context());
        let raised = context.params().raised_level();
        let top = context.raised_window(raised)?;
        for steps in self.plan.trace() {
            context.stopped()?;
            let terms = evaluator.terms(&steps, raised)?;
            poly = poly.rotation_sum(&terms, &[], context.switching(), top)?;
        }
        let poly = self.stages(&self.to_slots, poly)?;
        let level = self.plan.eval_mod_level();
        let conjugation = GaloisElement::conjugation(context.params().log_n());
        let key = evaluator.galois_key(conjugation, level, || "conjugation".into())?;
        let terms = [(GaloisElement::IDENTITY, None), (conjugation, key)];
        let here = context.raised_window(level)?;
        let sum = poly.rotation_sum(&terms, &[], context.switching(), here)?;
        eval_mod::shifted(evaluator, &sum, level)
    }

    fn stages(&self, stages: &[Stage<B>], mut poly: Poly<B, Eval>) -> Result<Poly<B, Eval>> {
        for stage in stages {
            poly = stage.apply(&self.evaluator, &poly)?;
        }
        Ok(poly)
    }

    /// C_0 from v.
    fn cosine(&self, v: Poly<B, Eval>) -> Result<Poly<B, Eval>> {
        let level = self.plan.eval_mod_level();
        eval_mod::cosine(&self.evaluator, &self.numbers, v, level)
    }

    /// The values from C_0.
    fn double_angles(&self, c0: Poly<B, Eval>) -> Result<Poly<B, Eval>> {
        let level = self.plan.level() + 3;
        eval_mod::double_angles(&self.evaluator, &self.numbers, c0, level)
    }
}

impl<B: Backend> std::fmt::Debug for Bootstrapper<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bootstrapper({:?}, up to {})", self.plan, self.bound)
    }
}

/// That the evaluator has every key of a plan, for its level.
fn check_keys<B: Backend>(evaluator: &Evaluator<B>, plan: &BootstrapPlan) -> Result<()> {
    evaluator.relinearization_key(plan.eval_mod_level())?;
    let conjugation = GaloisElement::conjugation(plan.params().log_n());
    evaluator.galois_key(conjugation, plan.eval_mod_level(), || "conjugation".into())?;
    for (step, level) in plan.rotations() {
        evaluator.terms(&[step], level)?;
    }
    raise::sparse_key(evaluator, KeyKind::ToSparse)?;
    raise::sparse_key(evaluator, KeyKind::FromSparse)?;
    Ok(())
}

/// The root of a positive number of ordinary size by Newton's rule: in operations that are the same on every platform.
fn root(x: f64, degree: u32) -> f64 {
    let k = f64::from(degree);
    let mut y = 1.0;
    // Halving a distance of some powers of two, and then doubling the digits.
    for _ in 0..200 {
        let mut power = 1.0;
        for _ in 1..degree {
            power *= y;
        }
        y = ((k - 1.0) * y + x / power) / k;
    }
    y
}

#[cfg(test)]
mod root_tests {
    #[test]
    fn roots_are_roots() {
        for x in [2f64.powi(-30), 0.14, 1.0, 3.7, 2f64.powi(30)] {
            for degree in 1..=4 {
                let y = super::root(x, degree);
                assert!(
                    (y.powi(degree as i32) / x - 1.0).abs() < 1e-14,
                    "{x}, {degree}: {y}"
                );
            }
        }
    }
}
