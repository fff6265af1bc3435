//! Drives a reader with damaged inputs on the stable compiler: what a fuzzer does, without its feedback.
//!
//! Input `i` is a pure function of the seeds and of `i`, so what fails fails again. As many inputs as the caller says; with
//! `ARRAS_FUZZ_INPUTS=100000` that many instead.

use std::{
    path::Path,
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

use chacha20::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// How long a reader may take for one input.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was tried.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) inputs: u64,
    pub(crate) accepted: u64,
}

/// The files of a corpus folder, in order of their names.
pub(crate) fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return vec![];
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// Gives the seeds, then mutants of them, `inputs` in all, to a reader that returns whether it took them. A panic, or an input that takes
/// too long, fails with the input written into `left`.
pub(crate) fn drive(
    name: &str,
    seeds: &[Vec<u8>],
    inputs: u64,
    left: &Path,
    mut read: impl FnMut(&[u8]) -> bool + Send,
) -> Tally {
    let asked = std::env::var("ARRAS_FUZZ_INPUTS");
    let inputs = asked.map_or(inputs, |text| {
        text.parse().expect("ARRAS_FUZZ_INPUTS is a number")
    });
    let path = left.join(format!("{name}.input"));
    let (started, watched) = channel::<u64>();
    let tally = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // Dropped when this ends, which ends the watch.
            let started = started;
            let mut tally = Tally {
                inputs: 0,
                accepted: 0,
            };
            while tally.inputs < inputs {
                let input = input(seeds, tally.inputs);
                started.send(tally.inputs).unwrap();
                tally.accepted += u64::from(read(&input));
                tally.inputs += 1;
            }
            tally
        });
        let mut last = 0;
        loop {
            match watched.recv_timeout(PATIENCE) {
                Ok(index) => last = index,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    std::fs::write(&path, input(seeds, last)).unwrap();
                    eprintln!(
                        "{name}: input {last} takes more than {PATIENCE:?}; it is in {}",
                        path.display()
                    );
                    // A thread that does not come back cannot be ended otherwise.
                    std::process::exit(1);
                }
            }
        }
        worker.join().map_err(|panic| (last, panic))
    });
    match tally {
        Ok(tally) => {
            println!(
                "{name}: {} inputs, {} accepted",
                tally.inputs, tally.accepted
            );
            tally
        }
        Err((index, panic)) => {
            std::fs::write(&path, input(seeds, index)).unwrap();
            eprintln!(
                "{name}: input {index} made the reader panic; it is in {}",
                path.display()
            );
            std::panic::resume_unwind(panic)
        }
    }
}

/// Input `index`: a seed as it is, then mutants.
fn input(seeds: &[Vec<u8>], index: u64) -> Vec<u8> {
    match seeds.get(index as usize) {
        Some(seed) => seed.clone(),
        None => Mutator(ChaCha8Rng::seed_from_u64(index)).mutate(seeds),
    }
}

/// Words that readers of texts get wrong: numbers at the edges of their types, brackets, delimiters, what terminals obey.
const WORDS: [&str; 30] = [
    "0",
    "-1",
    "1e308",
    "-1e-320",
    "NaN",
    "inf",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "-9223372036854775808",
    "0.1",
    "true",
    "null",
    "[]",
    "{}",
    "[[",
    "\"",
    "\\",
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "=",
    "#",
    "\u{feff}",
    "\u{0}",
    "é",
    "\u{1b}[31m",
    "9007199254740993",
];

const BYTES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n', b','];

/// Its stream is that of the input's number.
struct Mutator(ChaCha8Rng);

impl Mutator {
    /// A number below `bound`, or 0 if that is 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % (bound.max(1) as u64)) as usize
    }

    /// A range of at most `most` bytes.
    fn range(&mut self, len: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.below((len - start).min(most) + 1)
    }

    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let at = self.below(seeds.len());
        let mut bytes = seeds[at].clone();
        for _ in 0..1 + self.below(4) * self.below(2) {
            self.step(&mut bytes, seeds);
        }
        bytes
    }

    fn step(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        // The beginning holds what readers trust first.
        let near = if self.below(2) == 0 {
            bytes.len().min(256)
        } else {
            bytes.len()
        };
        match self.below(10) {
            0 => {
                let (at, bit) = (self.below(near), self.below(8));
                bytes
                    .get_mut(at)
                    .into_iter()
                    .for_each(|byte| *byte ^= 1 << bit);
            }
            1 => {
                let (at, value) = (self.below(near), BYTES[self.below(BYTES.len())]);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte = value);
            }
            2 => {
                let range = self.range(near, 32);
                bytes.drain(range);
            }
            3 => {
                let range = self.range(near, 64);
                let piece = bytes[range.clone()].repeat(1 + self.below(4));
                bytes.splice(range.end..range.end, piece);
            }
            4 => {
                let len = self.below(bytes.len() + 1);
                bytes.truncate(len);
            }
            5 => {
                let donor = &seeds[self.below(seeds.len())];
                let piece = donor[self.range(donor.len(), 64)].to_vec();
                let range = self.range(near, 64);
                bytes.splice(range, piece);
            }
            6 | 7 => self.number(bytes),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let range = self.range(near, 4);
                bytes.splice(range, word.bytes());
            }
        }
    }

    /// Another word in the place of a run of digits, so that texts stay texts.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let from = self.below(bytes.len());
        let digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let Some(start) = bytes[from..].iter().position(digit).map(|at| from + at) else {
            return;
        };
        let len = bytes[start..]
            .iter()
            .position(|byte| !digit(byte))
            .unwrap_or(bytes.len() - start);
        let new = match self.below(3) {
            0 => WORDS[self.below(14)].to_owned(),
            1 => (self.0.next_u64() >> self.below(64)).to_string(),
            _ => f64::from_bits(self.0.next_u64()).to_string(),
        };
        bytes.splice(start..start + len, new.bytes());
    }
}
