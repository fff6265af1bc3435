//! Inverses and roots by iteration from a polynomial start.
//!
//! | function | start | step | error e | after a step |
//! |---|---|---|---|---|
//! | 1 / x | (1 - T_N(u(x)) / T_N(u(0))) / x, of degree N - 1 | y (1 + e), e e (Goldschmidt) | 1 - x y | e^2 |
//! | 1 / sqrt(x), sqrt(x) | fit of least relative error | y (3 - x y^2) / 2 (Newton) | 1 - x y^2 | e^2 (3 + e) / 4 |
//!
//! N is a power of two; the start for the inverse has the least relative error among polynomials of its degree, 1 / |T_N(u(0))|.

use arras_hal::Named;

use super::{
    Method,
    evaluate::{add_inside, polynomial},
    series::{check_interval, finite},
};
use crate::{Layout, Polynomial, Result, Slots, ToolkitError};

/// The most steps; every step costs one level or two.
const MAX_STEPS: usize = 24;
/// Degrees of starts, as powers of two of degree + 1.
const MAX_LOG_TERMS: usize = 5;
/// Fits of which the best one is a start.
const ROUNDS: usize = 10;
/// The least relative error that may be asked for: rounding in double precision is not far below.
const LEAST_ERROR: f64 = 1e-12;

/// When an iteration ends.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stop {
    /// After this many steps (0 to 24) from the start of lowest degree from which they converge, 1 where that suffices.
    Iterations(usize),
    /// When the relative error is at most this (1e-12 to 0.5) on the whole interval, were it computed exactly. Degree of the start (up to 31) and number
    /// of steps are those of least depth.
    RelativeError(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Inverse,
    InverseSqrt,
    Sqrt,
}

/// An inverse or a root: its start, its number of steps, and what they come to.
#[derive(Clone, Debug)]
pub struct Iteration {
    function: Function,
    start: Polynomial,
    steps: usize,
    relative_error: f64,
}

impl Iteration {
    /// 1 / x on [`low`, `high`], which must not hold 0; both ends may be negative. With n steps from a start of l levels: depth l if n = 0, else
    /// l + 1 + n; relative error e0^(2^n), where the linear start has e0 = (h - 1)^2 / (h^2 + 6h + 1), h = high / low.
    ///
    /// Values on the way stay below 2 / |low|; the ciphertext's own error is relative to that.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::OutOfRange`] unless low < high, both of one sign, and the stop is in its range;
    /// [`crate::ToolkitErrorKind::NonFinite`].
    pub fn inverse(low: f64, high: f64, stop: Stop) -> Result<Self> {
        Self::reciprocal(low, high, stop).named("inverse")
    }

    fn reciprocal(low: f64, high: f64, stop: Stop) -> Result<Self> {
        check_interval(low, high)?;
        if low <= 0.0 && high >= 0.0 {
            return Err(ToolkitError::out_of_range(
                "lower end of the interval",
                low,
                format!(
                    "intervals without 0 (its upper end is {high}); take both ends above 0 or both below"
                ),
            ));
        }
        Self::choose(Function::Inverse, low / high, stop, |log_terms| {
            inverse_start(low, high, 1 << log_terms)
        })
    }

    /// 1 / sqrt(x) on [`low`, `high`], 0 < low. With n steps from a start of l levels: depth l + 2n. Relative error 1 - sqrt(1 - e), e as in the
    /// table of this module.
    ///
    /// Values on the way: squares of the result, below 3 / low at first; half of x; and sqrt(3 high) / 2.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::OutOfRange`] unless 0 < low < high, the stop is in its range, and a start of degree up to 31 converges;
    /// [`crate::ToolkitErrorKind::NonFinite`].
    pub fn inverse_sqrt(low: f64, high: f64, stop: Stop) -> Result<Self> {
        Self::root(Function::InverseSqrt, low, high, stop).named("inverse_sqrt")
    }

    /// sqrt(x) on [`low`, `high`], 0 < low, as x times the inverse root: one level more than [`Iteration::inverse_sqrt`], of the same
    /// relative error.
    ///
    /// # Errors
    /// As [`Iteration::inverse_sqrt`].
    pub fn sqrt(low: f64, high: f64, stop: Stop) -> Result<Self> {
        Self::root(Function::Sqrt, low, high, stop).named("sqrt")
    }

    fn root(function: Function, low: f64, high: f64, stop: Stop) -> Result<Self> {
        check_interval(low, high)?;
        if low <= 0.0 {
            return Err(ToolkitError::out_of_range(
                "lower end of the interval",
                low,
                format!("numbers above 0 (its upper end is {high})"),
            ));
        }
        Self::choose(function, low / high, stop, |log_terms| {
            root_start(low, high, 1 << log_terms)
        })
    }

    /// Degree of the start and number of steps.
    fn choose(
        function: Function,
        ends: f64,
        stop: Stop,
        start: impl Fn(usize) -> Result<(Polynomial, Error)>,
    ) -> Result<Self> {
        let mut best: Option<Self> = None;
        check_stop(stop)?;
        for log_terms in 1..=MAX_LOG_TERMS {
            let (start, mut error) = start(log_terms)?;
            if !error.converges() {
                continue;
            }
            let mut steps = 0;
            let goes_on = |steps: usize, error: Error| match stop {
                Stop::Iterations(wanted) => steps < wanted,
                Stop::RelativeError(wanted) => error.relative(function) > wanted,
            };
            while goes_on(steps, error) && steps < MAX_STEPS {
                error = error.after_step(function);
                steps += 1;
            }
            if goes_on(steps, error) {
                continue;
            }
            let found = Self {
                function,
                start,
                steps,
                relative_error: error.relative(function),
            };
            if matches!(stop, Stop::Iterations(_)) {
                return Ok(found);
            }
            let costs = |i: &Self| (i.levels(), i.products());
            if best.as_ref().is_none_or(|b| costs(&found) < costs(b)) {
                best = Some(found);
            }
        }
        best.ok_or_else(|| {
            ToolkitError::out_of_range(
                "lower end / upper end",
                ends,
                format!(
                    "what starts of degree up to {} and {MAX_STEPS} steps reach; narrow the interval",
                    (1 << MAX_LOG_TERMS) - 1
                ),
            )
        })
    }

    /// The polynomial it starts from.
    pub fn start(&self) -> &Polynomial {
        &self.start
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The largest relative error of the result on the interval, were it computed exactly.
    pub fn relative_error(&self) -> f64 {
        self.relative_error
    }

    /// Depth.
    pub fn levels(&self) -> usize {
        let start = self.start.cost(Method::Auto).levels;
        match self.function {
            Function::Inverse if self.steps == 0 => start,
            Function::Inverse => start + 1 + self.steps,
            Function::InverseSqrt => start + 2 * self.steps,
            Function::Sqrt => start + 2 * self.steps + 1,
        }
    }

    /// Products of ciphertexts.
    pub fn products(&self) -> usize {
        let start = self.start.cost(Method::Auto).products;
        match self.function {
            Function::Inverse => start + 2 * self.steps,
            Function::InverseSqrt => start + 3 * self.steps,
            Function::Sqrt => start + 3 * self.steps + 1,
        }
    }

    /// Records it. The padding of x is zero: so are the start there and all that is multiplied with it.
    #[track_caller]
    pub(super) fn apply(&self, x: &Slots, layout: &Layout) -> Slots {
        let start = polynomial(x, layout, &self.start, Method::Auto);
        match self.function {
            Function::Inverse => self.goldschmidt(x, layout, start),
            Function::InverseSqrt => self.newton(x, start),
            Function::Sqrt => self.newton(x, start).multiply(x),
        }
    }

    #[track_caller]
    fn goldschmidt(&self, x: &Slots, layout: &Layout, start: Slots) -> Slots {
        let mut y = start;
        if self.steps == 0 {
            return y;
        }
        // Zero in the padding too, lest the noise of the padding double in every step.
        let mut e = add_inside(&x.multiply(&y).negate(), layout, 1.0, 0.0);
        let (low, high) = self.start.interval();
        let most = 2.0 / low.abs().min(high.abs());
        let assume = |value: &Slots, bound| x.recorder().assume(value, bound);
        assume(&y, most);
        assume(&e, 1.0);
        for step in 1..=self.steps {
            y = y.multiply(&e.add_scalar(1.0));
            if step < self.steps {
                assume(&y, most);
                e = e.square();
            }
        }
        y
    }

    #[track_caller]
    fn newton(&self, x: &Slots, start: Slots) -> Slots {
        let mut y = start;
        if self.steps == 0 {
            return y;
        }
        // x y^2 = 1 - e stays below 3.
        let (low, high) = self.start.interval();
        let most = (3.0 / low).sqrt();
        let assume = |value: &Slots, bound| x.recorder().assume(value, bound);
        assume(&y, most);
        let half = x.multiply_scalar(0.5);
        for _ in 0..self.steps {
            let linear = half.multiply(&y);
            let square = y.square();
            let cubic = linear.multiply(&square);
            assume(&linear, 0.5 * (3.0 * high).sqrt());
            assume(&square, 3.0 / low);
            assume(&cubic, 1.5 * most);
            y = y.multiply_scalar(1.5).sub(&cubic);
            assume(&y, most);
        }
        y
    }
}

/// The range of e = 1 - x y, or 1 - x y^2, over an interval.
#[derive(Clone, Copy, Debug)]
struct Error {
    least: f64,
    most: f64,
}

impl Error {
    /// Both iterations converge from here: below 1, and above -2 (where Newton's step from y stays above 0).
    fn converges(self) -> bool {
        self.most < 1.0 && self.least > -1.9
    }

    fn after_step(self, function: Function) -> Self {
        let step = |e: f64| match function {
            Function::Inverse => e * e,
            Function::InverseSqrt | Function::Sqrt => e * e * (3.0 + e) / 4.0,
        };
        // Both fall towards 0 from either side.
        Self {
            least: 0.0,
            most: step(self.least).max(step(self.most)),
        }
    }

    /// Of the result.
    fn relative(self, function: Function) -> f64 {
        let of = |e: f64| match function {
            Function::Inverse => e.abs(),
            // |1 - sqrt(1 - e)|
            Function::InverseSqrt | Function::Sqrt => (e / (1.0 + (1.0 - e).sqrt())).abs(),
        };
        of(self.least).max(of(self.most))
    }
}

fn inverse_start(low: f64, high: f64, terms: usize) -> Result<(Polynomial, Error)> {
    let chebyshev = |u: f64| {
        let (mut before, mut t) = (1.0, u);
        for _ in 1..terms {
            (before, t) = (t, 2.0 * u * t - before);
        }
        t
    };
    let at = |x: f64| (2.0 * x - low - high) / (high - low);
    let at_zero = chebyshev(at(0.0));
    let start = |x: f64| (1.0 - chebyshev(at(x)) / at_zero) / x;
    let start = Polynomial::interpolate(start, low, high, terms - 1)?;
    let error = 1.0 / at_zero.abs();
    let error = Error {
        least: -error,
        most: error,
    };
    Ok((start, error))
}

fn root_start(low: f64, high: f64, terms: usize) -> Result<(Polynomial, Error)> {
    let inverse = |x: f64| 1.0 / x.sqrt();
    let fit = |weight: &dyn Fn(f64) -> f64| -> Result<(f64, Polynomial)> {
        let p = Polynomial::least_squares(inverse, weight, low, high, terms - 1)?;
        Ok((p.largest_error(inverse, f64::sqrt), p))
    };
    // From least squares towards the least largest error: points weigh more where errors were large (Lawson's iteration).
    let mut before: Vec<(f64, Polynomial)> = vec![];
    for _ in 0..ROUNDS {
        let next = fit(&|x| {
            before.iter().fold(x.sqrt(), |w, (largest, p)| {
                w * ((x.sqrt() * p.eval(x) - 1.0).abs() / largest).sqrt()
            })
        })?;
        // What is left is rounding.
        let done = next.0 < LEAST_ERROR;
        before.push(next);
        if done {
            break;
        }
    }
    let best = before.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let (error, start) = best.map_or_else(|| fit(&f64::sqrt), Ok)?;
    // Errors between the points that are looked at are larger by less than this.
    let error = error * 1.001;
    let error = Error {
        least: 1.0 - (1.0 + error) * (1.0 + error),
        most: if error < 1.0 {
            1.0 - (1.0 - error) * (1.0 - error)
        } else {
            1.0
        },
    };
    Ok((start, error))
}

fn check_stop(stop: Stop) -> Result<()> {
    match stop {
        Stop::Iterations(n) if n > MAX_STEPS => Err(ToolkitError::out_of_range(
            "number of iterations",
            n as f64,
            format!("0 to {MAX_STEPS}; every step squares the error"),
        )),
        Stop::RelativeError(e) => {
            finite("relative error", e, &[])?;
            if (LEAST_ERROR..=0.5).contains(&e) {
                return Ok(());
            }
            Err(ToolkitError::out_of_range(
                "relative error",
                e,
                format!("{LEAST_ERROR:e} to 0.5"),
            ))
        }
        Stop::Iterations(_) => Ok(()),
    }
}
