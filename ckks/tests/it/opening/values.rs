//! The opened values: right, noisy as asked, the same for the same request.

use arras_ckks::{
    CkksErrorKind,
    opening::{LedgerInMemoryForTests, opening_budget},
};

use super::*;
use crate::support::{insecure, secure, values};

fn kind<T>(outcome: Result<T>) -> Result<T, CkksErrorKind> {
    outcome.map_err(CkksError::into_kind)
}

#[test]
fn the_noise_has_the_deviation_that_is_asked_for() {
    let owner = Owner::new(&insecure(12, 2));
    let mut ledger = LedgerInMemoryForTests::new(&owner.party.secret, 1000).unwrap();
    let (period, batch) = (128, 8);
    let data: Vec<Vec<f64>> = (0..batch).map(|i| values(i, period)).collect();
    let parts: Vec<_> = data.iter().map(|x| owner.encrypt(x)).collect();
    let all = Ciphertext::concat(&parts.iter().collect::<Vec<_>>()).unwrap();
    for (bits, left) in [(10.0, 4.0), (3.5, 4.0)] {
        let request = Opening::new(period, bits, owner.fresh_error()).audited();
        let mut ledger = ledger.clone();
        let opened = owner.open(&all, &request, &mut ledger).unwrap();
        let noise = data.iter().zip(&opened.values).flat_map(|(want, got)| {
            assert_eq!(got.len(), period);
            want.iter().zip(got).map(|(want, got)| got - want)
        });
        let noise: Vec<f64> = noise.collect();
        let count = noise.len() as f64;
        let deviation = (noise.iter().map(|x| x * x).sum::<f64>() / count).sqrt();
        let ratio = deviation / f64::exp2(-bits);
        // Five standard deviations of an estimate from 1024 values.
        assert!((ratio - 1.0).abs() < 0.11, "{bits}: {ratio}");
        assert!(noise.iter().sum::<f64>().abs() / count < left * deviation / count.sqrt() * 1.25);
        assert!(noise.iter().all(|x| x.abs() < 6.0 * deviation));
        assert_eq!(opened.account.coordinates, batch * 2 * period as u64);
    }
    assert_eq!(
        owner.account(&mut ledger).most,
        opening_budget(owner.party.context.params())
    );
}

#[test]
fn the_same_request_gives_the_same_values_and_is_counted_once() {
    let owner = Owner::new(&secure(13, 1));
    let party = &owner.party;
    let mut ledger = LedgerInMemoryForTests::new(&party.secret, 1000).unwrap();
    let (x, y) = (
        owner.encrypt(&values(1, PERIOD)),
        owner.encrypt(&values(2, PERIOD)),
    );
    let request = owner.request(8.0).audited();
    let first = owner.open(&x, &request, &mut ledger).unwrap();
    assert_eq!((first.account.openings, first.account.coordinates), (1, 32));
    assert_eq!(
        first.terms,
        request.terms(party.context.params(), 0, 1000).unwrap()
    );
    assert_eq!(owner.open(&x, &request, &mut ledger).unwrap(), first);
    // In a batch, twice, from bytes: still the same ciphertext.
    let copy = Ciphertext::from_bytes(&x.to_bytes().unwrap(), &party.context).unwrap();
    let batch = Ciphertext::concat(&[&y, &copy, &x]).unwrap();
    let all = owner.open(&batch, &request, &mut ledger).unwrap();
    assert_eq!(
        all.values[1..],
        [first.values[0].clone(), first.values[0].clone()]
    );
    assert_eq!((all.account.openings, all.account.coordinates), (2, 64));
    assert_eq!(
        owner.open(&y, &request, &mut ledger).unwrap().values[0],
        all.values[0]
    );
    // The noise of another number of bits is another, not the same in another size: the two would tell the value.
    let coarse = owner.request(7.0).audited();
    let other = owner.open(&x, &coarse, &mut ledger).unwrap();
    let exact = values(1, PERIOD);
    for j in 0..PERIOD {
        let (fine, coarse) = (first.values[0][j] - exact[j], other.values[0][j] - exact[j]);
        assert!((coarse - 2.0 * fine).abs() > f64::exp2(-24.0));
    }
    assert_eq!(other.account.openings, 3);
}

#[test]
fn what_cannot_be_promised_is_refused_with_what_would_give_it() {
    let owner = Owner::new(&secure(13, 1));
    let party = &owner.party;
    let mut ledger = LedgerInMemoryForTests::new(&party.secret, 4).unwrap();
    let ct = owner.encrypt(&values(1, PERIOD));
    let error = owner.fresh_error();
    let mut open = |request: Opening| kind(owner.open(&ct, &request, &mut ledger));

    let slots = party.context.slots();
    for period in [0, 3, 24, slots, 2 * slots] {
        refused! {
            open(Opening::new(period, 8.0, error)) => CkksErrorKind::Opening(OpeningError::NotPeriodic { most, .. }) if *most == slots / 2,
        }
    }
    refused! {
        open(Opening::new(PERIOD, f64::NAN, error)) => CkksErrorKind::OutOfRange { what: "bits", .. },
        open(Opening::new(PERIOD, 60.0, error)) => CkksErrorKind::OutOfRange { what: "bits", .. },
        open(Opening::new(PERIOD, -20.0, error)) => CkksErrorKind::OutOfRange { what: "bits", .. },
        open(Opening::new(PERIOD, 8.0, f64::NAN)) => CkksErrorKind::OutOfRange { what: "error", .. },
        open(Opening::new(PERIOD, 8.0, error / 2.0)) => CkksErrorKind::OutOfRange { what: "error", .. },
        open(Opening::new(PERIOD, 8.0, f64::INFINITY)) => CkksErrorKind::OutOfRange { what: "error", .. },
        open(Opening::new(PERIOD, 8.0, error).least_lambda(f64::NAN)) => CkksErrorKind::Opening(OpeningError::Lambda { .. }),
    }
    // The error of a trained weight at this scale.
    let weight = Opening::new(PERIOD, 8.0, f64::exp2(-21.3)).audited();
    let given = weight.terms(party.context.params(), 0, 1).unwrap().lambda;
    assert!((given - 12.0).abs() < 0.1, "{given}");
    let Err(CkksErrorKind::Opening(refused)) = open(weight.least_lambda(20.0)) else {
        panic!("lambda 20 is not to be had");
    };
    says! { refused => ["lambda 20.0 is asked", "10.0 is given", "at most 3.0 bits", "2^5.0 times as large", "2^10.0 times smaller"] }
    let fewer = Opening::new(PERIOD, 2.99, f64::exp2(-21.3)).audited();
    assert!(open(fewer.least_lambda(20.0)).unwrap().terms.lambda >= 20.0);

    let square = party.evaluator.square(&party.encrypt(&[1.0], 1)).unwrap();
    let request = owner.request(8.0);
    refused! { kind(owner.open(&square, &request, &mut ledger)) => CkksErrorKind::WrongForm { .. } }
    // Queries that were not declared: three more with one made and four declared are the last.
    let others: Vec<_> = (0..4).map(|i| owner.encrypt(&values(i, PERIOD))).collect();
    let four = Ciphertext::concat(&others.iter().collect::<Vec<_>>()).unwrap();
    let audited = owner.request(8.0).audited();
    refused! {
        kind(owner.open(&four, &audited, &mut ledger)) => CkksErrorKind::Opening(OpeningError::Queries { asked: 4, used: 1, declared: 4 }),
        kind(LedgerInMemoryForTests::new(&party.secret, 0)) => CkksErrorKind::Opening(OpeningError::BadQueries { .. }),
    }
    assert_eq!(owner.account(&mut ledger).openings, 1);
    let three = four.pick(&[0, 1, 2]).unwrap();
    assert_eq!(
        owner
            .open(&three, &audited, &mut ledger)
            .unwrap()
            .account
            .openings,
        4
    );
}
