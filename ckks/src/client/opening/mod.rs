//! Opening results for others: values that leave the owner's hands.
//!
//! A CKKS decryption contains the ciphertext's error, which depends on the secret key, and who computes the ciphertext chooses how:
//! times an integer K, or with a second component of its own, two decryptions with noise of the size of an honest error give the
//! whole key. Noise alone does not help, because a ciphertext that is made new with an encryption of zero gets new noise, and
//! noise averages out. So what is opened is **counted**, and noise comes on top:
//!
//! ```text
//!   a result whose slots repeat with period p lives in the subring of X^(N / 2p)
//!
//!   coefficient  0 . . . . . . . N/2p . . . . . . . 2N/2p . . .          N = 16, p = 1: positions 0 and 8
//!                |               |                  |
//!                +---------------+------------------+---  2p of N coefficients of c0 + c1 s are opened, all others
//!                                                         never enter what is returned
//!
//!   opening  =  count (Ledger, synced first)  ->  coefficients + noise, modulo Q  ->  p values
//! ```
//!
//! 1. **The count.** Through additive normal noise of deviation sigma an opened coefficient tells at most `log2(Q / sigma) - 2.05` bits,
//!    whatever the ciphertext is; a coordinate of the secret has 1.585. An opening is booked as `h = 2p c` coordinates, `c` being their
//!    quotient, or 1 for an audited ciphertext ([`Opening::audited`]). A secret of which h coordinates are known is one of N - h, so the
//!    security table has to be met there: `log2(QP) <= table (1 - h / N)` ([`opening_budget`]). A [`Ledger`] refuses what exceeds it.
//! 2. **The noise.** Normal, its real part 2^-bits in a slot, drawn from a pseudorandom function of the secret key and the
//!    ciphertext: the same request gives the same values and is counted once. What it promises is
//!    [`lambda`](OpeningTerms::lambda).
//!
//! Sources: Li and Micciancio, ePrint 2020/1533 (the attack); Li, Micciancio, Schultz and Sorrell, ePrint 2022/816 (the size of the
//! noise); Guo, Nabokov, Suvanto and Johansson, USENIX Security 2024 (key recovery where noise is sized by the average case); ePrint
//! 2025/395 (what smudging by several parties gives).

mod budget;
mod error;
mod ledger;
mod noise;
mod storage;

pub use budget::{OpeningTerms, opening_budget};
pub use error::OpeningError;
pub use ledger::{Ledger, LedgerAccount, LedgerChange, MAX_QUERIES};
pub use storage::{LedgerFile, LedgerInMemoryForTests};

use arras_hal::SecretEngine;
use zeroize::Zeroizing;

use self::{
    ledger::Record,
    noise::{OpeningSecret, Rounding, digests},
};
use super::Decryptor;
use crate::{Ciphertext, CkksError, CkksErrorKind, Result, encoding::compose_integers};

/// A request to open a ciphertext for others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    period: usize,
    bits: f64,
    error: f64,
    least_lambda: f64,
    audited: bool,
}

impl Opening {
    /// A request for the `period` values of a vector whose slots repeat with that period, with noise of deviation `2^-bits` in each.
    ///
    /// `error` is a bound on the standard deviation of the result's own error in the real part of a slot, as
    /// [`NoiseModel`](crate::NoiseModel) gives it for each step: the circuit's error for the **worst values that its inputs are
    /// declared to have**. A bootstrap's part of it is [`NoiseModel::bootstrap`](crate::NoiseModel::bootstrap) at the bound that the
    /// owner's own plan has, never at one that a server names. It must never come from data, from a run on plaintext or from a decryption: an error measured on typical
    /// values is what the attack of USENIX Security 2024 lives on. `lambda` says nothing if it is too low.
    ///
    /// If the slots do not repeat, what is returned is the mean over the slots `j`, `j + period`, `j + 2 period`, ...
    pub fn new(period: usize, bits: f64, error: f64) -> Self {
        Self {
            period,
            bits,
            error,
            least_lambda: 0.0,
            audited: false,
        }
    }

    /// Refuses what gives a smaller lambda than this, 0 unless said. A negative one accepts noise below the error bound: then the
    /// count alone protects the key.
    #[must_use]
    pub fn least_lambda(mut self, lambda: f64) -> Self {
        self.least_lambda = lambda;
        self
    }

    /// Asserts that the ciphertext is what the declared circuit gives for the owner's own encrypted inputs: made by the owner,
    /// or recomputed by it or by somebody it trusts, and compared residue by residue. A server's word is no audit.
    ///
    /// Then an opened coefficient is one noisy equation about a pseudorandom combination of the secret's coordinates, and counts as
    /// one. A ciphertext that a server chose gives several coordinates in each coefficient; with this assertion made falsely,
    /// the count is too low by that factor.
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.audited = true;
        self
    }
}

/// Values that others may see.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Opened {
    /// The values of every ciphertext of the batch, as many as the period.
    pub values: Vec<Vec<f64>>,
    /// What the noise is and what it promises.
    pub terms: OpeningTerms,
    /// What the ledger holds after this opening.
    pub account: LedgerAccount,
}

impl<S: SecretEngine> Decryptor<'_, S> {
    /// Decrypts the real parts of a periodic result with noise, for others to see, and counts it.
    ///
    /// Promised, if `ledger` is the only one that this key ever had: all openings together tell no more about the secret
    /// key than [`opening_budget`] coordinates of it, whatever the ciphertexts are; the parameters were checked to be secure without
    /// those. (That as many bits hurt no more than known coordinates is a heuristic; the number of bits is proved.) Against ciphertexts
    /// that satisfy the request's error bound, the openings of the declared number of queries are as good as
    /// [`lambda`](OpeningTerms::lambda) says (ePrint 2022/816).
    ///
    /// Not promised: anything about what the values themselves say; that a ciphertext is what the server claims (it may be another
    /// one of yours: audit it); secrecy from whoever has the key file; protection by a ledger that was restored from a backup.
    ///
    /// The opening is in the ledger, synced, before this returns: what fails or is killed in between has used it up, and may be
    /// asked for again, because the same request gives the same values and is counted once. Each ciphertext of a batch counts for itself.
    /// Nothing that is refused depends on decrypted values: whether they can be a result at all is for the key's owner to see first, who decrypts
    /// with [`Decryptor::decrypt`].
    ///
    /// The modulus counts: take a result down to level 0, or [drop its moduli](crate::Evaluator::drop_moduli), before it is opened.
    ///
    /// # Errors
    /// [`CkksErrorKind::Opening`] for a result that is not periodic, a spent budget, a lambda below the demand, a ledger that cannot be
    /// used; [`CkksErrorKind::OutOfRange`] for bits or an error bound that cannot be; [`CkksErrorKind::WrongForm`] for a product
    /// that is not rescaled; [`CkksErrorKind::ParametersMismatch`]; the engine's.
    pub fn open_for_others(
        &self,
        ct: &Ciphertext<S>,
        request: &Opening,
        ledger: &mut dyn Ledger,
    ) -> Result<Opened> {
        CkksError::within("open_for_others", || {
            let context = self.key().context();
            context.check_same(ct.context())?;
            if ct.is_pending() || ct.components() != 2 {
                return Err(CkksErrorKind::WrongForm {
                    have: "a product that was not rescaled",
                    remedy: "call Evaluator::relinearize_and_rescale first",
                }
                .into());
            }
            let params = context.params();
            let limbs = self.enough_limbs(ct.limbs());
            let moduli = context.moduli_of(&limbs);
            let secret = OpeningSecret::new(self.key());
            let digests = digests(ct, request)?;
            let mut booked = None;
            ledger.update(&mut |kept| {
                let mut record = Record::read(kept, &secret, params)?;
                let terms = request.modulo(params, ct.level(), &moduli, record.queries())?;
                record.charge(&digests, terms.coordinates, opening_budget(params))?;
                booked = Some((terms, record.account(params)));
                // Written again where nothing is new: an earlier attempt may have failed before it was synced.
                Ok(Some(record.write(&secret)?))
            })?;
            let (terms, account) = booked.ok_or(OpeningError::NotRecorded)?;

            let n = params.n();
            let step = n / (2 * request.period);
            let rounding = Rounding::new(&moduli, terms.sigma);
            let words = self.residues(ct, &limbs)?;
            let mut values = Vec::with_capacity(digests.len());
            for (rows, digest) in words.chunks_exact(limbs.len() * n).zip(&digests) {
                let opened: Vec<Zeroizing<Vec<u32>>> = rows
                    .chunks_exact(n)
                    .map(|row| Zeroizing::new(row.iter().step_by(step).copied().collect()))
                    .collect();
                let opened: Vec<&[u32]> = opened.iter().map(|row| row.as_slice()).collect();
                let exact = Zeroizing::new(compose_integers(&opened, &moduli)?);
                let noise = secret.noise(digest, terms.sigma, exact.len());
                let mut coefficients = vec![0.0; n];
                let places = coefficients.iter_mut().step_by(step);
                for ((place, &x), &e) in places.zip(exact.iter()).zip(noise.iter()) {
                    *place = rounding.add(x, e);
                }
                let mut slots = context.encoder().decode_real(&coefficients, ct.scale())?;
                slots.truncate(request.period);
                values.push(slots);
            }
            Ok(Opened {
                values,
                terms,
                account,
            })
        })
    }

    /// What a ledger of this key holds.
    ///
    /// # Errors
    /// As [`Decryptor::open_for_others`] for a ledger that cannot be used.
    pub fn ledger_account(&self, ledger: &mut dyn Ledger) -> Result<LedgerAccount> {
        CkksError::within("ledger_account", || {
            let params = self.key().context().params();
            let secret = OpeningSecret::new(self.key());
            let mut account = None;
            ledger.update(&mut |kept| {
                account = Some(Record::read(kept, &secret, params)?.account(params));
                Ok(None)
            })?;
            Ok(account.ok_or(OpeningError::NotRecorded)?)
        })
    }
}
