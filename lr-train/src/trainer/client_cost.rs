//! What a training costs its client.

use std::fmt;

use arras_toolkit::{
    Plan,
    plan::PlannedObject,
    text::{bytes, seconds},
};
use serde::{Deserialize, Serialize};

/// Bytes of evaluation keys that one core makes in a second, hashed and written to a file: measured with `lr-train keygen`, 39 to 614 MiB of keys at N = 2^14 to
/// 2^16 on one core of an AMD EPYC with AVX-512, 113 to 122 MiB.
const KEYS_A_SECOND: f64 = 118.0 * MIB;
/// Bytes of fresh ciphertexts, likewise: with `lr-train encrypt`, 40 to 377 MiB, 57 to 111 MiB.
const CIPHERTEXTS_A_SECOND: f64 = 80.0 * MIB;
const MIB: f64 = (1 << 20) as f64;

/// Bytes of a process that holds nothing.
const PROCESS: u64 = 12 << 20;
/// A data set as it was read, normalized, and in minibatches.
const COPIES_OF_ROWS: u64 = 3;

/// What a training costs its client, who makes keys, encrypts data and refreshes states. Seconds are of one core, and of the machine of the built-in rates: rates of
/// other cores differ by a factor of two or so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientCost {
    /// Seconds of making keys.
    pub key_seconds: f64,
    /// Seconds of encrypting data, all rounds together.
    pub data_seconds: f64,
    /// Seconds of refreshing states between rounds.
    pub refresh_seconds: f64,
    /// Bytes of the largest of its processes.
    pub memory: u64,
}

impl ClientCost {
    /// Of planned rounds with so many bytes of encrypted data and states, on so many rows of features.
    pub(super) fn of(
        planned: &Plan,
        (data, states): (u64, u64),
        (rows, features): (usize, usize),
    ) -> Self {
        let n = planned.parameters().n() as u64;
        let inputs = planned
            .stages()
            .iter()
            .flat_map(|stage| stage.inputs.values());
        let largest = inputs.map(|input| encrypted(input, n)).max().unwrap_or(0);
        let keys = planned.key_set_bytes();
        let table = COPIES_OF_ROWS * (rows * features * size_of::<f64>()) as u64;
        Self {
            key_seconds: keys.wire as f64 / KEYS_A_SECOND,
            data_seconds: data as f64 / CIPHERTEXTS_A_SECOND,
            refresh_seconds: states as f64 / CIPHERTEXTS_A_SECOND,
            // Of a fresh key one of two polynomials is kept, in pieces of memory that are an eighth larger at most.
            memory: PROCESS + (keys.loaded / 16 * 9).max(table + largest),
        }
    }

    /// All its work.
    pub fn seconds(&self) -> f64 {
        self.key_seconds + self.data_seconds + self.refresh_seconds
    }
}

/// Bytes of an input while it is encrypted: its slots, and of each ciphertext the polynomial that is no seed's.
fn encrypted(input: &PlannedObject, n: u64) -> u64 {
    let slots = n / 2 * size_of::<f64>() as u64;
    input.ciphertexts as u64 * slots + input.bytes.loaded / 2
}

impl fmt::Display for ClientCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key_seconds,
            data_seconds,
            refresh_seconds,
            memory,
        } = *self;
        write!(
            f,
            "{}; about {} for keys, {} for data",
            bytes(memory),
            seconds(key_seconds),
            seconds(data_seconds)
        )?;
        if refresh_seconds > 0.0 {
            write!(f, ", {} for refreshes", seconds(refresh_seconds))?;
        }
        write!(f, ", on one core")
    }
}
