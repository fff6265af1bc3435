//! Public factors of a vector of features, of which the intercept has its own.

/// What a vector of features is multiplied by: the intercept by one number, everything else by another. A penalty on weights leaves the
/// intercept free, so the two differ by it alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// The factor of the intercept, feature 0.
    pub intercept: f64,
    /// The factor of all other features.
    pub rest: f64,
}

impl Gain {
    /// 0 for all.
    pub const ZERO: Self = Self::all(0.0);
    /// 1 for all.
    pub const ONE: Self = Self::all(1.0);

    /// The same factor for all.
    pub const fn all(factor: f64) -> Self {
        Self {
            intercept: factor,
            rest: factor,
        }
    }

    /// Both factors times a number.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        self.after(Self::all(factor))
    }

    /// One after the other.
    #[must_use]
    pub fn after(self, other: Self) -> Self {
        Self {
            intercept: self.intercept * other.intercept,
            rest: self.rest * other.rest,
        }
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            intercept: self.intercept + other.intercept,
            rest: self.rest + other.rest,
        }
    }

    /// The factor, if all features have the same.
    pub fn common(self) -> Option<f64> {
        (self.intercept == self.rest).then_some(self.rest)
    }

    /// The factor of a feature.
    pub fn of(self, feature: usize) -> f64 {
        if feature == 0 {
            self.intercept
        } else {
            self.rest
        }
    }
}
