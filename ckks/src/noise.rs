//! How much error each operation adds, predicted from the parameters alone.

use arras_hal::Named;
use num_traits::ToPrimitive;

use crate::{
    params::{LevelDownPlan, Parameters, ParamsError},
    random::CENTRED_BINOMIAL_ETA,
};

/// Variance of a coefficient of a fresh error.
const FRESH: f64 = CENTRED_BINOMIAL_ETA as f64 / 2.0;
/// Variance of rounding to the nearest integer.
const ROUNDING: f64 = 1.0 / 12.0;
/// Rounding of an encoded real vector, counted as if it were spread over real and imaginary parts. The polynomial of a real
/// vector is its own conjugate, and so is its rounded form: the error is real, all of it in the part that is measured.
const REAL_ENCODING: f64 = 2.0 * ROUNDING;
/// Mean square of a coefficient of a uniform ternary secret.
const TERNARY: f64 = 2.0 / 3.0;

/// What the sine of a bootstrap is off by at most, for values up to 1: 2^-24.
const SINE: f64 = 5.960_464_477_539_063e-8;
/// Deviation of what the steps before it err by: 2^-25.
const BEFORE_SINE: f64 = SINE / 2.0;

/// A prediction, or why there is none.
type Result<T, E = ParamsError> = std::result::Result<T, E>;

/// Predicts how much error each operation adds, from the parameters alone.
///
/// All figures are standard deviations of the real part of one slot after decoding, in units of the values (not of the
/// scale), and say what an operation *adds*: what its operands bring along is theirs, scaled as their values are.
/// Independent errors add as squares.
///
/// A coefficient's variance becomes a slot's like this: a slot is a sum of N coefficients times numbers of magnitude 1, over
/// the scale s; its real part has half of that variance:
///
/// ```text
///   deviation of a real slot = sqrt(N / 2 * variance of a coefficient) / s
/// ```
///
/// | source of error | variance of a coefficient |
/// |---|---|
/// | fresh error of a key or a ciphertext | eta / 2 (centred binomial) |
/// | rounding to integers | 1 / 12 |
/// | rounding of a ciphertext's two components, the second times the secret | (1 + 2 N / 3) / 12 (uniform ternary secret) |
/// | key switch before its division is rounded | N (eta / 2) sum over active digits of d D^2 / (12 P^2), d limbs of product D |
///
/// These are the average-case heuristics of Kim, Papadimitriou and Polyakov (ePrint 2020/1118) and Costache, Curtis, Hales,
/// Murphy, Ogilvie and Player (ePrint 2022/162), with this library's distributions and its centred base conversions.
/// The library's tests compare every figure with measurements.
///
/// The figures are root mean squares over slots. A rounding error that meets the secret is not equally large in all of them: in
/// slot j it is proportional to the secret's value at that slot's root of unity, which does not change as long as the secret does
/// not. [`worst_slot`](Self::worst_slot) takes that into account.
#[derive(Clone, Debug)]
pub struct NoiseModel {
    params: Parameters,
    /// Variance of a coefficient after a key switch of each level, before rounding.
    key_switch: Vec<f64>,
}

impl NoiseModel {
    /// The model of a parameter set.
    pub fn new(params: &Parameters) -> Self {
        let key_switch = (0..=params.max_level())
            .map(|level| key_switch_variance(params, level))
            .collect();
        Self {
            params: params.clone(),
            key_switch,
        }
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// Rounding of a real vector that is encoded at `level`: every coefficient to an integer. The error is real, so it is
    /// `sqrt(N / 12) / s`; that of a vector that is not real is the half of that variance in each of its parts.
    ///
    /// In a product this error meets the other factor: a product by a mask of ciphertexts with values of mean square v gains
    /// `sqrt(v)` times this.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn encoding(&self, level: usize) -> Result<f64> {
        self.deviation(REAL_ENCODING, level)
            .named("predict the error of encoding")
    }

    /// Rounding of a scalar at `level`, as a standard deviation over scalars: `1 / (sqrt(12) s)`, in every slot alike.
    ///
    /// A sum with a scalar gains it as it is, a product with one gains it times the value in each slot (and is rescaled).
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn scalar(&self, level: usize) -> Result<f64> {
        self.params
            .check_level(level)
            .named("predict the rounding of a scalar")?;
        Ok(ROUNDING.sqrt() / self.params.scale(level))
    }

    /// Encryption with the secret key at `level`, the encoder's rounding included.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn encryption(&self, level: usize) -> Result<f64> {
        self.deviation(FRESH + REAL_ENCODING, level)
            .named("predict the error of encryption")
    }

    /// Encryption with the public key at `level`, the encoder's rounding included.
    ///
    /// The encryption is made modulo one more prime p and divided by it, so that of its error `e u + e0 + e1 s`, of variance
    /// `(eta / 2) (1 + 4 N / 3)`, the part `1 / p^2` remains and the rounding of the two components dominates.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn public_encryption(&self, level: usize) -> Result<f64> {
        let special = self.params.special_range().start;
        let p = self
            .params
            .moduli()
            .get(special)
            .map_or(1.0, |&p| f64::from(p));
        let fresh = FRESH * (1.0 + 2.0 * TERNARY * self.n()) / (p * p);
        let variance = self.rounded() + fresh + REAL_ENCODING;
        self.deviation(variance, level)
            .named("predict the error of public-key encryption")
    }

    /// A rescale that lands on `to`: both components are rounded.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn rescale(&self, to: usize) -> Result<f64> {
        self.deviation(self.rounded(), to)
            .named("predict the error of a rescale")
    }

    /// A hybrid key switch of a settled ciphertext of `level`, before its division by P is rounded (Han and Ki, ePrint 2019/688,
    /// section 3).
    ///
    /// Digit j, of d limbs with product D, is lifted limb by limb and centred: a sum of d numbers that are uniform between
    /// -D/2 and D/2. It meets the N coefficients of a key's error and is divided by P.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn key_switch(&self, level: usize) -> Result<f64> {
        self.rotations(level, 1.0, 0.0)
            .named("predict the error of a key switch")
    }

    /// A rotation or conjugation of a settled ciphertext of `level`: the key switch and the rounding of its division by P.
    ///
    /// A pending operand is rotated and rescaled in one step, with the error of
    /// [`relinearize_and_rescale`](Self::relinearize_and_rescale).
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn rotation(&self, level: usize) -> Result<f64> {
        self.rotation_sum(level, 1)
    }

    /// A sum of `terms` different rotations of one settled ciphertext of `level`, divided by P once. The operand itself (step 0)
    /// needs no key and is no term.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn rotation_sum(&self, level: usize, terms: usize) -> Result<f64> {
        self.rotation_sum_of_squares(level, terms as f64)
    }

    /// A sum of rotations of which some are taken more than once: `squares` is the sum of the squares of how often. A rotation
    /// taken k times has k times the error of one key switch, not k independent errors.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn rotation_sum_of_squares(&self, level: usize, squares: f64) -> Result<f64> {
        let rounded = self.rounded();
        self.rotations(level, squares, rounded)
            .named("predict the error of a sum of rotations")
    }

    /// A weighted sum of rotations of a ciphertext of `level`, which lands a level lower: key switches times their weights, the
    /// weights' rounding times the values, and one rounding at the end.
    ///
    /// `weights` is the sum over the terms that need a key of the mean square of their weights, `values` the sum over all terms of
    /// the mean square of the values that meet a weight (number of terms times the operand's mean square).
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`], [`ParamsError::LevelOrder`] at level 0, which has no level below.
    pub fn weighted_rotation_sum(&self, level: usize, weights: f64, values: f64) -> Result<f64> {
        const OP: &str = "predict the error of a weighted sum of rotations";
        let to = self.below(level).named(OP)?;
        let switches = weights * self.key_switch(level)?.powi(2);
        let encodings = values * self.encoding(level)?.powi(2);
        Ok((switches + encodings + self.rescale(to)?.powi(2)).sqrt())
    }

    /// Relinearization of a product of operands of `level` that stays pending: of values at the square of the level's scale,
    /// so small that no later operation shows it.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn relinearize(&self, level: usize) -> Result<f64> {
        Ok(self.rotation(level)? / self.params.scale(level))
    }

    /// Settling a product at `to`: relinearization at the window of the level above and the rescale, rounded once.
    ///
    /// The key switch works at the square of a scale and is divided by the primes that the rescale drops, so the rounding dominates.
    /// A pending ciphertext of two components that is rotated and rescaled in one step gains the same.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`] if there is no level above `to`.
    pub fn relinearize_and_rescale(&self, to: usize) -> Result<f64> {
        const OP: &str = "predict the error of a product that settles";
        let from = to.saturating_add(1);
        let switch = self.rotations(from, 1.0, 0.0).named(OP)? / self.params.scale(from);
        Ok(switch.hypot(self.rescale(to)?))
    }

    /// A bootstrap of values up to `bound` in magnitude, for the worst such values: the sine that stands for the reduction modulo Q_0, the steps before it, and the last
    /// rescale. Errors of values far below the bound are smaller; beyond it there is no bound.
    ///
    /// It depends on the values: the sine's part is not noise, and comes again with the same values.
    ///
    /// # Errors
    /// [`ParamsError::Bootstrap`] for parameters without bootstrapping.
    pub fn bootstrap(&self, bound: f64) -> Result<f64> {
        if self.params.bootstrap().is_none() {
            return Err(ParamsError::Bootstrap {
                what: "the specification of its levels",
                got: "none".into(),
                required: "given to predict its error".into(),
            });
        }
        let rescale = self.rescale(self.params.max_level())?;
        Ok(rescale.hypot(bound * SINE.hypot(BEFORE_SINE)))
    }

    /// Going down from level `from` to `to` in one step: the rounding of one rescale, whatever the distance; nothing if they are
    /// equal. Large values show [`level_down_bias`](Self::level_down_bias) too.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`], [`ParamsError::LevelOrder`] if `to` is above `from`.
    pub fn level_down(&self, from: usize, to: usize) -> Result<f64> {
        match self.way_down(from, to)? {
            Some(_) => self.rescale(to),
            None => Ok(0.0),
        }
    }

    /// By which part of itself a value changes on the way from level `from` to `to`, because the constant that brings it to the
    /// target's scale is an integer: at most about 2^-34 in magnitude, usually far less. Zero if the levels are equal.
    ///
    /// # Errors
    /// As [`level_down`](Self::level_down).
    pub fn level_down_bias(&self, from: usize, to: usize) -> Result<f64> {
        let Some(plan) = self.way_down(from, to)? else {
            return Ok(0.0);
        };
        let target = self.params.window(to);
        let moduli = self.params.moduli();
        let modulus = |limb: usize| moduli.get(limb).map_or(1.0, |&q| f64::from(q));
        // W / Q_to without the primes that both have: few factors, each right to 2^-53.
        let kept = plan.sub_window.iter().copied();
        let dropped = kept.filter(|limb| !target.contains(limb));
        let dropped: f64 = dropped.map(modulus).product();
        let restored = target.filter(|limb| !plan.sub_window.contains(limb));
        let restored: f64 = restored.map(modulus).product();
        let exact = self.params.scale(to) / self.params.scale(from) * (dropped / restored);
        let constant = plan.constant.to_f64().unwrap_or(exact);
        Ok((constant - exact) / exact)
    }

    /// Values at `level` must stay below this in magnitude, or they wrap around: `Q / (2 s)`.
    ///
    /// Precisely, the coefficients of the encoded polynomial over the scale must. None exceeds the largest magnitude of a slot, and
    /// only vectors like constants and single roots of unity reach it.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`].
    pub fn headroom(&self, level: usize) -> Result<f64> {
        self.params.check_level(level).named("tell the headroom")?;
        Ok(self.params.headroom(level))
    }

    /// The expected largest magnitude over all slots of an error of this `deviation` that is dominated by roundings that met the
    /// secret, as everything but secret-key encryption and encoding is (for these two it is an upper bound).
    ///
    /// Such an error is a product of two normally distributed complex numbers, so its real part has a Laplace distribution and
    /// its magnitude is exponentially distributed with mean `deviation / sqrt(2)`; the largest of n is expected at
    /// `1 + 1/2 + .. + 1/n` times that.
    pub fn worst_slot(&self, deviation: f64) -> f64 {
        let harmonic: f64 = (1..=self.params.slots()).map(|k| 1.0 / k as f64).sum();
        deviation * std::f64::consts::FRAC_1_SQRT_2 * harmonic
    }

    /// `None` where there is nothing to do.
    fn way_down(&self, from: usize, to: usize) -> Result<Option<LevelDownPlan>> {
        if from == to {
            let check = self.params.check_level(from);
            return check
                .named("predict the error of going down")
                .map(|()| None);
        }
        Ok(Some(self.params.level_down_plan(from, to)?))
    }

    fn n(&self) -> f64 {
        self.params.n() as f64
    }

    /// Variance of a coefficient of a ciphertext whose components were rounded.
    fn rounded(&self) -> f64 {
        ROUNDING * (1.0 + TERNARY * self.n())
    }

    fn rotations(&self, level: usize, squares: f64, rounded: f64) -> Result<f64> {
        let one = self.key_switch.get(level).copied().unwrap_or_default();
        self.deviation(squares * one + rounded, level)
    }

    fn below(&self, level: usize) -> Result<usize> {
        self.params.check_level(level)?;
        level.checked_sub(1).ok_or(ParamsError::LevelOrder {
            operation: None,
            from: 0,
            to: 0,
        })
    }

    /// The deviation of a real slot from the variance of a coefficient.
    fn deviation(&self, variance: f64, level: usize) -> Result<f64> {
        self.params.check_level(level)?;
        Ok((self.n() / 2.0 * variance).sqrt() / self.params.scale(level))
    }
}

/// Variance of a coefficient after a key switch at `level`, which exists, before rounding.
fn key_switch_variance(params: &Parameters, level: usize) -> f64 {
    // Products of tens of primes exceed no f64 as logarithms.
    let log2 = |limbs: std::ops::Range<usize>| -> f64 {
        params
            .moduli()
            .get(limbs)
            .unwrap_or_default()
            .iter()
            .map(|&q| f64::from(q).log2())
            .sum()
    };
    let p = log2(params.special_range());
    let digits: f64 = params
        .active_digits(level)
        .into_iter()
        .map(|digit| {
            let uniforms = digit.limbs.len() as f64 * ROUNDING;
            uniforms * (2.0 * (log2(digit.limbs) - p)).exp2()
        })
        .sum();
    params.n() as f64 * FRESH * digits
}
