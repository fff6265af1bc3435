//! Opening results for others: what is counted, what the noise is, what attacks get.

mod attacks;
mod ledger;
mod values;

use crate::support::Party;
use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Ciphertext, CkksError, CkksErrorKind, Decryptor, NoiseModel, Parameters, Result,
    opening::{Ledger, LedgerAccount, Opened, Opening, OpeningError},
};

const PERIOD: usize = 16;

struct Owner {
    party: Party<CpuEngine>,
}

impl Owner {
    fn new(params: &Parameters) -> Self {
        Self {
            party: Party::new(params, CpuEngine::new(), &[]),
        }
    }

    /// A vector that repeats `values`, encrypted at level 0.
    fn encrypt(&self, values: &[f64]) -> Ciphertext<CpuEngine> {
        let slots = self.party.context.slots();
        let vector: Vec<f64> = values.iter().copied().cycle().take(slots).collect();
        self.party.encrypt(&vector, 0)
    }

    fn request(&self, bits: f64) -> Opening {
        Opening::new(PERIOD, bits, self.fresh_error())
    }

    /// The error of what was only encrypted.
    fn fresh_error(&self) -> f64 {
        let model = NoiseModel::new(self.party.context.params());
        model.encryption(0).unwrap()
    }

    fn open(
        &self,
        ct: &Ciphertext<CpuEngine>,
        request: &Opening,
        ledger: &mut dyn Ledger,
    ) -> Result<Opened> {
        Decryptor::new(&self.party.secret).open_for_others(ct, request, ledger)
    }

    fn account(&self, ledger: &mut dyn Ledger) -> LedgerAccount {
        let decryptor = Decryptor::new(&self.party.secret);
        decryptor.ledger_account(ledger).unwrap()
    }
}

/// The reason for which an opening was refused.
fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> OpeningError {
    match outcome.map_err(CkksError::into_kind) {
        Err(CkksErrorKind::Opening(reason)) => reason,
        other => panic!("{other:?}"),
    }
}
