//! What the two sides hand each other: a round's data, a state to start from, a round's result.

use std::collections::BTreeMap;

use arras_hal::Backend;
use arras_toolkit::{Bindings, Encrypted, SeededEncrypted, run::RunReport};
use serde::{Deserialize, Serialize};

use super::{DatasetId, KeySetId, PlanId, Round};
use crate::{Result, circuits::CircuitError, trainer::ExchangeError};

/// Which exchange something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Origin {
    /// The plan.
    pub plan: PlanId,
    /// The keys.
    pub keys: KeySetId,
    /// The data.
    pub dataset: DatasetId,
}

impl Origin {
    /// # Errors
    /// [`ExchangeError::Mismatch`] if it is of another plan or of other keys.
    pub(crate) fn expect(
        &self,
        op: &'static str,
        subject: &'static str,
        plan: PlanId,
        keys: KeySetId,
    ) -> Result<()> {
        ExchangeError::expect_same(
            op,
            ("plan", subject),
            &self.plan,
            &plan,
            "use files that were made with one plan",
        )?;
        Ok(ExchangeError::expect_same(
            op,
            ("key set", subject),
            &self.keys,
            &keys,
            "use the keys that the data was encrypted with, or encrypt the data with these keys",
        )?)
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] if it is of other data.
    pub(super) fn expect_dataset(
        &self,
        op: &'static str,
        subject: &'static str,
        dataset: DatasetId,
    ) -> Result<()> {
        Ok(ExchangeError::expect_same(
            op,
            ("data set", subject),
            &self.dataset,
            &dataset,
            "use data, state and model of one encryption",
        )?)
    }
}

/// # Errors
/// [`ExchangeError::Mismatch`] for another round.
pub(super) fn expect_round(
    op: &'static str,
    subject: &'static str,
    found: usize,
    expected: usize,
) -> Result<()> {
    Ok(ExchangeError::expect_same(
        op,
        ("round (from 0)", subject),
        &found,
        &expected,
        "rounds follow one another, each with the state that the one before returned",
    )?)
}

/// The encrypted data of one round.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncryptedRound {
    /// What it belongs to.
    pub origin: Origin,
    /// The round, from 0.
    pub round: usize,
    /// The inputs that hold data, by name.
    pub inputs: Bindings<SeededEncrypted>,
}

/// The encrypted state that a later round starts from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncryptedState {
    /// What it belongs to.
    pub origin: Origin,
    /// The round that starts from it.
    pub round: usize,
    /// The inputs that hold weights, by name.
    pub inputs: Bindings<SeededEncrypted>,
}

/// What a round returns, encrypted: a model's weights, or the last two for the next round.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RoundResult<B: Backend> {
    /// What it belongs to.
    pub origin: Origin,
    /// The round.
    pub round: usize,
    /// Whether it is the last round: a model.
    pub finished: bool,
    /// The ciphertexts by name.
    pub outputs: BTreeMap<String, Encrypted<B>>,
    /// What the run did; none if it was read from a file.
    pub report: Option<RunReport>,
}

impl<B: Backend> RoundResult<B> {
    /// Every ciphertext is what the round's circuit returns: at its level, in its form, all moduli there, and not transparent. What is
    /// not is refused before anything is decrypted: a ciphertext of another level would be judged by another headroom, one
    /// with fewer moduli or more components is none that this circuit makes, and a transparent one comes from nobody's keys.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`], [`CircuitError::MissingResult`]; the engine's.
    pub(super) fn expect_of(&self, op: &'static str, round: &Round) -> Result<()> {
        let outputs = round.program.circuit().outputs().iter();
        for (output, &step) in outputs.zip(round.program.outputs()) {
            let Some(encrypted) = self.outputs.get(output.name()) else {
                let name = output.name().into();
                return Err(CircuitError::MissingResult { name }.into());
            };
            let ciphertext = encrypted.ciphertext();
            let form = |level, batch, components, whole, masked| {
                let moduli = if whole {
                    "all moduli"
                } else {
                    "not all moduli"
                };
                let mask = if masked { "encrypted" } else { "in the clear" };
                format!("{batch} of {components} components at level {level}, {moduli}, {mask}")
            };
            let whole = !ciphertext.is_pending() && !ciphertext.is_cut();
            let found = form(
                ciphertext.level(),
                ciphertext.batch(),
                ciphertext.components(),
                whole,
                !ciphertext.is_transparent()?,
            );
            let level = round.program.step(step).level();
            let expected = form(level, output.layout().units(), 2, true, true);
            ExchangeError::expect_same(
                op,
                ("form of the ciphertexts", "the result"),
                &found,
                &expected,
                "this is not what the plan's circuit returns: do not decrypt it, and ask the server for the round's own result",
            )?;
        }
        Ok(())
    }
}
