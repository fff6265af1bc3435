//! Polynomials of ciphertexts, recorded.

use std::collections::BTreeMap;

use super::{
    Method,
    normal::{Normal, power},
    plan::{Plan, Sum},
    series::Basis,
};
use crate::{Layout, Polynomial, Slots, circuit::slots::is_free, linalg::objects::filled};

/// p(x) in every entry and zero in the padding, where x is zero.
///
/// The padding costs no level: the shift of an interval is added to entries only, so y is zero in the padding, within every
/// interval; what the polynomial has there is a known number, which the last constant takes away.
#[track_caller]
pub(super) fn polynomial(x: &Slots, layout: &Layout, p: &Polynomial, method: Method) -> Slots {
    let normal = Normal::of(p);
    let constant = normal.terms[0];
    let padding = constant - normal.eval(0.0);
    if p.degree() == 0 {
        return add_inside(&x.multiply_integer(0), layout, constant, 0.0);
    }
    let y = add_inside(x, layout, -normal.shift, 0.0).multiply_scalar(normal.factor);
    let bounds = Values::of(p, &normal);
    bounds.argument(x, &y, p);
    let (plan, _) = Plan::new(&normal, method);
    let value = match &plan {
        Plan::Horner => horner(&y, &normal, &bounds),
        Plan::Split { elements, sum } => {
            let mut basis = BTreeMap::from([(1, y)]);
            for e in elements {
                let product = basis[&e.left].multiply(&basis[&e.right]);
                let lower = power(normal.alpha, e.right);
                let element = if lower == 0.0 {
                    product
                } else if e.left == e.right {
                    product.add_scalar(-2.0 * lower)
                } else {
                    product.sub(&basis[&(e.left - e.right)].multiply_scalar(lower))
                };
                // Settled here: an integer multiple of what is still pending would be relinearized a second time.
                let element = element.relinearize_and_rescale();
                bounds.element(&element, e.left + e.right);
                basis.insert(e.left + e.right, element);
            }
            without_constant(sum, &basis)
        }
    };
    let result = add_inside(&value, layout, constant, padding);
    if constant != 0.0 {
        bounds.result(&result, p);
    }
    result
}

/// What is known of values on the way through a Chebyshev series, where its argument is in the interval: far less than products of bounds let
/// expect. Powers are bounded well enough by those.
struct Values<'a> {
    normal: &'a Normal,
    /// Half the interval over 2; none of a monomial series.
    radius: Option<f64>,
}

/// For the rounding of what is computed.
const SLACK: f64 = 1.001;

impl<'a> Values<'a> {
    fn of(p: &Polynomial, normal: &'a Normal) -> Self {
        let (low, high) = p.interval();
        let chebyshev = p.basis() == Basis::Chebyshev;
        let radius = chebyshev.then(|| 0.25 * (high - low) * normal.factor.abs());
        Self { normal, radius }
    }

    #[track_caller]
    fn assume(&self, value: &Slots, bound: impl FnOnce(f64) -> f64) {
        if let Some(radius) = self.radius {
            value.recorder().assume(value, SLACK * bound(radius));
        }
    }

    #[track_caller]
    fn argument(&self, x: &Slots, y: &Slots, p: &Polynomial) {
        let (low, high) = p.interval();
        self.assume(x, |_| low.abs().max(high.abs()));
        self.assume(y, |r| 2.0 * r);
    }

    /// |E_i| <= 2 r^i.
    #[track_caller]
    fn element(&self, element: &Slots, index: usize) {
        self.assume(element, |r| 2.0 * power(r, index));
    }

    /// The sum of Clenshaw's terms from i on, of which the magnitudes are those of U: |r^k U_k| <= (k + 1) r^k.
    #[track_caller]
    fn clenshaw(&self, value: &Slots, i: usize) {
        let terms = self.normal.terms.iter().skip(i).enumerate();
        self.assume(value, |r| {
            terms
                .map(|(k, e)| e.abs() * (k + 1) as f64 * power(r, k))
                .sum()
        });
    }

    #[track_caller]
    fn result(&self, value: &Slots, p: &Polynomial) {
        self.assume(value, |_| p.coefficients().iter().map(|c| c.abs()).sum());
    }
}

/// Adds one number to entries and another to what is outside.
#[track_caller]
pub(super) fn add_inside(x: &Slots, layout: &Layout, inside: f64, outside: f64) -> Slots {
    let mut mask = filled(layout, 1.0);
    let full = mask.iter().flatten().all(|&m| m == 1.0);
    if full || inside == outside {
        return if inside == 0.0 {
            x.clone()
        } else {
            x.add_scalar(inside)
        };
    }
    for m in mask.iter_mut().flatten() {
        *m = if *m == 1.0 { inside } else { outside };
    }
    x.add_plain(mask)
}

#[track_caller]
fn without_constant(sum: &Sum, basis: &BTreeMap<usize, Slots>) -> Slots {
    let factors: Vec<Slots> = sum
        .products
        .iter()
        .map(|(q, _)| {
            let q_value = without_constant(q, basis);
            if q.constant == 0.0 {
                q_value
            } else {
                q_value.add_scalar(q.constant)
            }
        })
        .collect();
    let pairs: Vec<(&Slots, &Slots)> = factors
        .iter()
        .zip(&sum.products)
        .map(|(q, (_, m))| (q, &basis[m]))
        .collect();
    let products = match pairs.as_slice() {
        [(q, m)] => Some(q.multiply(m)),
        pairs => Slots::sum_of_products(pairs),
    };
    // What waits for its rescale first: it becomes one pending sum.
    let (free, pending): (Vec<_>, Vec<_>) = sum.scaled.iter().partition(|(e, _)| is_free(*e));
    let scaled = |terms: Vec<&(f64, usize)>| {
        terms
            .into_iter()
            .map(|(factor, i)| basis[i].multiply_scalar(*factor))
            .collect::<Vec<_>>()
    };
    let pending: Vec<Slots> = products.into_iter().chain(scaled(pending)).collect();
    let terms: Vec<Slots> = Slots::sum(&pending)
        .into_iter()
        .chain(scaled(free))
        .collect();
    // Sums without terms are constants, which are folded into others where a polynomial is split.
    Slots::sum(&terms).unwrap_or_else(|| basis[&1].multiply_integer(0))
}

/// b_i = e_i + y b_(i+1) - alpha b_(i+2), and the sum is y b_1 - 2 alpha b_2 + constant.
#[track_caller]
fn horner(y: &Slots, normal: &Normal, bounds: &Values<'_>) -> Slots {
    let degree = normal.terms.len() - 1;
    let mut b1 = y.multiply_scalar(normal.terms[degree]);
    // b_(i+2), of which the leading one is a number.
    let mut b2: Option<Slots> = None;
    let mut leading = normal.terms[degree];
    for i in (1..degree).rev() {
        let b = b1.add_scalar(normal.terms[i]);
        let last = i == 1;
        let alpha = if last {
            2.0 * normal.alpha
        } else {
            normal.alpha
        };
        let mut next = y.multiply(&b);
        if alpha != 0.0 {
            next = match &b2 {
                Some(b2) => next.sub(&b2.multiply_scalar(alpha)),
                None => next.add_scalar(-alpha * leading),
            };
            if !last {
                bounds.clenshaw(&next, i);
            }
        }
        leading = 0.0;
        b2 = Some(b);
        b1 = next;
    }
    b1
}
