//! Headers, and the checks of everything in them.

use arras_hal::{GaloisElement, Limbs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::super::{Limits, ObjectKind, WireError, packed_ternary_len};
use crate::{
    Plaintext, PlaintextUse, PublicKey, Result,
    keys::{KeyKind, layout, limbs_and_moduli},
    params::{MAX_MAINS, MAX_TERMINALS, Parameters, ParametersSpec, bounded::at_most},
    random::PublicSeed,
};

/// A header that knows its parameters and its payload.
pub(super) trait Header: Serialize + DeserializeOwned {
    const KIND: ObjectKind;

    fn spec(&self) -> &ParametersSpec;

    /// Checks every field against the parameters; the bytes of the payload that they imply.
    fn payload_len(&self, params: &Parameters) -> Result<u64>;
}

/// Limbs of the largest window.
const MOST_LIMBS: usize = MAX_MAINS + MAX_TERMINALS;

fn in_range(what: &'static str, value: u64, most: usize) -> Result<usize, WireError> {
    match usize::try_from(value) {
        Ok(small) if small <= most => Ok(small),
        _ => Err(WireError::OutOfBounds {
            what,
            value,
            least: 0,
            most: most as u64,
        }),
    }
}

fn moduli(params: &Parameters, limbs: &Limbs) -> Vec<u32> {
    limbs_and_moduli(params, limbs)
        .into_iter()
        .map(|(_, modulus)| modulus)
        .collect()
}

fn rows_len(params: &Parameters, limbs: &Limbs, polys: usize) -> Result<u64, WireError> {
    Limits::default().rows_len(params.n(), &moduli(params, limbs), polys)
}

/// The limbs of a level that the parameters have.
fn window(params: &Parameters, level: u32) -> Result<Limbs, WireError> {
    let level = in_range("level", u64::from(level), params.max_level())?;
    Ok(Limbs::new(params.window(level)))
}

/// Limbs with their moduli, and how many polynomials have them.
pub(super) struct Dimensions {
    pub(super) limbs: Limbs,
    pub(super) moduli: Vec<u32>,
    pub(super) polys: usize,
}

impl Dimensions {
    fn new(params: &Parameters, limbs: Limbs, polys: usize) -> Self {
        Self {
            moduli: moduli(params, &limbs),
            limbs,
            polys,
        }
    }
}

macro_rules! spec_is_field {
    ($kind:ident) => {
        const KIND: ObjectKind = ObjectKind::$kind;

        fn spec(&self) -> &ParametersSpec {
            &self.spec
        }
    };
}

#[derive(Serialize, Deserialize)]
pub(super) struct SecretKeyHeader {
    pub(super) spec: ParametersSpec,
}

impl Header for SecretKeyHeader {
    spec_is_field!(SecretKey);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        Ok(packed_ternary_len(params.n()) as u64)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PublicKeyHeader {
    pub(super) spec: ParametersSpec,
    pub(super) seed: PublicSeed,
}

impl PublicKeyHeader {
    pub(super) fn dimensions(params: &Parameters) -> Dimensions {
        Dimensions::new(params, PublicKey::limbs(params), 1)
    }
}

impl Header for PublicKeyHeader {
    spec_is_field!(PublicKey);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        Ok(rows_len(params, &PublicKey::limbs(params), 1)?)
    }
}

/// A switching key of a list, without its rows.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct KeyEntry {
    /// [`KeyKind::code`].
    pub(super) kind: u32,
    pub(super) level_budget: u32,
    pub(super) seed: PublicSeed,
}

impl KeyEntry {
    pub(super) fn kind(&self, params: &Parameters) -> Result<KeyKind> {
        Ok(match self.kind {
            0 => KeyKind::Relinearization,
            element => KeyKind::Galois(GaloisElement::new(u64::from(element), params.log_n())?),
        })
    }

    pub(super) fn level_budget(&self, params: &Parameters) -> Result<usize, WireError> {
        let budget = u64::from(self.level_budget);
        in_range("level budget of the key", budget, params.max_level())
    }

    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        let layout = layout(params, self.level_budget(params)?);
        Ok(Dimensions::new(params, layout.limbs, layout.digits))
    }

    pub(super) fn payload_len(&self, params: &Parameters) -> Result<u64> {
        self.kind(params)?;
        let dimensions = self.dimensions(params)?;
        Ok(rows_len(params, &dimensions.limbs, dimensions.polys)?)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SwitchingKeyHeader {
    pub(super) spec: ParametersSpec,
    pub(super) entry: KeyEntry,
}

impl Header for SwitchingKeyHeader {
    spec_is_field!(SwitchingKey);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        self.entry.payload_len(params)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EvaluationKeysHeader {
    pub(super) spec: ParametersSpec,
    /// Ascending by kind, each kind once.
    pub(super) keys: Vec<KeyEntry>,
}

impl Header for EvaluationKeysHeader {
    spec_is_field!(EvaluationKeys);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        let mut total = 0u64;
        let mut least = 0;
        for key in &self.keys {
            if u64::from(key.kind) < least {
                return Err(WireError::OutOfBounds {
                    what: "kind of the next key (keys are listed in ascending order)",
                    value: u64::from(key.kind),
                    least,
                    most: 2 * params.n() as u64 - 1,
                }
                .into());
            }
            least = u64::from(key.kind) + 1;
            total = total
                .checked_add(key.payload_len(params)?)
                .ok_or(WireError::SizeOverflow { what: "keys" })?;
        }
        Ok(total)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PlaintextHeader {
    pub(super) spec: ParametersSpec,
    pub(super) level: u32,
    /// For weighted sums of rotations: over the special limbs too.
    pub(super) weights: bool,
    pub(super) batch: u32,
}

impl PlaintextHeader {
    pub(super) fn purpose(&self) -> PlaintextUse {
        let level = self.level as usize;
        if self.weights {
            PlaintextUse::Weight(level)
        } else {
            PlaintextUse::Level(level)
        }
    }

    pub(super) fn of<B: arras_hal::Backend>(plaintext: &Plaintext<B>) -> Self {
        let (level, weights) = match plaintext.purpose() {
            PlaintextUse::Level(level) => (level, false),
            PlaintextUse::Weight(level) => (level, true),
        };
        Self {
            spec: plaintext.context.params().spec().clone(),
            level: number(level),
            weights,
            batch: number(plaintext.batch()),
        }
    }

    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        let mut limbs = window(params, self.level)?;
        if self.weights {
            limbs = limbs.union(&Limbs::new(params.special_range()));
        }
        let batch = Limits::default().batch(u64::from(self.batch))?;
        Ok(Dimensions::new(params, limbs, batch))
    }
}

impl Header for PlaintextHeader {
    spec_is_field!(Plaintext);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        let dimensions = self.dimensions(params)?;
        Ok(rows_len(params, &dimensions.limbs, dimensions.polys)?)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SeededCiphertextHeader {
    pub(super) spec: ParametersSpec,
    pub(super) level: u32,
    pub(super) batch: u32,
    pub(super) seed: PublicSeed,
}

impl SeededCiphertextHeader {
    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        let batch = Limits::default().batch(u64::from(self.batch))?;
        Ok(Dimensions::new(params, window(params, self.level)?, batch))
    }
}

impl Header for SeededCiphertextHeader {
    spec_is_field!(SeededCiphertext);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        let dimensions = self.dimensions(params)?;
        Ok(rows_len(params, &dimensions.limbs, dimensions.polys)?)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CiphertextHeader {
    pub(super) spec: ParametersSpec,
    pub(super) level: u32,
    pub(super) batch: u32,
    pub(super) components: u32,
    pub(super) pending: bool,
    /// Ascending; the window of the level (one up for a pending product) or, if settled, a part of it.
    #[serde(deserialize_with = "at_most::<MOST_LIMBS, _, _>")]
    pub(super) limbs: Vec<u16>,
}

impl CiphertextHeader {
    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        let window_level = u64::from(self.level) + u64::from(self.pending);
        let window_level = in_range("level of the limbs", window_level, params.max_level())?;
        let window = params.window(window_level);
        let mut next = window.start;
        for (position, &limb) in self.limbs.iter().enumerate() {
            if !(next..window.end).contains(&usize::from(limb)) {
                return Err(WireError::LimbList {
                    kind: Self::KIND,
                    position,
                    limb,
                    first: window.start,
                    last: window.end.saturating_sub(1),
                });
            }
            next = usize::from(limb) + 1;
        }
        let fewest = if self.pending { window.len() } else { 1 };
        let most = if self.pending { 3 } else { 2 };
        for (what, value, least, most) in [
            ("number of limbs", self.limbs.len(), fewest, window.len()),
            ("number of components", self.components as usize, 2, most),
        ] {
            if !(least..=most).contains(&value) {
                let (value, least, most) = (value as u64, least as u64, most as u64);
                return Err(WireError::OutOfBounds {
                    what,
                    value,
                    least,
                    most,
                });
            }
        }
        let batch = Limits::default().batch(u64::from(self.batch))?;
        let limbs = Limbs::new(self.limbs.iter().map(|&limb| usize::from(limb)));
        let polys = batch.saturating_mul(self.components as usize);
        Ok(Dimensions::new(params, limbs, polys))
    }
}

impl Header for CiphertextHeader {
    spec_is_field!(Ciphertext);

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        let dimensions = self.dimensions(params)?;
        Ok(rows_len(params, &dimensions.limbs, dimensions.polys)?)
    }
}

/// A number of a header. One that does not fit is outside every limit, and so is the largest that does.
pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
