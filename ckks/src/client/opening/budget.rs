//! What an opening costs, what there is to spend, and what the noise promises.

use super::{Opening, OpeningError};
use crate::{
    CkksErrorKind, NoiseModel, Result,
    client::decrypt::LIMBS,
    params::{Parameters, Security, max_log2_qp},
};

/// Entropy of a normal variable of deviation 1, `log2(2 pi e) / 2`, rounded down.
const NORMAL_BITS: f64 = 2.047;
/// Entropy of a coordinate of the secret, log2(3), rounded down.
const TERNARY_BITS: f64 = 1.584;
/// An error stays below this many of its standard deviations.
const TAIL: f64 = 8.0;
/// The modulus is at least so many deviations of the noise: eight to each side, and half of it for the value.
const ROOM: f64 = 32.0;

/// What an opening costs and gives.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OpeningTerms {
    /// Standard deviation of the noise of a coefficient.
    pub sigma: f64,
    /// `2 log2(sigma / (beta sqrt(12 tau 2p)))` for period p and tau declared queries, beta being 8 times the root mean square error
    /// of an opened coefficient: the noise is `sqrt(12 tau 2p) 2^(lambda / 2)` times a bound on the error, which gives lambda bits of
    /// statistical security in ePrint 2022/816. It supposes that all of a slot's error lies in the opened coefficients.
    pub lambda: f64,
    /// Coordinates of the secret that one ciphertext is booked for.
    pub coordinates: u64,
}

impl Opening {
    /// What opening a ciphertext of `level` would cost and give, with a ledger of so many `queries`. A ciphertext of which
    /// [moduli were dropped](crate::Evaluator::drop_moduli) costs less.
    ///
    /// # Errors
    /// As [`Decryptor::open_for_others`](crate::Decryptor::open_for_others).
    pub fn terms(&self, params: &Parameters, level: usize, queries: u32) -> Result<OpeningTerms> {
        params.check_level(level)?;
        let window = params.moduli().get(params.window(level));
        let mut moduli = window.unwrap_or_default().to_vec();
        moduli.sort_unstable_by(|a, b| b.cmp(a));
        moduli.truncate(LIMBS);
        self.modulo(params, level, &moduli, queries)
    }

    /// [`Self::terms`] of a ciphertext that is decrypted modulo these primes.
    pub(super) fn modulo(
        &self,
        params: &Parameters,
        level: usize,
        moduli: &[u32],
        queries: u32,
    ) -> Result<OpeningTerms> {
        let most = params.slots() / 2;
        if !(self.period.is_power_of_two() && self.period <= most) {
            let period = self.period;
            return Err(OpeningError::NotPeriodic { period, most }.into());
        }
        // One of fresh encryptions is the least that a result can have.
        let least = NoiseModel::new(params).encryption(level)?;
        if !(least..f64::INFINITY).contains(&self.error) {
            return Err(CkksErrorKind::OutOfRange {
                what: "error",
                value: self.error,
                range: format!("finite numbers from {least:.3e}, the error of a fresh encryption"),
            }
            .into());
        }
        let log2_q: f64 = moduli.iter().map(|&q| f64::from(q).log2()).sum();
        // The real part of a slot is a sum of 2p coefficients times cosines: half of their variances.
        let unit = (params.scale(level) / (self.period as f64).sqrt()).log2();
        let log2_sigma = unit - self.bits;
        let (low, high) = (unit - (log2_q - ROOM.log2()), unit);
        if !(low..=high).contains(&self.bits) {
            return Err(CkksErrorKind::OutOfRange {
                what: "bits",
                value: self.bits,
                range: format!(
                    "{low:.1} to {high:.1}, where the noise is above the unit and fits the modulus"
                ),
            }
            .into());
        }
        let lambda = lambda(self.bits, self.error, self.period, queries);
        // Nothing is enough for a demand that is not a number.
        let enough = lambda >= self.least_lambda;
        if !enough {
            let missing = self.least_lambda - lambda;
            return Err(OpeningError::Lambda {
                asked: self.least_lambda,
                given: lambda,
                bits: self.bits - missing / 2.0,
                scale_bits: missing / 2.0,
                missing,
            }
            .into());
        }
        let each = if self.audited {
            1.0
        } else {
            coordinates_each(log2_q, log2_sigma)
        };
        Ok(OpeningTerms {
            sigma: log2_sigma.exp2(),
            lambda,
            coordinates: (2.0 * self.period as f64 * each).ceil() as u64,
        })
    }
}

/// Coordinates that an opened coefficient of a chosen ciphertext can give.
fn coordinates_each(log2_q: f64, log2_sigma: f64) -> f64 {
    ((log2_q - log2_sigma - NORMAL_BITS) / TERNARY_BITS).max(1.0)
}

fn lambda(bits: f64, error: f64, period: usize, queries: u32) -> f64 {
    // Noise and error are both given in the real part of a slot: the factor to a coefficient is the same.
    let coefficients = 2.0 * period as f64;
    let flood = TAIL * (12.0 * f64::from(queries) * coefficients).sqrt();
    -2.0 * (bits + error.log2() + flood.log2())
}

/// How many coordinates of a secret key of these parameters may be opened in all: the most h with
/// `log2(QP) <= table (1 - h / N)`, the table being [`max_log2_qp`]. Parameters that fill the table leave nothing; a level less leaves
/// room. All coordinates for [`Security::InsecureForTests`], which protects nothing.
pub fn opening_budget(params: &Parameters) -> u64 {
    match (params.security(), max_log2_qp(params.log_n())) {
        (Security::Classical128, Some(table)) => budget(params.n(), params.log2_qp(), table),
        _ => params.n() as u64,
    }
}

fn budget(n: usize, log2_qp: f64, table: u32) -> u64 {
    // A cast of what is negative gives zero.
    (n as f64 * (1.0 - log2_qp / f64::from(table))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known figures, to one place after the point.
    #[test]
    fn known_values_of_the_count() {
        for (log2_qp, want) in [
            (859.0, 339),
            (802.0, 2491),
            (686.0, 6870),
            (868.0, 0),
            (900.0, 0),
        ] {
            assert_eq!(budget(1 << 15, log2_qp, 868), want, "{log2_qp}");
        }
        // Bits, owners, opened coefficients, coordinates each: log2 Q filled up to values of 8.
        for (bits, owners, opened, want) in [
            (6.0, 2, 32, 6.7),
            (6.0, 5, 32, 7.1),
            (6.0, 20, 64, 8.0),
            (8.0, 2, 32, 7.9),
            (8.0, 5, 32, 8.4),
            (8.0, 20, 64, 9.3),
            (10.0, 2, 32, 9.2),
            (10.0, 5, 32, 9.6),
            (10.0, 20, 64, 10.6),
        ] {
            let sigma = 38.8 - bits - f64::from(owners * opened / 2).log2() / 2.0;
            let got = coordinates_each(42.94, sigma);
            assert!((got - want).abs() < 0.06, "{bits} {owners} {opened}: {got}");
        }
        assert_eq!(coordinates_each(30.0, 28.0), 1.0);
    }

    /// Among n owners each adds 1/sqrt(n) of the noise, that is log2(n) / 2 bits more.
    #[test]
    fn known_values_of_lambda() {
        let rows = [
            (-21.3, [11.0, 9.0, 7.0, 6.0]),
            (-31.0, [30.0, 28.0, 26.0, 25.0]),
            (-40.7, [50.0, 47.0, 45.0, 44.0]),
        ];
        for (log2_error, row) in rows {
            for ((opened, owners), want) in [(32, 2.0f64), (64, 5.0), (64, 20.0), (512, 5.0)]
                .into_iter()
                .zip(row)
            {
                for (bits, want) in [(8.0, want), (12.0, want - 8.0)] {
                    let bits = bits + owners.log2() / 2.0;
                    let got = lambda(bits, f64::exp2(log2_error), opened / 2, 1);
                    assert!(
                        (got - want).abs() < 0.6,
                        "{log2_error} {opened} {owners}: {got}"
                    );
                }
            }
        }
        // Four times the queries, or the period, are two bits less.
        let base = lambda(8.0, 1e-6, 16, 10);
        assert!((lambda(8.0, 1e-6, 16, 40) - base + 2.0).abs() < 1e-9);
        assert!((lambda(8.0, 1e-6, 64, 10) - base + 2.0).abs() < 1e-9);
    }
}
