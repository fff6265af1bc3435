//! A folder of keys.

use std::fs;

use arras_backend_cpu::CpuEngine;
use lr_train::trainer::files::load_evaluation;
use serde_json::Value;

use super::{Home, training::put_right};

/// The evaluation keys, as they are and with all checksums put right.
pub(super) fn evaluation(home: &Home, bytes: &[u8]) -> bool {
    let mut right = bytes.to_vec();
    put_right(&mut right);
    let folder = home.keys.evaluation();
    let read = |bytes: &[u8]| {
        fs::write(folder.join("evaluation-keys.arras"), bytes).unwrap();
        let Ok((_, keys)) = load_evaluation(&folder, true) else {
            return false;
        };
        // The list names every key's hash.
        assert_eq!(keys.id(), home.owner.key_set_id());
        assert!(keys.set().to_bytes().unwrap() == bytes);
        true
    };
    let taken = read(bytes);
    read(&right) || taken
}

/// The list of them.
pub(super) fn list(home: &Home, bytes: &[u8]) -> bool {
    let folder = home.keys.evaluation();
    fs::write(folder.join("keys.json"), bytes).unwrap();
    let Ok((_, keys)) = load_evaluation(&folder, true) else {
        return false;
    };
    assert_eq!(keys.id(), home.owner.key_set_id());
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

/// The secret key, as it is and with its checksum put right: only the one that its owner is bound to is taken.
pub(super) fn secret(home: &Home, bytes: &[u8]) -> bool {
    let mut right = bytes.to_vec();
    put_right(&mut right);
    let read = |bytes: &[u8]| {
        fs::write(home.keys.secret().join("secret-key.arras"), bytes).unwrap();
        let Ok(owner) = home.keys.owner(CpuEngine::with_threads(1).unwrap()) else {
            return false;
        };
        let key = owner.client().secret_key().unwrap();
        assert!(key.to_bytes().unwrap()[..] == *bytes);
        let right = home.owner.client().secret_key().unwrap();
        assert!(key.to_bytes().unwrap() == right.to_bytes().unwrap());
        true
    };
    let taken = read(bytes);
    read(&right) || taken
}

/// What ties the secret key to plan and evaluation keys.
pub(super) fn owner(home: &Home, bytes: &[u8]) -> bool {
    fs::write(home.keys.secret().join("owner.json"), bytes).unwrap();
    let Ok(owner) = home.keys.owner(CpuEngine::with_threads(1).unwrap()) else {
        return false;
    };
    let said: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(said["plan"], owner.plan().id().to_string());
    assert_eq!(said["keys"], owner.key_set_id().to_string());
    assert_eq!(said.as_object().unwrap().len(), 4);
    true
}
