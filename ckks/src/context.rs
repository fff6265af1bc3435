//! Parameters on an engine.

use std::sync::Arc;

use arras_hal::{
    Backend, KeySwitchSpec, LimbConstants, Limbs, Ring, RingBasis, RingSpec, StopToken,
};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use crate::{
    CkksError, CkksErrorKind, Result, encoding::Encoder, keys::KeyKind, params::Parameters,
};

/// Parameters with everything that is prepared once for them: the ring on an engine, the encoder's tables, the
/// windows. Clones share it.
///
/// Ciphertexts and keys belong to the context they were made with. They move between contexts (client and server, CPU and GPU)
/// through their serialized forms; within a process, ciphertexts move by [`Ciphertext::to_context`](crate::Ciphertext::to_context).
pub struct Context<B: Backend> {
    inner: Arc<Inner<B>>,
    stop: StopToken,
}

struct Inner<B: Backend> {
    params: Parameters,
    ring: Arc<Ring<B>>,
    encoder: Encoder,
    switching: KeySwitchSpec,
    windows: Vec<Limbs>,
}

impl<B: Backend> Clone for Context<B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            stop: self.stop.clone(),
        }
    }
}

impl<B: Backend> std::fmt::Debug for Context<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Context({:?}, {} levels)",
            self.inner.ring,
            self.max_level()
        )
    }
}

impl<B: Backend> Context<B> {
    /// Prepares `engine` for `params`.
    ///
    /// # Errors
    /// If the engine has no memory for its tables or has failed.
    pub fn new(params: &Parameters, engine: B) -> Result<Self> {
        let spec = RingSpec {
            log_n: params.log_n(),
            moduli: params.moduli().to_vec(),
        };
        let basis = RingBasis::new(&spec)?;
        let ring = Ring::new(engine, &basis)?;
        let windows = (0..=params.raised_level())
            .map(|l| Limbs::new(params.window(l)))
            .collect();
        let switching = crate::keys::switching(params, KeyKind::Relinearization);
        let encoder = Encoder::new(params.log_n())?;
        let params = params.clone();
        Ok(Self {
            inner: Arc::new(Inner {
                params,
                ring,
                encoder,
                switching,
                windows,
            }),
            stop: StopToken::new(),
        })
    }

    /// The same context for calls that this token stops: making and loading keys, encrypting, expanding, and the runs of a toolkit on
    /// it. Keys and ciphertexts made with it hold it, too, and go together with those of the context it is made from.
    #[must_use]
    pub fn with_stop_token(mut self, token: StopToken) -> Self {
        self.stop = token;
        self
    }

    /// # Errors
    /// [`CkksErrorKind::Stopped`] once the token was set: long calls ask between groups of work.
    pub(crate) fn stopped(&self) -> Result<()> {
        Ok(self.stop.check()?)
    }

    /// What stops long calls on this context.
    pub fn stop_token(&self) -> &StopToken {
        &self.stop
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.inner.params
    }

    /// The ring on the engine.
    pub fn ring(&self) -> &Arc<Ring<B>> {
        &self.inner.ring
    }

    /// The engine.
    pub fn engine(&self) -> &B {
        self.inner.ring.engine()
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.inner.encoder
    }

    /// N/2: values per ciphertext.
    pub fn slots(&self) -> usize {
        self.inner.params.slots()
    }

    /// The highest level: how many multiplications in a row a fresh ciphertext allows.
    pub fn max_level(&self) -> usize {
        self.inner.params.max_level()
    }

    /// Digit groups and special limbs.
    pub(crate) fn switching(&self) -> &KeySwitchSpec {
        &self.inner.switching
    }

    /// The limbs of a level.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`].
    pub fn window(&self, level: usize) -> Result<&Limbs> {
        self.window_up_to(self.max_level(), level)
    }

    /// The limbs of a level, of those that are for bootstrapping, too.
    pub(crate) fn raised_window(&self, level: usize) -> Result<&Limbs> {
        self.window_up_to(self.params().raised_level(), level)
    }

    fn window_up_to(&self, most: usize, level: usize) -> Result<&Limbs> {
        let error = CkksErrorKind::LevelTooHigh { level, most };
        let windows = self.inner.windows.get(..=most).unwrap_or_default();
        Ok(windows.get(level).ok_or(error)?)
    }

    /// An integer modulo each of `limbs`.
    pub(crate) fn integer_constants(&self, value: &BigInt, limbs: &Limbs) -> LimbConstants {
        let negative = value.sign() == Sign::Minus;
        self.inner.ring.basis().constants(limbs, |q| {
            let residue = (value.magnitude() % q.value()).to_u32().unwrap_or(0);
            if negative { q.neg(residue) } else { residue }
        })
    }

    /// (modulus, limb) of a list of limbs, the largest moduli first: few of them hold large values.
    pub(crate) fn largest_first(&self, limbs: &Limbs) -> Vec<(u32, usize)> {
        let mut order: Vec<(u32, usize)> = self
            .moduli_of(limbs)
            .into_iter()
            .zip(limbs.iter())
            .collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        order
    }

    /// The moduli of a list of limbs.
    pub(crate) fn moduli_of(&self, limbs: &Limbs) -> Vec<u32> {
        limbs
            .iter()
            .map(|i| self.inner.ring.basis().modulus(i).value())
            .collect()
    }

    /// Whether two contexts are the same object (ciphertexts of different contexts do not mix).
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn check_same(&self, other: &Self) -> Result<()> {
        if self.is(other) {
            return Ok(());
        }
        if self.params().fingerprint() == other.params().fingerprint() {
            return Err(CkksErrorKind::WrongForm {
                have: "of another context with the same parameters",
                remedy: "make both with one Context, or move it over with Ciphertext::to_context",
            }
            .into());
        }
        Err(parameters_mismatch(self.params(), other.params()))
    }
}

pub(crate) fn parameters_mismatch(left: &Parameters, right: &Parameters) -> CkksError {
    CkksErrorKind::ParametersMismatch {
        left: abbreviate(&left.fingerprint()),
        right: abbreviate(&right.fingerprint()),
    }
    .into()
}

/// The first eight hexadecimal digits of a fingerprint.
pub(crate) fn abbreviate(fingerprint: &[u8; 32]) -> String {
    fingerprint
        .iter()
        .take(4)
        .map(|b| format!("{b:02x}"))
        .collect()
}
