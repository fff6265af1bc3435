//! What somebody who computes the ciphertexts gets from openings: what is counted, and no more.

use arras_ckks::{
    Complex64, Encryptor, SecretKey,
    opening::{LedgerInMemoryForTests, opening_budget},
    wire::{CHECKSUM_LEN, ObjectKind, PREFIX_LEN, Prefix, container_to_vec, peek},
};
use arras_hal::{Coeff, Eval, Limbs, Poly, Shape};

use super::*;
use crate::support::{secure, values};

type Cpu = CpuEngine;

/// Nothing in these tests asks for a lambda: they are about the count.
fn any_lambda(owner: &Owner, bits: f64) -> Opening {
    owner.request(bits).least_lambda(-1e3)
}

/// The key, as a judge sees it.
fn coordinates(key: &SecretKey<Cpu>) -> Vec<i64> {
    let bytes = key.to_bytes().unwrap();
    let n = key.context().params().n();
    let packed = &bytes[bytes.len() - CHECKSUM_LEN - n / 4..];
    let ternary = |k: usize| match packed[k / 4] >> (2 * (k % 4)) & 3 {
        3 => -1,
        x => i64::from(x),
    };
    (0..n).map(ternary).collect()
}

/// How many coordinates a guess may have right by chance: a third, and five standard deviations.
fn chance(count: usize) -> usize {
    let count = count as f64;
    (count / 3.0 + 5.0 * (count * 2.0 / 9.0).sqrt()) as usize
}

/// A ciphertext with the second component of the server's choice, coefficients `c1`, and nothing in the first. No key is needed.
fn chosen(owner: &Owner, c1: &[i128]) -> Ciphertext<Cpu> {
    let context = &owner.party.context;
    let honest = owner.encrypt(&[0.0]);
    let shape = Shape::new(1, honest.limbs().clone());
    let n = c1.len();
    let moduli: Vec<u32> = honest
        .limbs()
        .iter()
        .map(|l| context.params().moduli()[l])
        .collect();
    let residues = |&q: &u32| c1.iter().map(move |x| x.rem_euclid(i128::from(q)) as u32);
    let words: Vec<u32> = moduli.iter().flat_map(residues).collect();
    let c1 = Poly::<Cpu, Coeff>::from_words(context.ring(), &shape, &words).unwrap();
    let mut words = vec![0; words.len()];
    words.extend(c1.ntt().to_words().unwrap());
    // The header of an honest ciphertext, other rows.
    let mut bytes = honest.to_bytes().unwrap();
    let Prefix {
        header_len,
        payload_len,
        ..
    } = peek(&bytes[..]).unwrap();
    let rows = container_to_vec(ObjectKind::Ciphertext, &(), payload_len, |out| {
        words
            .chunks_exact(moduli.len() * n)
            .try_for_each(|part| out.residue_rows(n, &moduli, part))
    });
    let start = PREFIX_LEN + header_len as usize;
    let end = start + payload_len as usize;
    bytes[start..end].copy_from_slice(&rows.unwrap()[PREFIX_LEN..][..payload_len as usize]);
    let checksum = *blake3::hash(&bytes[..end]).as_bytes();
    bytes[end..].copy_from_slice(&checksum);
    Ciphertext::from_bytes(&bytes, context).unwrap()
}

/// The opened coefficients, from the openings of a ciphertext and of i times it.
fn opened_coefficients(
    owner: &Owner,
    ct: &Ciphertext<Cpu>,
    request: &Opening,
    ledger: &mut dyn Ledger,
) -> Result<Vec<f64>> {
    let real = owner.open(ct, request, ledger)?;
    let turned = owner.party.evaluator.multiply_i(ct).unwrap();
    let turned = owner.open(&turned, request, ledger)?;
    let slots = real.values[0].iter().zip(&turned.values[0]);
    let slots: Vec<Complex64> = slots
        .map(|(&re, &minus_im)| Complex64::new(re, -minus_im))
        .collect();
    let opened = 2 * PERIOD;
    let coefficient = |k: usize| {
        let mut power = 1;
        let terms = slots.iter().map(|z| {
            let angle = std::f64::consts::PI * (power * k) as f64 / opened as f64;
            power = 5 * power % (2 * opened);
            (z * Complex64::from_polar(1.0, -angle)).re
        });
        terms.sum::<f64>() * ct.scale() / PERIOD as f64
    };
    Ok((0..opened).map(coefficient).collect())
}

/// The attack on `c0 + c1 s = message`: the message's coefficients, divided by c1 slot by slot. Returns residues of s.
fn solve(owner: &Owner, ct: &Ciphertext<Cpu>, message: &[i64]) -> Vec<i64> {
    let context = &owner.party.context;
    let limb = context.params().window(0).start;
    let q = u64::from(context.params().moduli()[limb]);
    let shape = Shape::new(1, Limbs::new([limb]));
    let words: Vec<u32> = message
        .iter()
        .map(|x| x.rem_euclid(q as i64) as u32)
        .collect();
    let message = Poly::<Cpu, Coeff>::from_words(context.ring(), &shape, &words).unwrap();
    let message = message.ntt().to_words().unwrap();
    let components = ct.poly().select(0..2, &Limbs::new([limb])).unwrap();
    let components = components.to_words().unwrap();
    let (c0, c1) = components.split_at(message.len());
    let inverse = |x: u32| {
        let (mut power, mut square, mut exponent) = (1, u64::from(x), q - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * square % q;
            }
            square = square * square % q;
            exponent >>= 1;
        }
        power
    };
    let quotients: Vec<u32> = (0..message.len())
        .map(|k| ((u64::from(message[k]) + q - u64::from(c0[k])) * inverse(c1[k]) % q) as u32)
        .collect();
    let s = Poly::<Cpu, Eval>::from_words(context.ring(), &shape, &quotients).unwrap();
    let s = s.intt().to_words().unwrap();
    s.iter()
        .map(|&x| {
            if u64::from(x) > q / 2 {
                i64::from(x) - q as i64
            } else {
                i64::from(x)
            }
        })
        .collect()
}

fn right(guess: &[i64], key: &[i64]) -> usize {
    guess.iter().zip(key).filter(|(a, b)| a == b).count()
}

/// A ciphertext times an integer K: its error grows K-fold, the noise does not. From all coefficients the key would
/// follow; whole rings are not opened, and a subring's equations leave the rest unknown.
#[test]
fn a_multiple_of_a_ciphertext_gives_equations_for_the_opened_coefficients_alone() {
    let owner = Owner::new(&secure(14, 1));
    let party = &owner.party;
    let n = party.context.params().n();
    let mut ledger = LedgerInMemoryForTests::new(&party.secret, 1000).unwrap();
    let key = coordinates(&party.secret);
    let data: Vec<f64> = values(4, PERIOD).iter().map(|x| x * 1e-3).collect();
    let ct = owner.encrypt(&data);
    let k = 1i64 << 18;
    // A server that attacks assumes what it likes.
    let attacker = party.evaluator.assuming(1.0).unwrap();
    let multiple = attacker.multiply_integer(&ct, k).unwrap();

    // The whole ring, or half of it.
    let whole = Opening::new(n / 2, 24.0, owner.fresh_error()).least_lambda(-1e3);
    let half = Opening::new(n / 4, 24.0, owner.fresh_error()).least_lambda(-1e3);
    assert!(matches!(
        refusal(owner.open(&multiple, &whole, &mut ledger)),
        OpeningError::NotPeriodic { .. }
    ));
    assert!(matches!(
        refusal(owner.open(&multiple, &half, &mut ledger)),
        OpeningError::Budget { .. }
    ));
    assert_eq!(owner.account(&mut ledger).openings, 0);

    // The attack itself works on all coefficients: the owner's own decryption.
    let decrypted = Decryptor::new(&party.secret).decrypt_complex(&ct).unwrap();
    let encoder = party.context.encoder();
    let exact = encoder.encode(&decrypted[0], ct.scale()).unwrap();
    let q = party.context.params().moduli()[party.context.params().window(0).start];
    let mut row = vec![0; n];
    exact.residues_into(q, &mut row);
    let exact: Vec<i64> = row.iter().map(|&x| i64::from(x)).collect();
    assert_eq!(right(&solve(&owner, &ct, &exact), &key), n);

    // What is opened of the multiple tells message and error at 2p positions exactly, in spite of the noise.
    let got =
        opened_coefficients(&owner, &multiple, &any_lambda(&owner, 24.0), &mut ledger).unwrap();
    let step = n / got.len();
    let mut known = vec![0; n];
    for (j, x) in got.iter().enumerate() {
        known[j * step] = (x / k as f64).round() as i64;
        assert_eq!(
            known[j * step].rem_euclid(i64::from(q)),
            exact[j * step],
            "{j}"
        );
    }
    // The other errors are unknown, and the key stays so.
    let account = owner.account(&mut ledger);
    assert!(account.coordinates as usize >= 2 * got.len());
    let guess = solve(&owner, &ct, &known);
    assert!(right(&guess, &key) <= chance(n), "{}", right(&guess, &key));
}

/// A second component `K (1 + 3 X^-1 + 9 X^-2 + ..)` packs as many coordinates of the key into each opened coefficient as fit
/// between noise and modulus: the most that can be had. They are counted, and when the budget is spent there are no more.
#[test]
fn chosen_ciphertexts_read_what_is_counted_until_the_budget_is_spent() {
    let owner = Owner::new(&secure(13, 1));
    let params = owner.party.context.params();
    let (n, opened) = (params.n(), 2 * PERIOD);
    let mut ledger = LedgerInMemoryForTests::new(&owner.party.secret, 1000).unwrap();
    let key = coordinates(&owner.party.secret);
    let request = any_lambda(&owner, 10.0);
    let terms = request.terms(params, 0, 1000).unwrap();
    let unit = (12.0 * terms.sigma) as i128;
    let packed = ((params.log2_q(0) - (unit as f64).log2()) / 3f64.log2()) as usize;
    assert!(packed > 8, "{packed}");

    let mut guess = vec![None; n];
    let refused = loop {
        // A fresh part of the key each time.
        let first = guess.iter().position(Option::is_none).unwrap();
        let mut c1 = vec![0; n];
        for (k, digit) in (first..first + packed).zip(0..) {
            // X^-k = -X^(N - k).
            let weight = unit * 3i128.pow(digit);
            c1[(n - k) % n] = if k == 0 { weight } else { -weight };
        }
        let got = match opened_coefficients(&owner, &chosen(&owner, &c1), &request, &mut ledger) {
            Ok(got) => got,
            Err(error) => break error,
        };
        for (j, x) in got.iter().enumerate() {
            let mut rest = (x / unit as f64).round() as i64;
            for k in first..first + packed {
                let digit = (rest + 1).rem_euclid(3) - 1;
                rest = (rest - digit) / 3;
                guess[j * (n / opened) + k] = Some(digit);
            }
        }
    };
    assert!(matches!(
        refusal::<()>(Err(refused)),
        OpeningError::Budget { .. }
    ));
    let account = owner.account(&mut ledger);
    let read = guess
        .iter()
        .zip(&key)
        .filter(|(a, b)| **a == Some(**b))
        .count();
    println!(
        "{read} coordinates read of {n}, {} counted of {}",
        account.coordinates, account.most
    );
    // The attack is real: whatever it was given, it read. And it was given no more than the count.
    assert_eq!(read, guess.iter().flatten().count());
    assert!(read >= opened * packed);
    assert!(read as u64 <= account.coordinates && account.coordinates <= account.most);
    assert_eq!(account.most, opening_budget(params));
    // The rest is chance.
    let (unread, others): (Vec<i64>, Vec<i64>) = guess
        .iter()
        .zip(&key)
        .filter(|(a, _)| a.is_none())
        .map(|(_, &b)| (0, b))
        .unzip();
    assert!(right(&unread, &others) <= chance(others.len()));
    // With this assertion made falsely the count would be too low: that is what it asserts.
    let audited = request.audited().terms(params, 0, 1000).unwrap();
    assert_eq!(audited.coordinates, opened as u64);
    assert!(terms.coordinates > 10 * audited.coordinates);
}

/// A ciphertext made new with encryptions of zero gets new noise each time, which averages out: the count stops it.
#[test]
fn averaging_over_randomized_copies_is_stopped_by_the_count() {
    let owner = Owner::new(&secure(13, 1));
    let party = &owner.party;
    let bits = 8.0;
    let request = any_lambda(&owner, bits);
    let terms = request.terms(party.context.params(), 0, 1000).unwrap();
    let data = values(7, PERIOD);
    let ct = owner.encrypt(&data);
    let public = party.public_key();
    let server = Encryptor::with_streams(&public, &party.streams);
    let copy = || {
        let zero = server.encrypt(&[&[0.0]], 0).unwrap();
        party.evaluator.add(&ct, &zero).unwrap()
    };

    let mut ledger = LedgerInMemoryForTests::new(&party.secret, 1000).unwrap();
    let mut answers: Vec<Vec<f64>> = Vec::new();
    let first = copy();
    answers.extend(owner.open(&first, &request, &mut ledger).unwrap().values);
    let refused = loop {
        match owner.open(&copy(), &request, &mut ledger) {
            Ok(opened) => answers.extend(opened.values),
            Err(error) => break refusal::<()>(Err(error)),
        }
    };
    says! { refused => ["coordinates of the secret key", &opening_budget(party.context.params()).to_string()] }
    let account = owner.account(&mut ledger);
    assert_eq!(answers.len() as u64, account.most / terms.coordinates);
    assert_eq!(
        account.coordinates,
        answers.len() as u64 * terms.coordinates
    );
    println!(
        "{} openings of {} coordinates each, of {}",
        answers.len(),
        terms.coordinates,
        account.most
    );
    for pair in answers.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }

    // Noise as small as the error takes this many.
    let needed = (f64::exp2(-bits) / owner.fresh_error()).powi(2);
    assert!(1e6 * (answers.len() as f64) < needed, "{needed}");
    let count = answers.len() as f64;
    let square = |j: usize| {
        let mean: f64 = answers.iter().map(|values| values[j]).sum::<f64>() / count;
        (mean - data[j]).powi(2)
    };
    let left = ((0..PERIOD).map(square).sum::<f64>() / PERIOD as f64).sqrt();
    let expected = f64::exp2(-bits) / count.sqrt();
    assert!(
        (0.4..1.8).contains(&(left / expected)),
        "{left}, {expected}"
    );

    // Every further call is refused, but for what was opened before.
    for _ in 0..5 {
        assert!(matches!(
            refusal(owner.open(&copy(), &request, &mut ledger)),
            OpeningError::Budget { .. }
        ));
    }
    let again = owner.open(&first, &request, &mut ledger).unwrap();
    assert_eq!((&again.values[0], again.account), (&answers[0], account));
}
