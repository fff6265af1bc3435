//! Key generation.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use arras_hal::{Eval, GaloisElement, Limbs, Named, Poly, SecretEngine, Shape};
use num_traits::ToPrimitive;

use zeroize::Zeroizing;

use super::{PublicKey, SecretKey, errors, small_poly};
use crate::{
    BootstrapPlan, CkksError, CkksErrorKind, Parameters, Result,
    context::parameters_mismatch,
    keys::{EvaluationKeySet, KeyKind, SwitchingKey},
    params::SPARSE_WEIGHT,
    random::{PublicSeed, Purpose, Seed, sparse_ternary, uniform_rows},
};

/// Makes the keys that belong to one secret key.
#[derive(Debug)]
pub struct KeyGenerator<'a, S: SecretEngine> {
    secret: &'a SecretKey<S>,
    seed: Seed,
    next: AtomicU64,
}

impl<'a, S: SecretEngine> KeyGenerator<'a, S> {
    /// A generator with fresh randomness from the operating system.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn new(secret: &'a SecretKey<S>) -> Result<Self> {
        Ok(Self::with_seed(secret, Seed::from_os()?))
    }

    /// A generator that makes the same keys in the same order from the same seed: for tests and runs that must be
    /// reproducible.
    pub fn with_seed(secret: &'a SecretKey<S>, seed: Seed) -> Self {
        Self {
            secret,
            seed,
            next: AtomicU64::new(0),
        }
    }

    /// The parameters of the keys.
    pub fn params(&self) -> &Parameters {
        self.secret.context().params()
    }

    /// The public key.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn public_key(&self) -> Result<PublicKey> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let context = self.secret.context();
        let params = context.params();
        let limbs = PublicKey::limbs(params);
        let seed = self.seed.public(Purpose::PublicKeyUniform, [index, 0, 0]);
        let stream = |_| self.seed.stream(Purpose::PublicKeyError, [index, 0, 0]);
        let mut b = errors(context.ring(), 1, stream, &limbs)?;
        let a = self.uniform(&seed, Purpose::PublicKeyUniform, 0, &limbs)?;
        self.subtract_product(&mut b, &a, &self.secret.on(&limbs)?)?;
        Ok(PublicKey {
            params: params.clone(),
            seed,
            b: b.to_words()?,
        })
    }

    /// The relinearization key for all levels.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn relinearization_key(&self) -> Result<SwitchingKey> {
        self.switching_key(KeyKind::Relinearization, self.secret.context().max_level())
    }

    /// The key for rotations by `steps` at all levels.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn rotation_key(&self, steps: i64) -> Result<SwitchingKey> {
        let context = self.secret.context();
        let galois = GaloisElement::rotation(steps, context.params().log_n());
        self.switching_key(KeyKind::Galois(galois), context.max_level())
    }

    /// The key for conjugation at all levels.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn conjugation_key(&self) -> Result<SwitchingKey> {
        let context = self.secret.context();
        let galois = GaloisElement::conjugation(context.params().log_n());
        self.switching_key(KeyKind::Galois(galois), context.max_level())
    }

    /// The relinearization key and the keys of these rotations (each once; rotations by nothing need none), for all
    /// levels.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn evaluation_keys(&self, rotations: &[i64]) -> Result<EvaluationKeySet> {
        self.evaluation_keys_up_to(rotations, self.secret.context().max_level())
    }

    /// [`KeyGenerator::evaluation_keys`] cut to a level budget.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`]; if the engine has no memory.
    pub fn evaluation_keys_up_to(
        &self,
        rotations: &[i64],
        level_budget: usize,
    ) -> Result<EvaluationKeySet> {
        let params = self.secret.context().params();
        let mut set = EvaluationKeySet::new(params);
        set.insert(self.switching_key(KeyKind::Relinearization, level_budget)?)?;
        let elements: BTreeSet<GaloisElement> = rotations
            .iter()
            .map(|&steps| GaloisElement::rotation(steps, params.log_n()))
            .filter(|g| !g.is_identity())
            .collect();
        for galois in elements {
            set.insert(self.switching_key(KeyKind::Galois(galois), level_budget)?)?;
        }
        Ok(set)
    }

    /// A key of any kind for levels up to `level_budget`.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`], [`CkksErrorKind::Hal`] for a Galois element of a larger ring; [`CkksErrorKind::Stopped`]; if the
    /// engine has no memory.
    pub fn switching_key(&self, kind: KeyKind, level_budget: usize) -> Result<SwitchingKey> {
        let context = self.secret.context();
        let params = context.params();
        if kind.own_budget(params).is_some() {
            let error = CkksErrorKind::WrongForm {
                have: "a key to or from the sparse secret",
                remedy: "make both, with all that a bootstrap needs, by KeyGenerator::bootstrapping_keys",
            };
            return Err(CkksError::from(error).named("switching_key"));
        }
        if level_budget > context.max_level() {
            let (level, most) = (level_budget, context.max_level());
            return Err(
                CkksError::from(CkksErrorKind::LevelTooHigh { level, most }).named("switching_key")
            );
        }
        self.key_between(kind, level_budget, None)
    }

    /// The keys that bootstraps of a plan need: rotations, conjugation and relinearization up to the levels at which they are used, and those
    /// to and from a sparse secret, which is made for them from a stream of its own and overwritten when they are made.
    ///
    /// [`EvaluationKeySet::insert`] puts them together with those of a circuit.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`] if the plan is of other parameters; [`CkksErrorKind::Stopped`]; if the engine has no memory.
    pub fn bootstrapping_keys(&self, plan: &BootstrapPlan) -> Result<EvaluationKeySet> {
        CkksError::within("bootstrapping_keys", || {
            let params = self.params();
            if plan.params() != params {
                return Err(parameters_mismatch(params, plan.params()));
            }
            let sparse = self.sparse_secret()?;
            let mut set = EvaluationKeySet::new(params);
            for (kind, level_budget) in plan.keys() {
                set.insert(self.key_between(kind, level_budget, Some(&sparse))?)?;
            }
            Ok(set)
        })
    }

    /// A sparse secret: it is new each time.
    fn sparse_secret(&self) -> Result<Poly<S, Eval>> {
        let ring = self.secret.context().ring();
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let mut coefficients = Zeroizing::new(vec![0; ring.basis().n()]);
        sparse_ternary(
            &mut self.seed.stream(Purpose::SparseSecret, [index, 0, 0]),
            SPARSE_WEIGHT as usize,
            &mut coefficients,
        );
        small_poly(ring, &coefficients, &ring.basis().all_limbs())
    }

    /// A key of a kind whose level budget was checked. Those to and from the sparse secret are given it.
    fn key_between(
        &self,
        kind: KeyKind,
        level_budget: usize,
        sparse: Option<&Poly<S, Eval>>,
    ) -> Result<SwitchingKey> {
        let context = self.secret.context();
        let params = context.params();
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let layout = crate::keys::layout(params, kind, level_budget);
        let seed = self.seed.public(Purpose::KeyUniform, [index, 0, 0]);
        let source = self.switched_from(kind, &layout.limbs, sparse)?;
        let (target, error) = match (kind, sparse) {
            (KeyKind::ToSparse, Some(sparse)) => (
                sparse.select_secret(0..1, &layout.limbs)?,
                Purpose::SparseKeyError,
            ),
            (KeyKind::FromSparse, _) => (self.secret.on(&layout.limbs)?, Purpose::SparseKeyError),
            _ => (self.secret.on(&layout.limbs)?, Purpose::KeyError),
        };
        let switching = crate::keys::switching(params, kind);
        let special = context.ring().basis().product(&switching.special);
        let mut b = Vec::with_capacity(layout.digits * layout.limbs.len() * params.n());
        for (j, group) in switching.groups.iter().take(layout.digits).enumerate() {
            context.stopped().named("switching_key")?;
            let stream = |_| self.seed.stream(error, [index, j as u64, 0]);
            let mut digit = errors(context.ring(), 1, stream, &layout.limbs)?;
            let a = self.uniform(&seed, Purpose::KeyUniform, j as u64, &layout.limbs)?;
            self.subtract_product(&mut digit, &a, &target)?;
            // P modulo the primes of the group, 0 modulo the others.
            let group = context.moduli_of(group);
            let message = context.ring().basis().constants(&layout.limbs, |q| {
                if group.contains(&q.value()) {
                    (&special % q.value()).to_u32().unwrap_or(0)
                } else {
                    0
                }
            });
            let mut term = self.scratch(&layout.limbs)?;
            term.add_assign(&source)?;
            term.scale_assign(&message)?;
            digit.add_assign(&term)?;
            let start = b.len();
            b.resize(start + layout.limbs.len() * params.n(), 0);
            if let Some(words) = b.get_mut(start..) {
                digit.download_into(words)?;
            }
        }
        Ok(SwitchingKey {
            params: params.clone(),
            kind,
            level_budget,
            seed,
            b,
        })
    }

    fn scratch(&self, limbs: &Limbs) -> Result<Poly<S, Eval>> {
        Ok(Poly::secret_zeros(
            self.secret.context().ring(),
            &Shape::new(1, limbs.clone()),
        )?)
    }

    /// The secret that a key switches from.
    fn switched_from(
        &self,
        kind: KeyKind,
        limbs: &Limbs,
        sparse: Option<&Poly<S, Eval>>,
    ) -> Result<Poly<S, Eval>> {
        if let (KeyKind::FromSparse, Some(sparse)) = (kind, sparse) {
            return Ok(sparse.select_secret(0..1, limbs)?);
        }
        let s = self.secret.on(limbs)?;
        let mut source = self.scratch(limbs)?;
        match kind {
            KeyKind::Relinearization => s.mul_into(&s, &mut source)?,
            KeyKind::Galois(galois) => s.automorphism_into(galois, &mut source)?,
            KeyKind::ToSparse | KeyKind::FromSparse => return Ok(s),
        }
        Ok(source)
    }

    fn uniform(
        &self,
        seed: &PublicSeed,
        purpose: Purpose,
        index: u64,
        limbs: &Limbs,
    ) -> Result<Poly<S, Eval>> {
        let context = self.secret.context();
        let n = context.params().n();
        let list = crate::keys::limbs_and_moduli(context.params(), limbs);
        let mut words = vec![0; limbs.len() * n];
        let workers = context.engine().workers();
        uniform_rows(workers, seed, purpose, [index, 0], &list, n, &mut words)?;
        Ok(Poly::from_words(
            context.ring(),
            &Shape::new(1, limbs.clone()),
            &words,
        )?)
    }

    /// `b -= a s`, over the limbs of all.
    fn subtract_product(
        &self,
        b: &mut Poly<S, Eval>,
        a: &Poly<S, Eval>,
        s: &Poly<S, Eval>,
    ) -> Result<()> {
        let mut product = self.scratch(s.limbs())?;
        a.mul_into(s, &mut product)?;
        Ok(b.sub_assign(&product)?)
    }
}
