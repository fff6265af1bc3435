//! Encryption and decryption of objects of all sizes.

use arras_backend_cpu::CpuEngine;
use arras_ckks::Decryptor;
use arras_hal::{Reference, SecretEngine};
use arras_toolkit::{Client, EncodingUnit, Encrypted, Layout, Value};

use crate::support::{
    Numbers, client,
    sizes::{Sizes, large, large_parameters, small, small_parameters},
    worst,
};

fn objects(sizes: &Sizes) -> Vec<(Layout, Value)> {
    let mut numbers = Numbers(2024);
    let unit = sizes.unit;
    let mut objects = vec![(
        Layout::Scalar {
            slots: unit.slots(),
        },
        numbers.next().into(),
    )];
    for &(rows, cols) in sizes.matrices {
        let value = numbers.matrix(rows, cols).into();
        objects.push((Layout::matrix(rows, cols, unit), value));
    }
    for &len in sizes.rows {
        objects.push((Layout::row_vector(len, unit), numbers.vector(len).into()));
    }
    for &len in sizes.columns {
        objects.push((Layout::column_vector(len, unit), numbers.vector(len).into()));
    }
    objects
}

/// Decrypts and looks at the slots too: what is outside of the object decrypts to zero.
fn comes_back<S: SecretEngine>(client: &Client<S>, encrypted: &Encrypted<S>, value: &Value) {
    const TOLERANCE: f64 = 1e-6;
    let layout = encrypted.layout();
    assert_eq!(encrypted.ciphertext().batch(), layout.units());
    let found = client.decrypt(encrypted).unwrap();
    assert!(worst(&found, value) < TOLERANCE, "{layout}");
    let secret = client.secret_key().unwrap();
    let slots = Decryptor::new(secret)
        .decrypt(encrypted.ciphertext())
        .unwrap();
    let packed = layout.pack("value", value).unwrap();
    let off = worst(&slots.into(), &packed.into());
    assert!(off < TOLERANCE, "{layout}: slots are off by {off}");
}

fn round_trips<S: SecretEngine>(client: &Client<S>, sizes: &[Sizes]) {
    for sizes in sizes {
        for (i, (layout, value)) in objects(sizes).into_iter().enumerate() {
            let level = i % 2;
            let sent = client.encrypt(layout, value.clone(), level).unwrap();
            let encrypted = sent.expand(client.context()).unwrap();
            assert_eq!((encrypted.layout(), encrypted.level()), (&layout, level));
            comes_back(client, &encrypted, &value);
            if i % 5 == 0 {
                let public = client.encrypt_public(layout, value.clone(), level).unwrap();
                comes_back(client, &public, &value);
            }
        }
    }
}

#[test]
fn on_the_cpu() {
    round_trips(&client(&large_parameters(1), CpuEngine::new()), &large());
}

#[test]
fn on_the_reference() {
    round_trips(&client(&small_parameters(1), Reference::new()), &small());
}

#[test]
fn strided_and_repeating_objects_come_back() {
    let client = client(&small_parameters(1), CpuEngine::new());
    let unit = EncodingUnit::new(32, 16).unwrap();
    let mut numbers = Numbers(8);
    let strided = Layout::Matrix {
        rows: 15,
        cols: 16,
        unit,
        row_stride: 2,
    };
    let repeating = Layout::ColumnVector {
        len: 7,
        unit,
        period: 8,
    };
    for (layout, value) in [
        (strided, Value::from(numbers.matrix(15, 16))),
        (repeating, numbers.vector(7).into()),
        (
            Layout::Slots {
                units: 2,
                slots: 512,
            },
            vec![numbers.vector(512).to_vec(), numbers.vector(512).to_vec()].into(),
        ),
    ] {
        let sent = client.encrypt(layout, value.clone(), 1).unwrap();
        comes_back(&client, &sent.expand(client.context()).unwrap(), &value);
    }
}
