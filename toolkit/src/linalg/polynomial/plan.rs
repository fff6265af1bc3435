//! How a polynomial is split into products of ciphertexts.
//!
//! With m a basis index of at most the degree, P = Q E_m + R (division in the basis). Split by powers of two, a
//! polynomial of degree below 2^D has depth D: Q has degree below 2^(D-1), depth D - 1, and so has E_m. What is
//! below `baby` is a linear combination of E_1 .. E_(baby-1) (Paterson and Stockmeyer, SIAM J. Comput. 2(1), 1973). Its products
//! with numbers cost a level of their own; only the quotient of quotients, on the critical path, has no level to spare for them
//! and is split further, which costs about lg(baby) products more. Remainders meet in one sum: Q E_m + Q' E_m' + linear combination
//! is relinearized and rescaled once.

use std::collections::BTreeSet;

use super::{
    Cost, Method,
    normal::{Normal, power},
};
use crate::circuit::slots::is_free;

/// constant + sum of factor E_i + sum of Q E_m.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) constant: f64,
    pub(super) scaled: Vec<(f64, usize)>,
    pub(super) products: Vec<(Sum, usize)>,
}

/// E_(left + right) from E_left, E_right and E_(left - right); left is not below right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) left: usize,
    pub(super) right: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Elements in ascending order of their index, then the sum.
    Split { elements: Vec<Element>, sum: Sum },
    /// One coefficient after the other.
    Horner,
}

pub(super) fn ceil_log2(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

impl Plan {
    pub(super) fn new(normal: &Normal, method: Method) -> (Self, Cost) {
        let degree = normal.terms.len() - 1;
        let (most, least) = (ceil_log2(degree + 1), ceil_log2(degree.max(1)));
        let chosen = match method {
            Method::Horner => None,
            Method::PowerTree => split(normal, degree + 1, least + 1),
            Method::PatersonStockmeyer => split(normal, 1 << most.div_ceil(2), most),
            // A leading coefficient that is an integer may save the last level.
            Method::Auto => (least..=most).find_map(|levels| {
                (2..=degree + 1)
                    .filter_map(|baby| split(normal, baby, levels))
                    .min_by_key(|(_, cost)| (cost.products, cost.scalar_products))
            }),
        };
        let (plan, mut cost) = chosen.unwrap_or_else(|| (Self::Horner, horner(normal)));
        cost.levels += normal.levels();
        cost.scalar_products += normal.levels();
        (plan, cost)
    }
}

fn horner(normal: &Normal) -> Cost {
    let terms = &normal.terms;
    let degree = terms.len() - 1;
    let free = degree == 0 || is_free(terms[degree]);
    let by_alpha = (1..degree.saturating_sub(1))
        .filter(|&i| {
            !is_free(if i == 1 {
                2.0 * normal.alpha
            } else {
                normal.alpha
            })
        })
        .count();
    Cost {
        levels: degree.saturating_sub(usize::from(free)),
        products: degree.saturating_sub(1),
        scalar_products: usize::from(!free) + by_alpha,
    }
}

fn split(normal: &Normal, baby: usize, levels: usize) -> Option<(Plan, Cost)> {
    let sum = Splitter {
        alpha: normal.alpha,
        baby,
    }
    .split(&normal.terms, levels)?;
    let mut used = BTreeSet::new();
    sum.uses(&mut used);
    let elements = elements(&used, normal.alpha);
    let by_alpha = elements
        .iter()
        .filter(|e| e.left != e.right && !is_free(power(normal.alpha, e.right)))
        .count();
    let (products, scaled) = sum.count();
    let cost = Cost {
        levels: sum.depth(),
        products: products + elements.len(),
        scalar_products: scaled + by_alpha,
    };
    Some((Plan::Split { elements, sum }, cost))
}

struct Splitter {
    alpha: f64,
    baby: usize,
}

impl Splitter {
    /// A sum of at most this depth, if there is one.
    fn split(&self, terms: &[f64], levels: usize) -> Option<Sum> {
        let degree = terms.iter().rposition(|&e| e != 0.0).unwrap_or(0);
        let terms = &terms[..=degree];
        if ceil_log2(degree.max(1)) > levels {
            return None;
        }
        if degree < self.baby.max(2)
            && let Some(sum) = combination(terms, levels)
        {
            return Some(sum);
        }
        let mut giant = self.baby;
        while 2 * giant <= degree {
            giant *= 2;
        }
        let half = if degree < 2 {
            return None;
        } else {
            1 << degree.ilog2()
        };
        let candidates = [
            (giant <= degree).then_some(giant),
            (giant != half).then_some(half),
        ];
        candidates
            .into_iter()
            .flatten()
            .find_map(|m| self.split_at(terms, m, levels))
    }

    fn split_at(&self, terms: &[f64], m: usize, levels: usize) -> Option<Sum> {
        let (quotient, remainder) = divide(terms, m, self.alpha);
        let mut sum;
        if quotient.iter().skip(1).all(|&q| q == 0.0) {
            let q = quotient[0];
            if ceil_log2(m) + usize::from(!is_free(q)) > levels {
                return None;
            }
            sum = self.split(&remainder, levels)?;
            sum.scaled.push((q, m));
        } else {
            if ceil_log2(m) + 1 > levels {
                return None;
            }
            let q = self.split(&quotient, levels - 1)?;
            sum = self.split(&remainder, levels)?;
            sum.products.push((q, m));
        }
        Some(sum)
    }
}

/// A linear combination of elements, if products with its coefficients fit the depth.
fn combination(terms: &[f64], levels: usize) -> Option<Sum> {
    let mut sum = Sum {
        constant: terms[0],
        ..Sum::default()
    };
    for (i, &e) in terms.iter().enumerate().skip(1) {
        if e == 0.0 {
            continue;
        }
        if ceil_log2(i) + usize::from(!is_free(e)) > levels {
            return None;
        }
        sum.scaled.push((e, i));
    }
    Some(sum)
}

/// Quotient and remainder by E_m. E_m E_j = E_(m+j) + alpha^min E_|m-j|, E_m^2 = E_2m + 2 alpha^m.
fn divide(terms: &[f64], m: usize, alpha: f64) -> (Vec<f64>, Vec<f64>) {
    let mut rest = terms.to_vec();
    let mut quotient = vec![0.0; terms.len() - m];
    for i in (m + 1..terms.len()).rev() {
        let (j, e) = (i - m, rest[i]);
        quotient[j] = e;
        if e != 0.0 {
            let factor = if j == m { 2.0 } else { 1.0 };
            rest[m.abs_diff(j)] -= factor * power(alpha, m.min(j)) * e;
        }
    }
    quotient[0] = rest[m];
    rest.truncate(m);
    (quotient, rest)
}

impl Sum {
    fn uses(&self, used: &mut BTreeSet<usize>) {
        used.extend(self.scaled.iter().map(|s| s.1));
        for (q, m) in &self.products {
            used.insert(*m);
            q.uses(used);
        }
    }

    fn depth(&self) -> usize {
        let scaled = self
            .scaled
            .iter()
            .map(|&(e, i)| ceil_log2(i) + usize::from(!is_free(e)));
        let products = self
            .products
            .iter()
            .map(|(q, m)| 1 + q.depth().max(ceil_log2(*m)));
        scaled.chain(products).max().unwrap_or(0)
    }

    /// Products of ciphertexts, and with numbers that cost a level.
    fn count(&self) -> (usize, usize) {
        let scaled = self.scaled.iter().filter(|s| !is_free(s.0)).count();
        self.products
            .iter()
            .map(|(q, _)| q.count())
            .fold((self.products.len(), scaled), |a, b| (a.0 + b.0, a.1 + b.1))
    }
}

/// How the elements in use come from others, each at its least depth, adding as few as a greedy choice finds.
fn elements(used: &BTreeSet<usize>, alpha: f64) -> Vec<Element> {
    let mut needed = used.clone();
    let mut elements = vec![];
    // The largest that is left; what it needs is smaller.
    let mut below = usize::MAX;
    while let Some(&i) = needed.range(2..below.max(2)).next_back() {
        let half = i.next_power_of_two() / 2;
        let missing = |left: usize| {
            let right = i - left;
            let lower = if alpha == 0.0 { 0 } else { left - right };
            [left, right, lower]
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .filter(|&j| j > 1 && !needed.contains(&j))
                .count()
        };
        // The first of equals is the nearest to a square.
        let left = (i.div_ceil(2)..=half)
            .min_by_key(|&left| missing(left))
            .unwrap_or(half);
        let element = Element {
            left,
            right: i - left,
        };
        needed.insert(left);
        needed.insert(i - left);
        if alpha != 0.0 {
            needed.insert(left - element.right);
        }
        elements.push(element);
        below = i;
    }
    elements.reverse();
    elements
}
