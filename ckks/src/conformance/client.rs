//! Programs of the client's side, for engines that may hold secrets: keys, encryptions and decryptions.

use arras_hal::SecretEngine;
use num_complex::Complex64;

use super::{
    Fixture, Record,
    fixture::{BATCHES, ENCRYPTIONS, KEYS, SECRET, evaluation_keys, values},
    sets::BOOTSTRAPPED,
};
use crate::{
    BootstrapPlan, Context, Decryptor, EncryptionStreams, Encryptor, Evaluator, KeyGenerator,
    Result, SecretKey, SwitchingKey,
    random::{PublicSeed, Seed},
};

fn party<S: SecretEngine>(fixture: &Fixture, engine: S) -> Result<(Context<S>, SecretKey<S>)> {
    let context = Context::new(fixture.params(), engine)?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes(SECRET))?;
    Ok((context, secret))
}

fn seed_words(seed: &PublicSeed) -> impl Iterator<Item = usize> + '_ {
    seed.as_bytes().iter().map(|&b| usize::from(b))
}

fn note_key(record: &mut Record, step: &str, key: &SwitchingKey) {
    let layout = key.layout();
    let header = [
        key.kind().code() as usize,
        key.level_budget(),
        layout.digits,
    ];
    let header = header
        .into_iter()
        .chain(layout.limbs.iter())
        .chain(seed_words(&key.seed));
    record.words(format!("{step} {:?}", key.kind()), header, &key.b);
}

/// Relinearization, rotation, conjugation and public keys; keys cut to a level and keys made for it.
///
/// # Errors
/// The engine failed.
pub fn keys<S: SecretEngine>(fixture: &Fixture, engine: S) -> Result<Record> {
    let (_context, secret) = party(fixture, engine)?;
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes(KEYS));
    let mut record = Record::default();
    for key in evaluation_keys(&generator)?.iter() {
        note_key(&mut record, "key", key);
        note_key(&mut record, "cut to level 1", &key.cut(1)?);
    }
    for key in generator.evaluation_keys_up_to(&[1], 1)?.iter() {
        note_key(&mut record, "made for level 1", key);
    }
    let public = generator.public_key()?;
    record.words("public key", seed_words(&public.seed), &public.b);
    Ok(record)
}

/// The keys of a bootstrap, to and from a sparse secret among them.
///
/// # Errors
/// The engine failed.
pub fn sparse_keys<S: SecretEngine>(fixture: &Fixture, engine: S) -> Result<Record> {
    let (_context, secret) = party(fixture, engine)?;
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes(KEYS));
    let plan = BootstrapPlan::new(fixture.params(), BOOTSTRAPPED)?;
    let mut record = Record::default();
    for key in generator.bootstrapping_keys(&plan)?.iter() {
        note_key(&mut record, "key", key);
    }
    Ok(record)
}

/// Encryptions with both keys, of real and complex vectors, at every level.
///
/// # Errors
/// The engine failed.
pub fn encryptions<S: SecretEngine>(fixture: &Fixture, engine: S) -> Result<Record> {
    let (context, secret) = party(fixture, engine)?;
    let public = KeyGenerator::with_seed(&secret, Seed::from_bytes(KEYS)).public_key()?;
    let public = public.load(&context)?;
    // One count of calls for both keys.
    let streams = EncryptionStreams::from_seed(Seed::from_bytes(ENCRYPTIONS));
    let with_secret = Encryptor::with_streams(&secret, &streams).largest_value(2.0);
    let with_public = Encryptor::with_streams(&public, &streams).largest_value(2.0);
    let complex = complex_values(fixture.params().slots());
    let mut record = Record::default();
    for level in 0..=context.max_level() {
        for batch in BATCHES {
            let vectors = fixture.vectors(batch);
            let step = |what: &str| format!("{what}, level {level}, batch {batch}");
            let ct = with_secret.encrypt(&vectors, level)?;
            record.words(step("encrypt"), seed_words(&ct.seed), &ct.c0);
            record.ciphertext(step("expand"), &ct.expand(&context)?)?;
            let ct = with_secret.encrypt(&vec![&complex[..]; batch], level)?;
            record.words(step("encrypt_complex"), seed_words(&ct.seed), &ct.c0);
            let ct = with_public.encrypt(&vectors, level)?;
            record.ciphertext(step("encrypt_public"), &ct)?;
            let ct = with_public.encrypt(&[&complex[..]], level)?;
            record.ciphertext(step("encrypt_public_complex"), &ct)?;
        }
    }
    Ok(record)
}

/// Decryptions of fresh, computed, pending and cut ciphertexts: the bits of every number.
///
/// # Errors
/// The engine failed.
pub fn decryptions<S: SecretEngine>(fixture: &Fixture, engine: S) -> Result<Record> {
    let (context, secret) = party(fixture, engine)?;
    let decryptor = Decryptor::new(&secret);
    let evaluator = Evaluator::new(&context, fixture.keys().load(&context)?)?;
    let mut record = Record::default();
    for batch in BATCHES {
        for level in 0..=context.max_level() {
            let ct = fixture.fresh(&context, 1, level, batch)?;
            record.numbers(
                format!("fresh at {level}, batch {batch}"),
                &decryptor.decrypt_complex(&ct)?,
            );
            let cut = evaluator.drop_moduli(&ct, 1.0)?;
            let real = decryptor.decrypt(&cut)?;
            let real: Vec<Vec<Complex64>> = real
                .iter()
                .map(|v| v.iter().map(|&x| Complex64::new(x, 0.0)).collect())
                .collect();
            record.numbers(format!("cut at {level}, batch {batch}"), &real);
        }
        let x = fixture.public(&context, batch)?;
        let product = evaluator.square(&x)?;
        let settled = evaluator.relinearize_and_rescale(&product)?;
        record.numbers(
            format!("pending, batch {batch}"),
            &decryptor.decrypt_complex(&product)?,
        );
        record.numbers(
            format!("settled, batch {batch}"),
            &decryptor.decrypt_complex(&settled)?,
        );
    }
    Ok(record)
}

fn complex_values(slots: usize) -> Vec<Complex64> {
    let (re, im) = (values(200, slots), values(201, slots));
    // Inside the unit square; magnitudes stay below the headroom of every set.
    re.iter()
        .zip(&im)
        .map(|(&re, &im)| Complex64::new(re, im))
        .collect()
}
