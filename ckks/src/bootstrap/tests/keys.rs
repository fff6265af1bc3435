//! Keys, files and refusals.

use arras_hal::GaloisElement;

use super::{party, toy, values};
use crate::{
    BootstrapPlan, Bootstrapper, CkksErrorKind, Context, EvaluationKeySet, Evaluator, KeyGenerator,
    KeyKind, Parameters, SwitchingKey, random::Seed,
};

/// The keys of the plan but those of one kind, which is another or none.
fn without(
    kind: KeyKind,
    instead: Option<&SwitchingKey>,
) -> Evaluator<arras_backend_cpu::CpuEngine> {
    let party = party();
    let mut keys = EvaluationKeySet::new(party.context.params());
    for key in party
        .keys
        .iter()
        .filter(|key| key.kind() != kind)
        .chain(instead)
    {
        keys.insert(key.clone()).unwrap();
    }
    Evaluator::new(&party.context, keys.load(&party.context).unwrap()).unwrap()
}

#[test]
fn every_key_is_needed_and_named() {
    let party = party();
    let log_n = party.context.params().log_n();
    for (kind, budget) in party.plan.keys() {
        let error = Bootstrapper::new(&without(kind, None), &party.plan, 1.0).unwrap_err();
        let named = match (kind, error.kind()) {
            (KeyKind::Relinearization, CkksErrorKind::NoRelinearizationKey) => true,
            (KeyKind::Galois(g), CkksErrorKind::NoGaloisKey { element, .. }) => {
                g.value() == *element
            }
            (kind, CkksErrorKind::NoSparseKey { kind: missing }) => kind == *missing,
            _ => false,
        };
        assert!(named, "{kind}: {error}");
        assert!(
            error.to_string().starts_with("Bootstrapper::new"),
            "{error}"
        );
        // Nor does one of a lower budget do.
        let key = party.keys.get(kind).unwrap();
        assert_eq!(key.level_budget(), budget, "{kind}");
        if kind.own_budget(party.context.params()).is_some() || budget == 0 {
            assert!(key.cut(0).is_err());
            continue;
        }
        let lower = key.cut(budget - 1).unwrap();
        let error = Bootstrapper::new(&without(kind, Some(&lower)), &party.plan, 1.0).unwrap_err();
        let refused =
            matches!(error.kind(), CkksErrorKind::KeyBudget { budget: b, .. } if *b == budget - 1);
        assert!(refused, "{kind}: {error}");
    }
    let first = party.plan.rotations().next().unwrap().0;
    let rotation = KeyKind::Galois(GaloisElement::rotation(first, log_n));
    let error = Bootstrapper::new(&without(rotation, None), &party.plan, 1.0).unwrap_err();
    assert!(
        error.to_string().contains(&format!("rotation by {first}")),
        "{error}"
    );
}

#[test]
fn keys_of_circuits_and_of_bootstraps_come_together_in_any_order() {
    let party = party();
    let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([7; 32]));
    let step = party.plan.rotations().find(|r| r.1 > 17).unwrap().0;
    let theirs = generator.evaluation_keys(&[step]).unwrap();
    let join = |sets: [&EvaluationKeySet; 2]| {
        let mut all = EvaluationKeySet::new(party.context.params());
        for key in sets.into_iter().flat_map(EvaluationKeySet::iter) {
            all.insert(key.clone()).unwrap();
        }
        all
    };
    assert!(join([&party.keys, &theirs]) == party.keys);
    assert!(join([&theirs, &party.keys]) == party.keys);
    // Of equal budgets the new one.
    let again = generator.bootstrapping_keys(&party.plan).unwrap();
    assert!(join([&party.keys, &again]) == again);
}

#[test]
fn keys_are_files_like_others() {
    let party = party();
    let params = party.context.params();
    let bytes = party.keys.to_bytes().unwrap();
    let read = EvaluationKeySet::from_bytes(&bytes, params).unwrap();
    assert!(read == party.keys);
    let sizes = party.plan.key_bytes().unwrap();
    assert_eq!(sizes.container, bytes.len() as u64);
    assert_eq!(sizes.loaded, party.keys.expanded_bytes());
    let shown = crate::wire::inspect(bytes.as_slice()).unwrap().to_string();
    for words in [
        "to the sparse secret, levels up to 0",
        "from the sparse secret, levels up to 27",
        "17, 38.8 bits per level, and 10 for bootstrapping",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
    // The numbers of these kinds mean nothing where there is no bootstrapping, and their budgets are their own.
    let plain = Parameters::builder()
        .log_n(8)
        .levels(2)
        .security(crate::params::Security::InsecureForTests);
    let plain = plain.build().unwrap();
    assert!(crate::wire::evaluation_key_bytes(&plain, KeyKind::ToSparse, 0).is_err());
    assert!(crate::wire::evaluation_key_bytes(params, KeyKind::ToSparse, 1).is_err());
    assert!(crate::wire::evaluation_key_bytes(params, KeyKind::FromSparse, 17).is_err());
    assert!(crate::wire::evaluation_key_bytes(params, KeyKind::FromSparse, 27).is_ok());
    assert!(crate::wire::evaluation_key_bytes(params, KeyKind::Relinearization, 28).is_err());
}

#[test]
fn raised_levels_are_nobodys() {
    let party = party();
    let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([8; 32]));
    let evaluator = party.evaluator();
    let vector: &[f64] = &[1.0];
    let encryptor = crate::Encryptor::new(&party.secret).unwrap();
    refused! {
        party.context.window(18).map_err(crate::CkksError::into_kind) => CkksErrorKind::LevelTooHigh { level: 18, most: 17 },
        generator.switching_key(KeyKind::Relinearization, 18).map_err(crate::CkksError::into_kind) => CkksErrorKind::LevelTooHigh { level: 18, most: 17 },
        generator.switching_key(KeyKind::ToSparse, 0).map_err(crate::CkksError::into_kind) => CkksErrorKind::WrongForm { .. },
        evaluator.encode(&[vector], 18).map_err(crate::CkksError::into_kind) => CkksErrorKind::LevelTooHigh { level: 18, .. },
        encryptor.encrypt(&[vector], 18).map_err(crate::CkksError::into_kind) => CkksErrorKind::LevelTooHigh { level: 18, .. },
    }
    assert!(party.context.params().check_level(18).is_err());
    assert!(crate::wire::ciphertext_bytes(party.context.params(), 18, 1).is_err());
    let rotation = generator.rotation_key(1).unwrap();
    assert_eq!(rotation.level_budget(), 17);
}

#[test]
fn what_cannot_be_bootstrapped_is_refused() {
    let party = party();
    let evaluator = party.evaluator();
    let params = party.context.params();
    for values in [0, 1, 8, 33, 96, 256, usize::MAX] {
        let error = BootstrapPlan::new(params, values).unwrap_err();
        assert!(
            matches!(error.kind(), CkksErrorKind::OutOfRange { .. }),
            "{error}"
        );
    }
    for bound in [
        0.0,
        -1.0,
        3.0,
        0.75,
        512.0,
        f64::NAN,
        f64::INFINITY,
        f64::MIN_POSITIVE,
    ] {
        let error = Bootstrapper::new(&evaluator, &party.plan, bound).unwrap_err();
        assert!(
            matches!(error.kind(), CkksErrorKind::OutOfRange { .. }),
            "{error}"
        );
    }
    let bootstrapper = party.bootstrapper(1.0);
    let z = values(9, 32);
    let ct = party.encrypt(&[&z], 1.0);
    let low = evaluator.level_down(&ct, 1).unwrap();
    let error = bootstrapper.bootstrap(&low).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            CkksErrorKind::OutOfLevels {
                needed: 2,
                level: 1,
                missing: 1
            }
        ),
        "{error}"
    );
    let large = party.encrypt(&[&z], 1.5);
    let error = bootstrapper.bootstrap(&large).unwrap_err();
    assert!(
        error.to_string().contains("1.5") && error.to_string().contains("assume"),
        "{error}"
    );
    let other = toy(8, 16, 32);
    let plan = BootstrapPlan::new(&other, 32).unwrap();
    let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([8; 32]));
    let error = generator.bootstrapping_keys(&plan).unwrap_err();
    assert!(
        matches!(error.kind(), CkksErrorKind::ParametersMismatch { .. }),
        "{error}"
    );
    let plain = Parameters::builder().log_n(13).levels(1).build().unwrap();
    let error = BootstrapPlan::new(&plain, 32).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ParametersBuilder::bootstrapping"),
        "{error}"
    );
    let none = Evaluator::without_keys(&Context::new(&plain, super::cpu(1)).unwrap());
    assert!(Bootstrapper::new(&none, &party.plan, 1.0).is_err());
}
