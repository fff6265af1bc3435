//! Headers, and the checks of everything in them.

use arras_hal::{GaloisElement, Limbs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::super::{
    ObjectKind, WireError, error::check_bounds, limits, ternary::packed_ternary_len,
};
use crate::{
    Plaintext, PlaintextUse, PublicKey, Result,
    keys::{KeyKind, layout, limbs_and_moduli},
    params::{MAX_MAINS, MAX_TERMINALS, Parameters, ParametersSpec, bounded::at_most},
    random::PublicSeed,
};

/// A header: the parameters, then what is the kind's own.
#[derive(Serialize, Deserialize)]
pub(super) struct Header<F> {
    pub(super) spec: ParametersSpec,
    pub(super) fields: F,
}

impl<F> Header<F> {
    pub(super) fn new(params: &Parameters, fields: F) -> Self {
        Self {
            spec: params.spec().clone(),
            fields,
        }
    }
}

/// The fields of a header that are a kind's own, which tell its payload.
pub(super) trait Fields: Serialize + DeserializeOwned {
    const KIND: ObjectKind;

    /// Checks every field against the parameters; the bytes of the payload that they imply.
    fn payload_len(&self, params: &Parameters) -> Result<u64>;

    /// The level of its values, if it holds any; checked with [`payload_len`](Self::payload_len).
    fn level(&self) -> Option<usize> {
        None
    }

    /// A bound on its values: what the prefix says, or what the level holds.
    fn bound(&self, params: &Parameters, said: Option<f32>) -> Result<f64> {
        let Some(level) = self.level() else {
            return Ok(0.0);
        };
        let most = params.headroom(level);
        match said {
            None => Ok(most),
            Some(bound) if f64::from(bound) < most => Ok(bound.into()),
            Some(found) => Err(WireError::ValueBound { found, most }.into()),
        }
    }
}

/// Fields whose payload is rows of these dimensions, of values at a level if one is named.
macro_rules! fields_of_rows {
    ($($fields:ty => $kind:ident $(at $level:ident)?;)+) => {$(
        impl Fields for $fields {
            const KIND: ObjectKind = ObjectKind::$kind;

            fn payload_len(&self, params: &Parameters) -> Result<u64> {
                Ok(self.dimensions(params)?.payload_len(params)?)
            }

            $(fn level(&self) -> Option<usize> {
                Some(self.$level as usize)
            })?
        }
    )+};
}

fields_of_rows! {
    PublicKeyFields => PublicKey;
    KeyEntry => SwitchingKey;
    PlaintextFields => Plaintext at level;
    SeededCiphertextFields => SeededCiphertext at level;
    CiphertextFields => Ciphertext at level;
}

/// Limbs of the largest window.
const MOST_LIMBS: usize = MAX_MAINS + MAX_TERMINALS;

fn in_range(what: &'static str, value: u64, most: usize) -> Result<usize, WireError> {
    check_bounds(what, value, 0..=most as u64)?;
    // Not above `most`, which is one.
    Ok(value as usize)
}

pub(super) fn moduli(params: &Parameters, limbs: &Limbs) -> Vec<u32> {
    limbs_and_moduli(params, limbs)
        .into_iter()
        .map(|(_, modulus)| modulus)
        .collect()
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

    fn payload_len(&self, params: &Parameters) -> Result<u64, WireError> {
        limits::rows_len(params.n(), &self.moduli, self.polys)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SecretKeyFields;

impl Fields for SecretKeyFields {
    const KIND: ObjectKind = ObjectKind::SecretKey;

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        Ok(packed_ternary_len(params.n()) as u64)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PublicKeyFields {
    pub(super) seed: PublicSeed,
}

impl PublicKeyFields {
    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        Ok(Dimensions::new(params, PublicKey::limbs(params), 1))
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
        let bootstraps = params.bootstrap().is_some();
        Ok(match self.kind {
            0 => KeyKind::Relinearization,
            2 if bootstraps => KeyKind::ToSparse,
            4 if bootstraps => KeyKind::FromSparse,
            element => KeyKind::Galois(GaloisElement::new(u64::from(element), params.log_n())?),
        })
    }

    pub(super) fn level_budget(&self, params: &Parameters) -> Result<usize> {
        let (what, budget) = ("level budget of the key", u64::from(self.level_budget));
        let budgets = match self.kind(params)?.own_budget(params) {
            Some(own) => own as u64..=own as u64,
            None => 0..=params.raised_level() as u64,
        };
        check_bounds(what, budget, budgets)?;
        Ok(budget as usize)
    }

    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions> {
        let layout = layout(params, self.kind(params)?, self.level_budget(params)?);
        Ok(Dimensions::new(params, layout.limbs, layout.digits))
    }
}

/// Ascending by kind, each kind once.
impl Fields for Vec<KeyEntry> {
    const KIND: ObjectKind = ObjectKind::EvaluationKeys;

    fn payload_len(&self, params: &Parameters) -> Result<u64> {
        let mut total = 0u64;
        let mut least = 0;
        for key in self {
            // The most is checked with the ring.
            if u64::from(key.kind) < least {
                let what = "kind of the next key (keys are listed in ascending order)";
                check_bounds(what, key.kind.into(), least..=2 * params.n() as u64 - 1)?;
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
pub(super) struct PlaintextFields {
    pub(super) level: u32,
    /// For weighted sums of rotations: over the special limbs too.
    pub(super) weights: bool,
    pub(super) batch: u32,
}

impl PlaintextFields {
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
        let batch = limits::batch(u64::from(self.batch))?;
        Ok(Dimensions::new(params, limbs, batch))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SeededCiphertextFields {
    pub(super) level: u32,
    pub(super) batch: u32,
    pub(super) seed: PublicSeed,
}

impl SeededCiphertextFields {
    pub(super) fn dimensions(&self, params: &Parameters) -> Result<Dimensions, WireError> {
        let batch = limits::batch(u64::from(self.batch))?;
        Ok(Dimensions::new(params, window(params, self.level)?, batch))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CiphertextFields {
    pub(super) level: u32,
    pub(super) batch: u32,
    pub(super) components: u32,
    pub(super) pending: bool,
    /// Ascending; the window of the level (one up for a pending product) or, if settled, a part of it.
    #[serde(deserialize_with = "at_most::<MOST_LIMBS, _, _>")]
    pub(super) limbs: Vec<u16>,
}

impl CiphertextFields {
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
            check_bounds(what, value as u64, least as u64..=most as u64)?;
        }
        let batch = limits::batch(u64::from(self.batch))?;
        let limbs = Limbs::new(self.limbs.iter().map(|&limb| usize::from(limb)));
        let polys = batch.saturating_mul(self.components as usize);
        Ok(Dimensions::new(params, limbs, polys))
    }
}

/// A number of a header. One that does not fit is outside every limit, and so is the largest that does.
pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
