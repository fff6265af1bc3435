//! A folder of keys, of a training or of the use of a network: an input may be of either.

use std::fs;

use arras_backend_cpu::CpuEngine;
use arras_ckks::SecretKey;
use lr_train::{
    inference::InferencePlan,
    trainer::{
        KeySetId, TrainingKeys, TrainingPlan,
        files::{ExchangePlan, KeyDirectory, load_evaluation_of},
    },
};
use serde_json::Value;

use super::{Home, training::put_right};

/// What a reader compares with.
struct Known<'a> {
    keys: &'a KeyDirectory,
    id: KeySetId,
    secret: &'a SecretKey<CpuEngine>,
}

impl Home {
    fn of_training(&self) -> Known<'_> {
        Known {
            keys: &self.keys,
            id: self.owner.key_set_id(),
            secret: self.owner.client().secret_key().unwrap(),
        }
    }

    fn of_scoring(&self) -> Known<'_> {
        let owner = &self.scoring.owner;
        Known {
            keys: &self.scoring.keys,
            id: owner.key_set_id(),
            secret: owner.client().secret_key().unwrap(),
        }
    }
}

impl Known<'_> {
    fn load<P: ExchangePlan>(&self) -> Option<TrainingKeys> {
        let (_, keys) = load_evaluation_of::<P>(&self.keys.evaluation(), true).ok()?;
        // The list names every key's hash.
        assert_eq!(keys.id(), self.id);
        Some(keys)
    }

    fn evaluation<P: ExchangePlan>(&self, bytes: &[u8]) -> bool {
        let file = self.keys.evaluation().join("evaluation-keys.arras");
        fs::write(file, bytes).unwrap();
        let keys = self.load::<P>();
        keys.is_some_and(|keys| {
            assert!(keys.set().to_bytes().unwrap() == bytes);
            true
        })
    }

    fn list<P: ExchangePlan>(&self, bytes: &[u8]) -> bool {
        fs::write(self.keys.evaluation().join("keys.json"), bytes).unwrap();
        let Some(keys) = self.load::<P>() else {
            return false;
        };
        let list: Value = serde_json::from_slice(bytes).unwrap();
        let listed = list["keys"].as_array().unwrap();
        for key in keys.set().iter() {
            let digest = blake3::Hash::from_bytes(key.digest().unwrap());
            let is_it = |entry: &Value| {
                entry["key"] == key.kind().code()
                    && entry["level"] == key.level_budget()
                    && entry["blake3"] == digest.to_hex().as_str()
            };
            assert!(listed.iter().any(is_it));
        }
        true
    }

    fn secret<P: ExchangePlan>(&self, bytes: &[u8]) -> bool {
        fs::write(self.keys.secret().join("secret-key.arras"), bytes).unwrap();
        let engine = CpuEngine::with_threads(1).unwrap();
        let Ok((_, key, _)) = self.keys.secrets::<P, _>(engine) else {
            return false;
        };
        assert!(key.to_bytes().unwrap()[..] == *bytes);
        assert!(key.to_bytes().unwrap() == self.secret.to_bytes().unwrap());
        true
    }

    fn owner<P: ExchangePlan>(&self, bytes: &[u8]) -> bool {
        fs::write(self.keys.secret().join("owner.json"), bytes).unwrap();
        let engine = CpuEngine::with_threads(1).unwrap();
        let Ok((plan, _, id)) = self.keys.secrets::<P, _>(engine) else {
            return false;
        };
        let said: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(said["plan"], plan.id().to_string());
        assert_eq!(said["keys"], id.to_string());
        assert_eq!(said.as_object().unwrap().len(), 4);
        true
    }
}

/// The evaluation keys, as they are and with all checksums put right.
pub(super) fn evaluation(home: &Home, bytes: &[u8]) -> bool {
    let mut right = bytes.to_vec();
    put_right(&mut right);
    let (training, scoring) = (home.of_training(), home.of_scoring());
    let read = |bytes: &[u8]| {
        training.evaluation::<TrainingPlan>(bytes) | scoring.evaluation::<InferencePlan>(bytes)
    };
    read(bytes) | read(&right)
}

/// The list of them.
pub(super) fn list(home: &Home, bytes: &[u8]) -> bool {
    let of_training = home.of_training().list::<TrainingPlan>(bytes);
    of_training | home.of_scoring().list::<InferencePlan>(bytes)
}

/// The secret key, as it is and with its checksum put right: only the one that its owner is bound to is taken.
pub(super) fn secret(home: &Home, bytes: &[u8]) -> bool {
    let mut right = bytes.to_vec();
    put_right(&mut right);
    let (training, scoring) = (home.of_training(), home.of_scoring());
    let read = |bytes: &[u8]| {
        training.secret::<TrainingPlan>(bytes) | scoring.secret::<InferencePlan>(bytes)
    };
    read(bytes) | read(&right)
}

/// What ties the secret key to plan and evaluation keys.
pub(super) fn owner(home: &Home, bytes: &[u8]) -> bool {
    let of_training = home.of_training().owner::<TrainingPlan>(bytes);
    of_training | home.of_scoring().owner::<InferencePlan>(bytes)
}
