//! Maps and numbers against their known answers.

use num_complex::Complex64;

use super::super::eval_mod::{MESSAGE_RATIO, REACH};
use super::super::maps::{Giant, Map, coefficients_to_slots, slots_to_coefficients, split};
use super::{Reduction, answers, reversed, toy};
use crate::{BootstrapPlan, encoding::Encoder};

fn apply(map: &Map, x: &[Complex64]) -> Vec<Complex64> {
    let at = |s: usize| {
        map.iter()
            .map(|(k, w)| w[s % w.len()] * x[(s + k) % x.len()])
            .sum()
    };
    (0..x.len()).map(at).collect()
}

fn apply_sums(giants: &[Giant], x: &[Complex64]) -> Vec<Complex64> {
    let len = x.len() as i64;
    let index = |s: usize, step: i64| (s as i64 + step).rem_euclid(len) as usize;
    let mut total = vec![Complex64::ZERO; x.len()];
    for giant in giants {
        let inner = |s: usize| -> Complex64 {
            giant
                .terms
                .iter()
                .map(|(k, w)| w[s % w.len()] * x[index(s, *k)])
                .sum()
        };
        for (s, total) in total.iter_mut().enumerate() {
            *total += inner(index(s, giant.step));
        }
    }
    total
}

fn far(a: &[Complex64], b: impl Iterator<Item = Complex64>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).norm())
        .fold(0.0, f64::max)
}

#[test]
fn stages_give_the_known_slots_and_undo_each_other() {
    for answer in answers().maps {
        let (values, stages) = (answer.values, answer.stages);
        let name = format!("{values} values in {stages} stages");
        let encoder = Encoder::new(values.trailing_zeros() + 1).unwrap();
        let forth = slots_to_coefficients(&encoder, values, stages, false);
        let back = coefficients_to_slots(&encoder, values, stages);
        let diagonals = |maps: &[Map]| maps.iter().map(Map::len).collect::<Vec<_>>();
        assert_eq!(diagonals(&forth), answer.to_coefficients, "{name}");
        assert_eq!(diagonals(&back), answer.to_slots, "{name}");
        let place = reversed(values);
        assert!(
            (0..values).all(|j| answer.coefficients[place(j)] == answer.z[j]),
            "{name}"
        );
        let z: Vec<_> = answer.z.iter().map(|&x| Complex64::from(x)).collect();
        let there = forth.iter().fold(z.clone(), |x, map| apply(map, &x));
        let known = answer.slots.iter().map(|&(re, im)| Complex64 { re, im });
        assert!(far(&there, known.cycle()) < 1e-11, "{name}");
        let n = values / 2;
        let pairs: Vec<_> = (0..values)
            .map(|s| Complex64::new(answer.z[s % n], answer.z[s % n + n]))
            .collect();
        let of_pairs = slots_to_coefficients(&encoder, values, stages, true);
        let from_pairs = of_pairs.iter().fold(pairs, |x, map| apply(map, &x));
        assert!(far(&there, from_pairs.into_iter()) < 1e-12, "{name}");
        let again = back.iter().fold(there, |x, map| apply(map, &x));
        // Half of the sum with the conjugate.
        assert!(far(&z, again.iter().map(|x| x.re.into())) < 1e-12, "{name}");
        // Sums of at most some rotations are the same maps.
        for (map, period) in forth
            .iter()
            .map(|m| (m, values))
            .chain(back.iter().map(|m| (m, values / 2)))
        {
            let whole = apply(map, &z);
            for most in [2, 4, 16, 32] {
                let giants = split(map, period, most);
                assert!(giants.iter().all(|g| g.terms.len() <= most));
                // A map of half of the period acts on what has that period.
                let x: Vec<_> = (0..values).map(|s| z[s % period]).collect();
                let whole = if period == values {
                    whole.clone()
                } else {
                    apply(map, &x)
                };
                assert!(
                    far(&whole, apply_sums(&giants, &x).into_iter()) < 1e-12,
                    "{name}, {most}"
                );
            }
        }
    }
}

/// The polynomial and the double angles in floating point.
fn reduced(numbers: &super::super::Numbers, v: f64) -> (f64, f64) {
    let w = v * v / 2.0 - 1.0;
    let (mut b1, mut b2) = (0.0, 0.0);
    for &c in numbers.polynomial.iter().skip(1).rev() {
        (b1, b2) = (2.0 * w * b1 - b2 + c, b1);
    }
    let c0 = w * b1 - b2 + numbers.polynomial[0];
    (c0, numbers.angles.iter().fold(c0, |c, angle| c * c - angle))
}

#[test]
fn the_reduction_has_the_known_values() {
    let answers = answers();
    let one = super::super::Numbers::new(1.0);
    let a0 = (2.0 * one.angles[0]).sqrt();
    for (ours, known) in one.polynomial.iter().zip(&answers.cosine) {
        assert!((ours / a0 - known).abs() < 1e-14, "{ours} {known}");
    }
    for Reduction {
        integer,
        message,
        v,
        c0,
        c3,
    } in answers.reduction
    {
        let name = format!("{integer} and {message}");
        let u = (f64::from(integer) + message / MESSAGE_RATIO - 0.25) / REACH;
        assert!((2.0 * u - v).abs() < 1e-14, "{name}");
        let (ours, all) = reduced(&one, v);
        // Beyond |u| = 1 coefficients' last digits show.
        let tolerance = if integer.abs() <= 13 { 1e-11 } else { 1e-3 };
        assert!(
            (ours - c0).abs() < tolerance && (all - c3).abs() < 100.0 * tolerance,
            "{name}"
        );
        if integer.abs() <= 13 {
            assert!((all - message).abs() < 2f64.powf(-23.9), "{name}: {all}");
        }
        // Eight times the bound, eight times the value.
        let (_, eight) = reduced(&super::super::Numbers::new(8.0), v);
        assert!((eight / 8.0 - all).abs() < 100.0 * tolerance, "{name}");
    }
}

#[test]
fn plans_count_their_rotations() {
    let params = toy(13, 17, 512);
    let plan = BootstrapPlan::new(&params, 512).unwrap();
    assert_eq!(
        plan.trace(),
        [vec![0, 256, 512, 768], vec![0, 1024, 2048, 3072]]
    );
    let raised: Vec<i64> = plan
        .rotations()
        .filter(|r| r.1 >= 26)
        .map(|r| r.0)
        .collect();
    // 6 of the trace, 15 of the first stage (one of them 128, which is -128 there), 30 of the second.
    assert_eq!(raised.len(), 6 + 15 + 30, "{raised:?}");
    assert_eq!(
        (plan.least_level(), plan.level(), plan.values()),
        (2, 17, 512)
    );
    assert_eq!(plan.keys().len(), plan.rotations().len() + 4);
}
