//! Encrypted objects as bytes.

use std::path::PathBuf;

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    CkksErrorKind, Context, Parameters,
    wire::{
        ObjectKind, ObjectSummary, Overwrite, PREFIX_LEN, Reader, WireError, container_to_vec,
        inspect as inspect_any, peek,
    },
};
use arras_hal::{Reference, SecretEngine};
use arras_toolkit::{
    Client, EncodingUnit, Encrypted, Layout, Result, SeededEncrypted, ToolkitErrorKind, Value,
    wire::inspect,
};
use ndarray::{Array1, Array2};
use serde::{Serialize, Serializer, ser::SerializeTuple};

use crate::support::{Numbers, client, insecure, sizes::small_parameters, worst};

fn unit() -> EncodingUnit {
    EncodingUnit::new(16, 32).unwrap()
}

/// One of every layout.
fn objects() -> Vec<(Layout, Value)> {
    let unit = unit();
    let mut numbers = Numbers(77);
    let strided = Layout::Matrix {
        rows: 3,
        cols: 31,
        unit,
        row_stride: 4,
    };
    let repeating = Layout::ColumnVector {
        len: 5,
        unit,
        period: 8,
    };
    let slots = Layout::Slots {
        units: 2,
        slots: 512,
    };
    let lists = vec![numbers.vector(512).to_vec(), numbers.vector(512).to_vec()];
    vec![
        (Layout::matrix(17, 40, unit), numbers.matrix(17, 40).into()),
        (strided, numbers.matrix(3, 31).into()),
        (Layout::row_vector(33, unit), numbers.vector(33).into()),
        (Layout::column_vector(33, unit), numbers.vector(33).into()),
        (repeating, numbers.vector(5).into()),
        (Layout::Scalar { slots: 512 }, numbers.next().into()),
        (slots, lists.into()),
    ]
}

fn params() -> Parameters {
    small_parameters(1)
}

fn round_trips<S: SecretEngine>(client: &Client<S>) {
    let (context, params) = (client.context(), client.context().params());
    for (i, (layout, value)) in objects().into_iter().enumerate() {
        let sent = client.encrypt(layout, value.clone(), i % 2).unwrap();
        let bytes = sent.to_bytes().unwrap();
        let seeded = SeededEncrypted::from_bytes(&bytes, params).unwrap();
        assert_eq!(seeded.layout(), &layout);
        assert_eq!(seeded.to_bytes().unwrap(), bytes);

        let encrypted = seeded.expand(context).unwrap();
        let bytes = encrypted.to_bytes().unwrap();
        let read = Encrypted::from_bytes(&bytes, context).unwrap();
        assert_eq!((read.layout(), read.level()), (&layout, i % 2));
        assert_eq!(read.to_bytes().unwrap(), bytes);
        let off = worst(&client.decrypt(&read).unwrap(), &value);
        assert!(off < 1e-5, "{layout}: {off}");
    }
}

#[test]
fn on_the_cpu() {
    round_trips(&client(&params(), CpuEngine::new()));
}

#[test]
fn on_the_reference() {
    round_trips(&client(&params(), Reference::new()));
}

#[test]
fn engines_read_each_others_bytes() {
    let (cpu, reference) = (
        client(&params(), CpuEngine::new()),
        client(&params(), Reference::new()),
    );
    for (layout, value) in objects() {
        let sent = cpu.encrypt(layout, value.clone(), 1).unwrap();
        let bytes = sent.expand(cpu.context()).unwrap().to_bytes().unwrap();
        let read = Encrypted::from_bytes(&bytes, reference.context()).unwrap();
        assert_eq!(read.to_bytes().unwrap(), bytes);
        let off = worst(&reference.decrypt(&read).unwrap(), &value);
        assert!(off < 1e-5, "{layout}: {off}");
    }
}

#[test]
fn files() {
    let client = client(&params(), CpuEngine::new());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("encrypted.arras");
    let layout = Layout::matrix(17, 40, unit());
    let sent = client
        .encrypt(layout, Numbers(1).matrix(17, 40), 0)
        .unwrap();
    let written = sent.save(&path, Overwrite::Replace).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(written, bytes.len() as u64);
    assert_eq!(bytes, sent.to_bytes().unwrap());
    let read = SeededEncrypted::from_file(&path, &params()).unwrap();
    assert_eq!(read.to_bytes().unwrap(), bytes);

    // Another kind of object, a file that is there, a damaged file: each is named.
    let expanded = sent.expand(client.context()).unwrap();
    for error in [
        Encrypted::from_file(&path, client.context()).unwrap_err(),
        expanded.save(&path, Overwrite::Refuse).unwrap_err(),
    ] {
        assert!(error.to_string().contains("encrypted.arras"), "{error}");
    }
    expanded.save(&path, Overwrite::Replace).unwrap();
    let read = Encrypted::from_file(&path, client.context()).unwrap();
    assert_eq!(read.to_bytes().unwrap(), expanded.to_bytes().unwrap());
    let mut damaged = expanded.to_bytes().unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let error = Encrypted::from_file(&path, client.context()).unwrap_err();
    assert!(error.to_string().contains("encrypted.arras"), "{error}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn inspection_needs_no_parameters() {
    let client = client(&params(), CpuEngine::new());
    let (layout, value) = objects().swap_remove(0);
    let sent = client.encrypt(layout, value, 1).unwrap();
    let bytes = sent.to_bytes().unwrap();
    let found = inspect(&bytes).unwrap();
    assert_eq!(found.layout, layout);
    assert_eq!(found.ciphertexts.parameters(), Some(&params()));
    assert_eq!(
        found.ciphertexts.summary(),
        &ObjectSummary::SeededCiphertext { level: 1, batch: 4 }
    );
    let outer = inspect_any(bytes.as_slice()).unwrap();
    assert_eq!(outer.kind(), ObjectKind::SeededEncryptedArray);
    assert_eq!(outer.kind().to_string(), "seeded encrypted array");

    let expanded = sent.expand(client.context()).unwrap();
    let bytes = expanded.to_bytes().unwrap();
    assert_eq!(inspect(&bytes).unwrap().layout, layout);
    assert_eq!(peek(&bytes).unwrap().kind, ObjectKind::EncryptedArray);
    let error = inspect(&expanded.ciphertext().to_bytes().unwrap()).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::Ckks(error) if matches!(error.kind(), CkksErrorKind::Wire(WireError::WrongKind { .. }))
        )
    );
}

/// The encoding of layouts is part of the format.
#[test]
fn layouts_are_written_as_they_always_were() {
    let client = client(&params(), CpuEngine::new());
    let headers: [&[u8]; 7] = [
        &[0, 17, 40, 16, 32, 1],
        &[0, 3, 31, 16, 32, 4],
        &[1, 33, 16, 32],
        &[2, 33, 16, 32, 32],
        &[2, 5, 16, 32, 8],
        &[3, 0x80, 4],
        &[4, 2, 0x80, 4],
    ];
    for ((layout, value), header) in objects().into_iter().zip(headers) {
        let bytes = client
            .encrypt(layout, value, 0)
            .unwrap()
            .to_bytes()
            .unwrap();
        assert_eq!(&bytes[PREFIX_LEN..PREFIX_LEN + header.len()], header);
        assert_eq!(peek(&bytes).unwrap().header_len as usize, header.len());
    }
}

/// A header of these bytes.
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in &self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

/// A container whose checksum is right.
fn container(kind: ObjectKind, header: &impl Serialize, payload: &[u8]) -> Vec<u8> {
    container_to_vec(kind, header, payload.len() as u64, |out| out.bytes(payload)).unwrap()
}

fn sample(context: &Context<CpuEngine>) -> (Encrypted<CpuEngine>, Vec<u8>) {
    let client = client(context.params(), CpuEngine::new());
    let layout = Layout::row_vector(3, unit());
    let sent = client.encrypt(layout, Array1::zeros(3), 0).unwrap();
    let encrypted = sent.expand(context).unwrap();
    let bytes = encrypted.to_bytes().unwrap();
    (encrypted, bytes)
}

#[test]
fn every_truncation_and_damage_is_refused() {
    let context = Context::new(&params(), CpuEngine::new()).unwrap();
    let (_, bytes) = sample(&context);
    let read = |bytes: &[u8]| Encrypted::from_bytes(bytes, &context);
    read(&bytes).unwrap();
    for len in (0..300).chain((300..bytes.len()).step_by(97)) {
        assert!(read(&bytes[..len]).is_err(), "{len}");
    }
    let mut long = bytes.clone();
    long.push(0);
    assert!(read(&long).is_err());
    for at in (0..300).chain((300..bytes.len()).step_by(97)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(read(&damaged).is_err(), "{at}");
    }
}

/// Mutants with a right checksum are refused, or are what they are read as to the byte.
#[test]
fn mutants_are_refused_or_read_back_to_the_byte() {
    let context = Context::new(&params(), CpuEngine::new()).unwrap();
    let (_, bytes) = sample(&context);
    let header_len = peek(&bytes).unwrap().header_len as usize;
    let header = bytes[PREFIX_LEN..PREFIX_LEN + header_len].to_vec();
    let reader = Reader::from_bytes(&bytes, ObjectKind::EncryptedArray).unwrap();
    let payload = reader.payload().to_vec();
    let mut random = Numbers(0xdead);
    let mut below = |n: usize| (random.next().abs() * n as f64) as usize % n;
    const EXTREMES: [u8; 8] = [0, 1, 2, 31, 32, 0x7f, 0x80, 0xff];
    let (mut accepted, mut refused) = (0, 0);
    for index in 0..4000 {
        let (mut header, mut payload) = (header.clone(), payload.clone());
        match index % 4 {
            0 => header[below(header_len)] = EXTREMES[below(8)],
            1 => {
                for _ in 0..=below(3) {
                    header.insert(below(header.len()), EXTREMES[below(8)]);
                }
            }
            2 => header.truncate(below(header_len)),
            _ => {
                let at = below(payload.len());
                payload[at] ^= 1 << below(8);
            }
        }
        let mutant = container(ObjectKind::EncryptedArray, &Raw(header), &payload);
        match Encrypted::from_bytes(&mutant, &context) {
            Ok(read) => {
                assert_eq!(read.to_bytes().unwrap(), mutant, "mutant {index}");
                accepted += usize::from(mutant != bytes);
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    // Lengths that fill the same number of units are as good.
    assert!(accepted > 20 && refused > 2000, "{accepted}, {refused}");
}

#[test]
fn hostile_layouts_are_refused() {
    let context = Context::new(&params(), CpuEngine::new()).unwrap();
    let (encrypted, _) = sample(&context);
    let ciphertexts = encrypted.ciphertext().to_bytes().unwrap();
    let unit = unit();
    let read = |header: &Raw| {
        let bytes = container(ObjectKind::EncryptedArray, header, &ciphertexts);
        Encrypted::from_bytes(&bytes, &context).unwrap_err()
    };
    let with = |layout: Layout| {
        let bytes = container(ObjectKind::EncryptedArray, &layout, &ciphertexts);
        Encrypted::from_bytes(&bytes, &context).unwrap_err()
    };
    for layout in [
        Layout::matrix(0, 3, unit),
        Layout::matrix(usize::MAX, usize::MAX, unit),
        Layout::row_vector(usize::MAX, unit),
        Layout::Matrix {
            rows: 3,
            cols: 3,
            unit,
            row_stride: 0,
        },
        Layout::Matrix {
            rows: 3,
            cols: 3,
            unit,
            row_stride: 8,
        },
        Layout::ColumnVector {
            len: 3,
            unit,
            period: 0,
        },
        Layout::Scalar { slots: 0 },
        Layout::Scalar { slots: 1 << 40 },
        Layout::Slots {
            units: usize::MAX,
            slots: 512,
        },
    ] {
        let error = with(layout);
        assert!(
            matches!(error.kind(), ToolkitErrorKind::DoesNotFit { .. }),
            "{error}"
        );
    }
    // Layouts that exist, of other ciphertexts.
    let other = EncodingUnit::new(16, 16).unwrap();
    for layout in [
        Layout::row_vector(17, unit),
        Layout::matrix(16, 33, unit),
        Layout::row_vector(3, other),
        Layout::Scalar { slots: 256 },
    ] {
        let error = with(layout);
        assert!(
            matches!(error.kind(), ToolkitErrorKind::WrongInput { .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("1 ciphertexts of 512 slots"),
            "{error}"
        );
    }
    // No unit, no such layout, a number in more bytes than it needs.
    for header in [
        vec![1, 3, 16, 31],
        vec![1, 3, 0, 32],
        vec![5, 3, 16, 32],
        vec![1, 0x83, 0, 16, 32],
        vec![1, 3, 16],
        vec![1, 3, 16, 32, 0],
    ] {
        let error = read(&Raw(header));
        assert!(
            matches!(error.kind(), ToolkitErrorKind::Ckks(error) if matches!(error.kind(), CkksErrorKind::Wire(_))),
            "{error}"
        );
    }
}

#[test]
fn what_is_inside_must_be_ciphertexts_of_these_parameters() {
    let context = Context::new(&params(), CpuEngine::new()).unwrap();
    let (encrypted, bytes) = sample(&context);
    for (log_n, levels) in [(10, 2), (11, 1)] {
        let other = Context::new(&insecure(log_n, levels), CpuEngine::new()).unwrap();
        let error = Encrypted::from_bytes(&bytes, &other).unwrap_err();
        assert!(
            matches!(error.kind(), ToolkitErrorKind::Ckks(error) if matches!(error.kind(), CkksErrorKind::ParametersMismatch { .. })
            ),
            "{error}"
        );
    }
    // An encrypted object in an encrypted object, and seeded ciphertexts where others belong.
    let client = client(&params(), CpuEngine::new());
    let sent = client
        .encrypt(*encrypted.layout(), Array1::zeros(3), 0)
        .unwrap();
    let seeded = sent.ciphertext().to_bytes().unwrap();
    for payload in [&bytes, &seeded, &vec![], &vec![0; 100]] {
        let bytes = container(ObjectKind::EncryptedArray, encrypted.layout(), payload);
        let error = Encrypted::from_bytes(&bytes, &context).unwrap_err();
        assert!(
            matches!(error.kind(), ToolkitErrorKind::Ckks(error) if matches!(error.kind(), CkksErrorKind::Wire(_))),
            "{error}"
        );
    }
    let matrix: Array2<f64> = Numbers(1).matrix(3, 3);
    let other = client
        .encrypt(Layout::matrix(3, 3, unit()), &matrix, 0)
        .unwrap()
        .to_bytes()
        .unwrap();
    let error = Encrypted::from_bytes(&other, &context).unwrap_err();
    assert!(error.to_string().contains("encrypted array"), "{error}");
}

#[test]
fn ciphertexts_move_between_contexts_without_their_bytes() {
    let (cpu, reference) = (
        client(&params(), CpuEngine::new()),
        client(&params(), Reference::new()),
    );
    let (layout, value) = objects().swap_remove(0);
    let sent = cpu.encrypt(layout, value, 1).unwrap();
    let encrypted = sent.expand(cpu.context()).unwrap();
    // Its own context: the same ciphertexts; another of the same engine, another engine: the same residues.
    let same = encrypted.to_context(cpu.context()).unwrap();
    assert!(std::ptr::eq(same.ciphertext(), encrypted.ciphertext()));
    let other = Context::new(&params(), CpuEngine::new()).unwrap();
    let bytes = encrypted.to_bytes().unwrap();
    assert_eq!(
        encrypted.to_context(&other).unwrap().to_bytes().unwrap(),
        bytes
    );
    let moved = encrypted.to_context(reference.context()).unwrap();
    assert_eq!(moved.to_bytes().unwrap(), bytes);
    assert!(moved.ciphertext().context().is(reference.context()));
    // Other parameters: both are named.
    let wide = insecure(10, 2);
    let other = Context::new(&wide, CpuEngine::new()).unwrap();
    let error = encrypted.to_context(&other).unwrap_err().to_string();
    for set in [params(), wide] {
        let name: String = set.fingerprint()[..4]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(error.contains(&name), "{error}");
    }
}
