//! Sums of values some of which are known to be zero.

use arras_toolkit::Slots;

/// The sum of values times public numbers; a value that is `None` is zero, and so is the sum of none.
pub(super) fn combine(terms: &[(f64, Option<&Slots>)]) -> Option<Slots> {
    let terms: Vec<Slots> = terms
        .iter()
        .filter(|(factor, _)| *factor != 0.0)
        .filter_map(|&(factor, value)| Some(value?.multiply_scalar(factor)))
        .collect();
    Slots::sum(&terms)
}

/// `a + b`, each zero if `None`.
pub(super) fn add(a: Option<&Slots>, b: Option<&Slots>) -> Option<Slots> {
    combine(&[(1.0, a), (1.0, b)])
}
