//! Damaged files of every kind: the golden files are the corpus.

use std::path::PathBuf;

use arras_hal::Reference;

use super::super::mutate::{drive, refresh_checksum};
use super::super::{CHECKSUM_LEN, ObjectKind, PREFIX_LEN, Reader, WireError, peek};
use super::{Fields, Header, header::KeyEntry, inspect};
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Context, EvaluationKeySet, EvaluationKeys, Parameters,
    Plaintext, PublicKey, Result, SecretKey, SeededCiphertext, SwitchingKey,
};

/// Kinds that other crates write and read.
const ELSEWHERE: [ObjectKind; 5] = [
    ObjectKind::Model,
    ObjectKind::EncryptedArray,
    ObjectKind::SeededEncryptedArray,
    ObjectKind::EncryptedDataset,
    ObjectKind::Inference,
];

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus: Vec<_> = paths.iter().map(|p| std::fs::read(p).unwrap()).collect();
    for kind in ObjectKind::ALL {
        let there = corpus.iter().any(|bytes| peek(bytes).unwrap().kind == kind);
        assert_eq!(there, !ELSEWHERE.contains(&kind), "{kind}");
    }
    corpus
}

fn of_kind(kind: ObjectKind) -> Vec<u8> {
    let is_kind = |bytes: &Vec<u8>| peek(bytes).unwrap().kind == kind;
    corpus().into_iter().find(is_kind).unwrap()
}

fn context() -> Context<Reference> {
    let bytes = of_kind(ObjectKind::Parameters);
    let params = Parameters::from_bytes_allowing_insecure(&bytes).unwrap();
    Context::new(&params, Reference::new()).unwrap()
}

/// Reads an object of this kind with the method that its type has for such an input, and writes it again.
macro_rules! read_with {
    ($read:ident, $input:expr, $kind:expr, $context:expr, $parameters:expr $(, $argument:expr)?) => {{
        let (context, params) = ($context, $context.params());
        match $kind {
            ObjectKind::Parameters => $parameters($($argument)?)?.to_bytes(),
            ObjectKind::SecretKey => Ok(SecretKey::$read($input, context)?.to_bytes()?.to_vec()),
            ObjectKind::PublicKey => PublicKey::$read($input, params)?.to_bytes(),
            ObjectKind::SwitchingKey => SwitchingKey::$read($input, params)?.to_bytes(),
            ObjectKind::EvaluationKeys => EvaluationKeySet::$read($input, params)?.to_bytes(),
            ObjectKind::Plaintext => Plaintext::$read($input, context)?.to_bytes(),
            ObjectKind::Ciphertext => Ciphertext::$read($input, context)?.to_bytes(),
            ObjectKind::SeededCiphertext => SeededCiphertext::$read($input, params)?.to_bytes(),
            kind => {
                assert!(ELSEWHERE.contains(&kind));
                Err(WireError::UnknownKind { found: kind.code() }.into())
            }
        }
    }};
}

/// Reads whatever it is from memory, and writes it again.
fn again(bytes: &[u8], context: &Context<Reference>) -> Result<Vec<u8>> {
    let parameters = || Parameters::from_bytes_allowing_insecure(bytes);
    read_with!(from_bytes, bytes, peek(bytes)?.kind, context, parameters)
}

/// The same from a stream.
fn again_streamed(bytes: &[u8], context: &Context<Reference>) -> Result<Vec<u8>> {
    let kind = peek(bytes)?.kind;
    if kind == ObjectKind::EvaluationKeys {
        EvaluationKeys::load_from(bytes, context)?;
    }
    let mut input = bytes;
    let from = &mut input;
    let parameters =
        |from| super::parameters::read_stream(from, Parameters::from_spec_allowing_insecure);
    let again = read_with!(read_from, from, kind, context, parameters, from)?;
    super::expect_end(&mut input)?;
    Ok(again)
}

#[test]
fn mutants_of_every_kind_are_refused_or_read_back_to_the_byte() {
    const COUNT: u64 = 110_000;
    let (corpus, context) = (corpus(), context());
    let tally = drive(0x0b1ec7, COUNT, &corpus, |bytes| {
        again(bytes, &context).map_err(CkksError::into_kind)
    });
    assert_eq!(tally.total(), COUNT);
    for variant in [
        "BadMagic",
        "ChecksumMismatch",
        "Hal",
        "HeaderMalformed",
        "HeaderNotCanonical",
        "LimbList",
        "NonCanonicalResidue",
        "NotTernary",
        "OutOfBounds",
        "ParametersMismatch",
        "Params",
        "PayloadLength",
        "SizeOverflow",
        "TrailingBytes",
        "Truncated",
        "UnknownFlags",
        "UnknownKind",
        "UnsupportedVersion",
    ] {
        assert!(tally.refused.contains_key(variant), "{variant}: {tally:?}");
    }
    assert!(tally.accepted > COUNT / 20, "{tally:?}");
}

#[test]
fn streams_and_inspection_agree_with_memory() {
    let (corpus, context) = (corpus(), context());
    drive(0x57_4ea4, 22_000, &corpus, |bytes| {
        let (whole, streamed) = (again(bytes, &context), again_streamed(bytes, &context));
        assert_eq!(whole.is_ok(), streamed.is_ok(), "{whole:?} {streamed:?}");
        match (whole.as_ref().map_err(CkksError::kind), inspect(bytes)) {
            (Ok(_), Ok(inspection)) => {
                assert_eq!(inspection.bytes(), bytes.len() as u64);
                assert!(!inspection.to_string().is_empty());
            }
            // Inspection does not know which parameters are expected, and does not look at rows.
            (
                Err(CkksErrorKind::Wire(
                    WireError::NonCanonicalResidue { .. }
                    | WireError::NonzeroPadding { .. }
                    | WireError::NotTernary { .. },
                )),
                Ok(_),
            )
            | (Err(CkksErrorKind::ParametersMismatch { .. }), _) => {}
            (Err(CkksErrorKind::Wire(WireError::UnknownKind { found: 9..=11 })), _) => {}
            (Err(_), Err(_)) => {}
            (read, inspected) => panic!("read {read:?}, inspected {inspected:?}"),
        }
        streamed
    });
}

#[test]
fn every_corruption_of_a_payload_is_detected() {
    let context = context();
    for valid in corpus() {
        let start = PREFIX_LEN + peek(&valid).unwrap().header_len as usize;
        for at in start..valid.len() - CHECKSUM_LEN {
            let mut bytes = valid.clone();
            bytes[at] ^= 1 << (at % 8);
            let outcome = again(&bytes, &context).map_err(CkksError::into_kind);
            refused! { outcome => CkksErrorKind::Wire(WireError::ChecksumMismatch) }
            assert!(again_streamed(&bytes, &context).is_err(), "byte {at}");
        }
    }
}

#[test]
fn every_truncation_is_detected() {
    let context = context();
    for valid in corpus() {
        for len in (0..valid.len()).step_by(7) {
            assert!(again(&valid[..len], &context).is_err());
            assert!(again_streamed(&valid[..len], &context).is_err());
        }
    }
}

/// Decodes the header, changes it and puts it back with a fresh checksum.
fn with_header<F: Fields>(valid: &[u8], change: impl FnOnce(&mut Header<F>)) -> Vec<u8> {
    let container = Reader::from_bytes(valid, F::KIND).unwrap();
    let mut header: Header<F> = container.header().unwrap();
    change(&mut header);
    let header = postcard::to_stdvec(&header).unwrap();
    let mut bytes = valid[..16].to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(&valid[20..PREFIX_LEN]);
    bytes.extend(header);
    bytes.extend(container.payload());
    bytes.extend([0; CHECKSUM_LEN]);
    refresh_checksum(&mut bytes);
    bytes
}

fn message<F: Fields>(change: impl FnOnce(&mut Header<F>)) -> String {
    let bytes = with_header(&of_kind(F::KIND), change);
    again(&bytes, &context()).unwrap_err().to_string()
}

#[test]
fn each_field_of_a_header_has_its_error() {
    use super::header::{CiphertextFields as Ct, KeyEntry as Key};
    let ct = |change: fn(&mut Ct)| message(|h: &mut Header<Ct>| change(&mut h.fields));
    let key = |change: fn(&mut Key)| message(|h: &mut Header<Key>| change(&mut h.fields));
    for (message, expected) in [
        (ct(|h| h.level = 3), "level of the limbs is 3"),
        (
            ct(|h| h.level = u32::MAX),
            "level of the limbs is 4294967295",
        ),
        (ct(|h| h.batch = 0), "batch size is 0"),
        (ct(|h| h.batch = 1 << 15), "payload"),
        (ct(|h| h.batch = (1 << 15) + 1), "batch size is 32769"),
        (ct(|h| h.batch = 1), "payload"),
        (ct(|h| h.components = 3), "number of components is 3"),
        (ct(|h| h.pending = true), "level of the limbs is 3"),
        (ct(|h| h.limbs.clear()), "number of limbs is 0"),
        (ct(|h| h.limbs.swap(0, 1)), "at position 1"),
        (ct(|h| h.limbs[1] = h.limbs[0]), "at position 1"),
        (
            ct(|h| h.limbs[0] = u16::MAX),
            "lists limb 65535 at position 0",
        ),
        (
            message(|h: &mut Header<Ct>| h.spec.log_n = 7),
            "two parameter sets",
        ),
        (key(|h| h.kind = 2), "Galois"),
        (key(|h| h.kind = 129), "Galois"),
        (key(|h| h.level_budget = 3), "level budget of the key is 3"),
        (key(|h| h.level_budget = 2), "payload"),
    ] {
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}

#[test]
fn keys_are_listed_once_and_in_order() {
    let swapped = message(|h: &mut Header<Vec<KeyEntry>>| h.fields.swap(0, 1));
    let doubled = message(|h: &mut Header<Vec<KeyEntry>>| h.fields[1] = h.fields[0]);
    for message in [swapped, doubled] {
        assert!(message.contains("ascending order"), "{message}");
    }
}

/// A key's digest is that of its own container, from memory and from the bytes of the set's file.
#[test]
fn digests_of_keys_are_those_of_their_containers() {
    let bytes = of_kind(ObjectKind::EvaluationKeys);
    let context = context();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.arras");
    std::fs::write(&path, &bytes).unwrap();
    let (set, digests) = EvaluationKeySet::from_file_with_digests(&path, context.params()).unwrap();
    assert!(set == EvaluationKeySet::from_bytes(&bytes, context.params()).unwrap());
    assert!(set.len() > 1);
    for (key, digest) in set.iter().zip(&digests) {
        assert_eq!(*blake3::hash(&key.to_bytes().unwrap()).as_bytes(), *digest);
        assert_eq!(key.digest().unwrap(), *digest);
    }
    assert_eq!(set.len(), digests.len());

    let mut damaged = bytes;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    assert!(EvaluationKeySet::from_file_with_digests(&path, context.params()).is_err());
}
