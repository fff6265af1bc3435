//! Hostile input costs little memory: at most [`MULTIPLE`] times its length and [`SLACK`], measured by counting every
//! allocation of the thread.

#[path = "../fuzz/memory.rs"]
mod memory;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use arras_ckks::{
    Ciphertext, Context, EvaluationKeySet, EvaluationKeys, Parameters, Plaintext, PublicKey,
    SecretKey, SeededCiphertext, SwitchingKey,
    params::ParametersSpec,
    wire::{self, CHECKSUM_LEN, ObjectKind, PREFIX_LEN, container_to_vec, peek},
};
use arras_hal::Reference;
use memory::peak;
use serde::Serialize;

const MULTIPLE: usize = 8;
const SLACK: usize = 64 << 10;

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    std::fs::read(folder.join(name).with_extension("arras")).unwrap()
}

/// Gives the bytes to every way of reading their kind; whether one accepted them.
fn read_all(bytes: &[u8], context: &Context<Reference>) -> bool {
    let params = context.params();
    let mut accepted = wire::inspect(bytes).is_ok();
    let Ok(prefix) = peek(bytes) else {
        return false;
    };
    macro_rules! both {
        ($type:ty, $home:expr) => {{
            accepted |= <$type>::from_bytes(bytes, $home).is_ok();
            accepted |= <$type>::read_from(bytes, $home).is_ok();
        }};
    }
    match prefix.kind {
        ObjectKind::Parameters => {
            accepted |= Parameters::from_bytes_allowing_insecure(bytes).is_ok();
            accepted |= Parameters::read_from(bytes).is_ok();
        }
        ObjectKind::SecretKey => both!(SecretKey<Reference>, context),
        ObjectKind::PublicKey => both!(PublicKey, params),
        ObjectKind::SwitchingKey => both!(SwitchingKey, params),
        ObjectKind::EvaluationKeys => {
            both!(EvaluationKeySet, params);
            accepted |= EvaluationKeys::load_from(bytes, context).is_ok();
        }
        ObjectKind::Plaintext => both!(Plaintext<Reference>, context),
        ObjectKind::Ciphertext => both!(Ciphertext<Reference>, context),
        ObjectKind::SeededCiphertext => both!(SeededCiphertext, params),
        _ => {}
    }
    accepted
}

/// The largest multiple seen, in hundredths.
static WORST: AtomicUsize = AtomicUsize::new(0);

#[track_caller]
fn bounded(bytes: &[u8], context: &Context<Reference>, what: &str) -> bool {
    let (accepted, peak) = peak(|| read_all(bytes, context));
    let multiple = peak.saturating_sub(SLACK) as f64 / bytes.len() as f64;
    WORST.fetch_max((100.0 * multiple) as usize, Relaxed);
    let most = MULTIPLE * bytes.len() + SLACK;
    let len = bytes.len();
    assert!(peak <= most, "{what}: {peak} bytes held for {len} of input");
    accepted
}

fn refresh(bytes: &mut [u8]) {
    let (signed, checksum) = bytes.split_last_chunk_mut::<CHECKSUM_LEN>().unwrap();
    *checksum = *blake3::hash(signed).as_bytes();
}

/// A header of the caller's own making.
fn forged(kind: ObjectKind, header: &impl Serialize, payload: &[u8]) -> Vec<u8> {
    container_to_vec(kind, header, payload.len() as u64, |out| out.bytes(payload)).unwrap()
}

#[test]
fn memory_is_bounded_by_the_input() {
    let params = Parameters::from_bytes_allowing_insecure(&golden("parameters")).unwrap();
    let context = Context::new(&params, Reference::new()).unwrap();
    let ct = Ciphertext::from_bytes(&golden("ciphertext"), &context).unwrap();
    let many = ct.pick(&vec![0; 1000]).unwrap().to_bytes().unwrap();
    drop(ct);

    // The counter counts.
    let (_, counted) = peak(|| drop(std::hint::black_box(vec![0u8; 1 << 20])));
    assert!(counted >= 1 << 20);
    // Sound objects, large and small.
    assert!(many.len() > 1 << 20);
    assert!(bounded(&many, &context, "a batch of 1000"));

    hostile_prefixes(&context);
    hostile_headers(&context);
    every_header_byte(&context);
    let worst = WORST.load(Relaxed) as f64 / 100.0;
    println!("at most {worst} times the input and {SLACK} bytes");
}

/// Lengths that are not there.
fn hostile_prefixes(context: &Context<Reference>) {
    for name in NAMES {
        for (at, len) in [(16, 4), (20, 8)] {
            for exponent in [10, 16, 20, 31, 40, 62] {
                let mut bytes = golden(name);
                let value = (1u64 << exponent).to_le_bytes();
                bytes[at..at + len].copy_from_slice(&value[..len]);
                refresh(&mut bytes);
                let accepted = bounded(&bytes, context, name);
                assert!(!accepted || (at, len) == (16, 4) && exponent > 31, "{name}");
            }
        }
    }
}

const NAMES: [&str; 11] = [
    "parameters",
    "secret_key",
    "public_key",
    "switching_key",
    "evaluation_keys",
    "plaintext",
    "plaintext_weights",
    "ciphertext",
    "ciphertext_pending",
    "ciphertext_cut",
    "seeded_ciphertext",
];

/// Dimensions and lists as large as a header can make them.
fn hostile_headers(context: &Context<Reference>) {
    use ObjectKind as K;
    let spec = context.params().spec();
    let limbs: Vec<u16> = (0..8).collect();
    for batch in [1u32, 100, 1 << 15, u32::MAX] {
        for payload in [0, 240, 100_000] {
            let payload = vec![0; payload];
            let seeded = (spec, 2u32, batch, [7u8; 32]);
            let full = (spec, 1u32, batch, 3u32, true, &limbs);
            for bytes in [
                forged(K::SeededCiphertext, &seeded, &payload),
                forged(K::Ciphertext, &full, &payload),
                forged(K::Plaintext, &(spec, 2u32, true, batch), &payload),
            ] {
                assert!(!bounded(&bytes, context, "a batch that is not there"));
            }
        }
    }

    let long = |change: fn(&mut ParametersSpec)| {
        let mut spec = spec.clone();
        change(&mut spec);
        spec
    };
    let mains = long(|s| s.mains = vec![1; 500_000]);
    let digits = long(|s| s.digit_sizes = vec![1; 1_000_000]);
    let windows = long(|s| s.windows = vec![s.windows[0]; 500_000]);
    let limbs = vec![1u16; 1_000_000];
    let cut = (spec, 1u32, 1u32, 2u32, false, limbs);
    let keys = |count: u32| -> Vec<_> {
        let elements = (0..count).map(|i| 2 * i + 1);
        elements.map(|g| (g, 2u32, [7u8; 32])).collect()
    };
    // As many keys as a header holds; the ring has no such Galois elements.
    let many = forged(K::EvaluationKeys, &(spec, keys(29_000)), &[]);
    assert!(many.len() > 1_000_000);
    // Every key that the ring has, without rows.
    let all = forged(K::EvaluationKeys, &(spec, keys(64)), &[]);
    for (bytes, what) in [
        (forged(K::Parameters, &mains, &[]), "mains"),
        (forged(K::SecretKey, &digits, &[]), "digits"),
        (forged(K::PublicKey, &(windows, [7u8; 32]), &[]), "windows"),
        (forged(K::Ciphertext, &cut, &[]), "limbs"),
        (many, "many keys"),
        (all, "all keys"),
    ] {
        assert!(!bounded(&bytes, context, what), "{what}");
    }
}

/// Each byte of each header replaced by extremes, and by a long varint.
fn every_header_byte(context: &Context<Reference>) {
    let mut read = 0u32;
    for name in NAMES {
        let valid = golden(name);
        let header_len = peek(&valid).unwrap().header_len;
        for at in PREFIX_LEN..PREFIX_LEN + header_len as usize {
            for new in [
                &[0][..],
                &[1],
                &[0x7f],
                &[0xff],
                &[0xff, 0xff, 0x7f],
                &[255, 255, 255, 255, 15],
            ] {
                let mut bytes = valid.clone();
                bytes.splice(at..=at, new.iter().copied());
                let len = header_len + new.len() as u32 - 1;
                bytes[16..20].copy_from_slice(&len.to_le_bytes());
                refresh(&mut bytes);
                bounded(&bytes, context, name);
                read += 1;
            }
        }
    }
    assert!(read > 5000, "{read}");
}
