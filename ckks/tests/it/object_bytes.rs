//! Sizes told from parameters alone are those of real objects.

use crate::support::{Party, insecure, secure, values};
use arras_ckks::{
    CkksError, CkksErrorKind, Context, EvaluationKeySet, KeyGenerator, KeyKind, SecretKey,
    random::Seed,
    wire::{
        WireError, ciphertext_bytes, evaluation_key_bytes, evaluation_key_set_bytes,
        evaluation_key_set_bytes_by_level, seeded_ciphertext_bytes,
    },
};
use arras_hal::{GaloisElement, Reference};

#[test]
fn ciphertexts_have_the_bytes_that_were_told() {
    for params in [secure(13, 2), insecure(7, 5)] {
        let party = Party::new(&params, Reference::new(), &[]);
        let x = values(1, params.slots());
        for level in 0..=params.max_level() {
            for batch in [1, 3, 130] {
                if batch == 130 && params.log_n() > 7 {
                    continue;
                }
                let vectors = vec![x.as_slice(); batch];
                let seeded = party.encryptor().encrypt(&vectors, level).unwrap();
                let told = seeded_ciphertext_bytes(&params, level, batch).unwrap();
                assert_eq!(told.container, seeded.to_bytes().unwrap().len() as u64);
                let ct = seeded.expand(&party.context).unwrap();
                assert_eq!(told.loaded, ct.bytes() as u64);
                let told = ciphertext_bytes(&params, level, batch).unwrap();
                assert_eq!(told.container, ct.to_bytes().unwrap().len() as u64);
                assert_eq!(told.loaded, ct.bytes() as u64);
            }
        }
    }
}

#[test]
fn keys_have_the_bytes_that_were_told() {
    for params in [secure(13, 2), insecure(7, 5)] {
        let context = Context::new(&params, Reference::new()).unwrap();
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let galois = |steps| KeyKind::Galois(GaloisElement::rotation(steps, params.log_n()));
        let conjugation = KeyKind::Galois(GaloisElement::conjugation(params.log_n()));
        for budget in 0..=params.max_level() {
            for kind in [KeyKind::Relinearization, galois(1), conjugation] {
                let key = generator.switching_key(kind, budget).unwrap();
                let told = evaluation_key_bytes(&params, kind, budget).unwrap();
                assert_eq!(told.container, key.to_bytes().unwrap().len() as u64);
                assert_eq!(told.loaded, key.expanded_bytes());
            }
            let set = generator.evaluation_keys_up_to(&[1, 2, 5], budget).unwrap();
            // In any order, and twice is once.
            let rotations = [5, 2, 1, 2].map(galois);
            let kinds = rotations.into_iter().chain([KeyKind::Relinearization]);
            let told = evaluation_key_set_bytes(&params, kinds, budget).unwrap();
            assert_eq!(told.container, set.to_bytes().unwrap().len() as u64);
            assert_eq!(told.loaded, set.expanded_bytes());
        }
        // Budgets of their own; of a kind that is named twice, the higher counts.
        let budgets = [
            (KeyKind::Relinearization, params.max_level()),
            (galois(5), 0),
            (galois(1), 1),
        ];
        let mut set = EvaluationKeySet::new(&params);
        for (kind, budget) in budgets {
            set.insert(generator.switching_key(kind, budget).unwrap())
                .unwrap();
        }
        let kinds = budgets.into_iter().rev().chain([(galois(1), 0)]);
        let told = evaluation_key_set_bytes_by_level(&params, kinds).unwrap();
        assert_eq!(told.container, set.to_bytes().unwrap().len() as u64);
        assert_eq!(told.loaded, set.expanded_bytes());
        let full = evaluation_key_bytes(&params, conjugation, params.max_level()).unwrap();
        assert_eq!(full.loaded, params.key_bytes());
    }
}

#[test]
fn what_cannot_exist_has_no_size() {
    let params = insecure(7, 3);
    let relinearization = KeyKind::Relinearization;
    for (outcome, text) in [
        (ciphertext_bytes(&params, 4, 1), "level"),
        (ciphertext_bytes(&params, usize::MAX, 1), "level"),
        (ciphertext_bytes(&params, 0, 0), "batch"),
        (seeded_ciphertext_bytes(&params, 4, 1), "level"),
        (seeded_ciphertext_bytes(&params, 0, usize::MAX), "batch"),
        (evaluation_key_bytes(&params, relinearization, 4), "budget"),
        (
            evaluation_key_set_bytes(&params, [relinearization], 9),
            "budget",
        ),
    ] {
        let error = outcome.unwrap_err();
        says! { error => [text] }
        refused! { Err::<(), _>(error.into_kind()) => CkksErrorKind::Wire(WireError::OutOfBounds { .. }) }
    }
    let larger = KeyKind::Galois(GaloisElement::conjugation(9));
    let outcome = evaluation_key_bytes(&params, larger, 0);
    refused! { outcome.map_err(CkksError::into_kind) => CkksErrorKind::Hal(_) }
}
