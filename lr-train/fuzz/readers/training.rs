//! Containers: data sets, results and states, kinds 9 and 12, and the arrays in them.

use std::path::Path;

use arras_ckks::wire::{AtomicFile, CHECKSUM_LEN, Overwrite, PREFIX_LEN, peek};
use arras_toolkit::{Encrypted, SeededEncrypted, wire};
use lr_train::trainer::files::{
    DatasetFile, inspect, load_result, load_state, save_result, save_state, verify,
};

use super::Home;

/// As it is and with all checksums put right.
pub(super) fn both(bytes: &[u8], mut read: impl FnMut(&[u8]) -> bool) -> bool {
    let taken = read(bytes);
    let mut right = bytes.to_vec();
    put_right(&mut right);
    read(&right) || taken
}

/// The checksums of containers that lie one after the other and of those within, as long as their lengths can be believed. A fuzzer does
/// not find a preimage: without this, hardly anything gets past them.
pub(super) fn put_right(mut containers: &mut [u8]) {
    while let Ok(prefix) = peek(containers)
        && let Ok(len) = prefix.container_len()
        && len <= containers.len() as u64
    {
        let (first, rest) = std::mem::take(&mut containers).split_at_mut(len as usize);
        let start = PREFIX_LEN + prefix.header_len as usize;
        let end = first.len() - CHECKSUM_LEN;
        put_right(&mut first[start..end]);
        let checksum = *blake3::hash(&first[..end]).as_bytes();
        first[end..].copy_from_slice(&checksum);
        containers = rest;
    }
}

pub(super) fn file(home: &Home, bytes: &[u8]) -> bool {
    both(bytes, |bytes| read_file(home, bytes))
}

fn read_file(home: &Home, bytes: &[u8]) -> bool {
    let path = home.file(bytes);
    let (plan, keys) = (home.owner.plan(), home.owner.key_set_id());
    let whole = verify(&path).is_ok();
    let described = inspect(&path).is_ok();
    let mut taken = false;
    if let Ok(file) = DatasetFile::open(&path, plan, keys) {
        let rounds = 0..plan.rounds().len();
        let inputs: Vec<_> = rounds.filter_map(|round| file.round(round).ok()).collect();
        assert!(file.round(plan.rounds().len()).is_err());
        assert_eq!(file.verify().is_ok(), whole);
        if inputs.len() == plan.rounds().len() && whole {
            taken = true;
            let ciphertexts = inputs.iter().flat_map(|round| round.inputs.iter());
            let written: Vec<u8> = ciphertexts
                .flat_map(|(_, input)| input.ciphertext().to_bytes().unwrap().to_vec())
                .collect();
            let end = bytes.len() - CHECKSUM_LEN;
            assert!(written == bytes[end - written.len()..end]);
        }
    }
    let out = home.path("written");
    let written = || AtomicFile::create(&out, Overwrite::Replace).unwrap();
    if let Ok(result) = load_result(&path, plan, keys, home.owner.context()) {
        taken = true;
        save_result(plan, &result, written()).unwrap();
        expect_same(&out, bytes);
        // What a server forged is decrypted, too.
        if result.finished {
            let _ = home.owner.decrypt_model(&home.record, &result);
        } else {
            let _ = home.owner.refresh(&home.record, &result);
        }
    }
    if let Ok(state) = load_state(&path, plan, keys) {
        taken = true;
        save_state(plan, &state, written()).unwrap();
        expect_same(&out, bytes);
    }
    assert!(!taken || (described && whole));
    taken
}

pub(super) fn expect_same(path: &Path, bytes: &[u8]) {
    assert!(std::fs::read(path).unwrap() == bytes);
}

pub(super) fn array(home: &Home, bytes: &[u8]) -> bool {
    let context = home.owner.context();
    both(bytes, |bytes| {
        let _ = wire::inspect(bytes);
        if let Ok(array) = SeededEncrypted::from_bytes(bytes, context.params()) {
            assert!(array.to_bytes().unwrap() == bytes);
            return true;
        }
        let Ok(array) = Encrypted::from_bytes(bytes, context) else {
            return false;
        };
        assert!(array.to_bytes().unwrap() == bytes);
        true
    })
}
