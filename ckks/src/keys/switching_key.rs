//! One switching key on the host.

use std::{cmp::Ordering, fmt};

use arras_hal::{Backend, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs, Named};

use crate::{
    CkksError, CkksErrorKind, Context, Result,
    context::parameters_mismatch,
    params::Parameters,
    random::{PublicSeed, Purpose, uniform_rows},
};

/// What a switching key switches from. Kinds are ordered by their [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// From s^2: relinearization.
    Relinearization,
    /// From s under X -> X^g: rotations and conjugation.
    Galois(GaloisElement),
    /// From s to the sparse secret of a bootstrap, at level 0: digits are the limbs of window 0, and one special prime scales the key, so
    /// that its modulus stays small.
    ToSparse,
    /// From the sparse secret to s, at the raised level: one digit, all of the window, and two special primes.
    FromSparse,
}

impl KeyKind {
    /// A number for each kind: 0, the Galois element, which is odd, or 2 and 4.
    pub fn code(self) -> u32 {
        match self {
            Self::Relinearization => 0,
            Self::ToSparse => 2,
            Self::FromSparse => 4,
            Self::Galois(g) => g.value(),
        }
    }

    /// The one level budget that keys of this kind have, if it is one.
    pub(crate) fn own_budget(self, params: &Parameters) -> Option<usize> {
        match self {
            Self::Relinearization | Self::Galois(_) => None,
            Self::ToSparse => Some(0),
            Self::FromSparse => Some(params.raised_level()),
        }
    }
}

impl Ord for KeyKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(&other.code())
    }
}

impl PartialOrd for KeyKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relinearization => f.write_str("relinearization"),
            Self::Galois(g) => write!(f, "Galois element {}", g.value()),
            Self::ToSparse => f.write_str("to the sparse secret"),
            Self::FromSparse => f.write_str("from the sparse secret"),
        }
    }
}

/// A switching key: the b halves and the seed of the a halves.
///
/// A switching key for a secret s' is, per digit j, a pair (b_j, a_j) over its limbs and the special limbs with
/// b_j = e_j - a_j s + P E_j s', where E_j is 1 modulo the primes of digit group j and 0 modulo the others (hybrid key
/// switching, ePrint 2019/688 section 3). Groups are fixed by absolute limb index, so one key serves every level. The halves
/// a_j are expanded from a seed; only b is stored.
///
/// It is public: publishing it is what it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct SwitchingKey {
    pub(crate) params: Parameters,
    pub(crate) kind: KeyKind,
    pub(crate) level_budget: usize,
    pub(crate) seed: PublicSeed,
    /// `[digit][limbs][N]`, evaluations.
    pub(crate) b: Vec<u32>,
}

impl SwitchingKey {
    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// What it switches from.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The highest level it works at. A key that is cut to a lower budget is smaller.
    pub fn level_budget(&self) -> usize {
        self.level_budget
    }

    /// Its digits and limbs.
    pub fn layout(&self) -> KeyLayout {
        layout(&self.params, self.kind, self.level_budget)
    }

    /// Bytes once loaded into an engine: both halves, 4 bytes a residue.
    pub fn expanded_bytes(&self) -> u64 {
        self.layout().words(self.params.n()) as u64 * 4
    }

    /// This key for levels up to `budget` only: the rows that lower levels do not need are left out.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::LevelTooHigh`] if the budget is above this key's; [`crate::CkksErrorKind::WrongForm`] for a key to or from the sparse
    /// secret, which serves one level.
    pub fn cut(&self, budget: usize) -> Result<Self> {
        if self.kind.own_budget(&self.params).is_some() {
            let error = CkksErrorKind::WrongForm {
                have: "a key to or from the sparse secret, which serves one level",
                remedy: "cut the other keys only",
            };
            return Err(CkksError::from(error).named("cut"));
        }
        if budget > self.level_budget {
            let (level, most) = (budget, self.level_budget);
            return Err(CkksError::from(CkksErrorKind::LevelTooHigh { level, most }).named("cut"));
        }
        let (from, to) = (self.layout(), layout(&self.params, self.kind, budget));
        let n = self.params.n();
        let mut b = Vec::with_capacity(to.digits * to.limbs.len() * n);
        for digit in self.b.chunks_exact(from.limbs.len() * n).take(to.digits) {
            for (row, limb) in digit.chunks_exact(n).zip(from.limbs.iter()) {
                if to.limbs.contains(limb) {
                    b.extend_from_slice(row);
                }
            }
        }
        Ok(Self {
            level_budget: budget,
            b,
            ..self.clone_without_rows()
        })
    }

    fn clone_without_rows(&self) -> Self {
        Self {
            params: self.params.clone(),
            kind: self.kind,
            level_budget: self.level_budget,
            seed: self.seed,
            b: Vec::new(),
        }
    }

    /// Expands the seed and hands the key to an engine.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`], [`crate::CkksErrorKind::Stopped`]; the engine's if it has no memory.
    pub fn load<B: Backend>(&self, context: &Context<B>) -> Result<Key<B>> {
        if self.params.fingerprint() != context.params().fingerprint() {
            return Err(parameters_mismatch(&self.params, context.params()).named("load key"));
        }
        let layout = self.layout();
        let n = self.params.n();
        let part = layout.limbs.len() * n;
        let limbs = limbs_and_moduli(&self.params, &layout.limbs);
        let mut words = vec![0; layout.words(n)];
        for (j, (digit, b)) in words
            .chunks_exact_mut(2 * part)
            .zip(self.b.chunks_exact(part))
            .enumerate()
        {
            context.stopped().named("load key")?;
            let (message, uniform) = digit.split_at_mut(part);
            message.copy_from_slice(b);
            uniform_rows(
                context.engine().workers(),
                &self.seed,
                Purpose::KeyUniform,
                [j as u64, 0],
                &limbs,
                n,
                uniform,
            )?;
        }
        Ok(Key::prepare(context.ring(), &layout, &words)?)
    }
}

impl fmt::Debug for SwitchingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SwitchingKey({:?}, levels up to {}, {:?})",
            self.kind,
            self.level_budget,
            self.layout()
        )
    }
}

/// The digits that keys of a kind switch, and the special limbs that scale them.
pub(crate) fn switching(params: &Parameters, kind: KeyKind) -> KeySwitchSpec {
    let window = |level| Limbs::new(params.window(level));
    match kind {
        KeyKind::Relinearization | KeyKind::Galois(_) => KeySwitchSpec {
            groups: params
                .digit_groups()
                .iter()
                .map(|g| Limbs::new(g.clone()))
                .collect(),
            special: Limbs::new(params.special_range()),
        },
        KeyKind::ToSparse => KeySwitchSpec {
            groups: window(0).iter().map(|limb| Limbs::new([limb])).collect(),
            special: params.first_specials(1),
        },
        KeyKind::FromSparse => KeySwitchSpec {
            groups: vec![window(params.raised_level())],
            special: params.first_specials(2),
        },
    }
}

/// Digits and limbs of a key for levels up to `budget`.
pub(crate) fn layout(params: &Parameters, kind: KeyKind, budget: usize) -> KeyLayout {
    if let Some(level) = kind.own_budget(params) {
        let KeySwitchSpec { groups, special } = switching(params, kind);
        return KeyLayout {
            digits: groups.len(),
            limbs: Limbs::new(params.window(level)).union(&special),
        };
    }
    // A key's budget was checked when the key was made or read.
    let limbs = params.key_limbs(budget).unwrap_or_default();
    let limbs = Limbs::new(limbs.into_iter().map(usize::from));
    // Groups are ascending runs, so those that a lower level lacks are the last ones.
    let digits = params
        .digit_groups()
        .iter()
        .rposition(|group| group.clone().any(|i| limbs.contains(i)))
        .map_or(0, |last| last + 1);
    KeyLayout { digits, limbs }
}

pub(crate) fn limbs_and_moduli(params: &Parameters, limbs: &Limbs) -> Vec<(usize, u32)> {
    limbs
        .iter()
        .filter_map(|i| params.moduli().get(i).map(|&q| (i, q)))
        .collect()
}
