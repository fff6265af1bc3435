//! Runs a reader over many mutants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Mutator;

/// What became of the mutants of one [`drive`].
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Mutants equal to a valid input; the damage undid itself.
    pub(crate) unchanged: u64,
    /// Mutants that were read, and whose re-encoding is the mutant.
    pub(crate) accepted: u64,
    /// Mutants refused, by the name of the error's variant.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Tally {
    /// All mutants.
    pub(crate) fn total(&self) -> u64 {
        self.unchanged + self.accepted + self.refused.values().sum::<u64>()
    }
}

/// Makes `count` mutants of the containers of `corpus`, in turn, and gives each to `read`, which returns the encoding
/// of what it read.
///
/// # Panics
/// If a mutant with a stale checksum is accepted, if a mutant is accepted whose re-encoding differs from it, if `read`
/// refuses a valid container, or if `read` panics; seed, index and steps are printed.
pub(crate) fn drive<E: std::error::Error>(
    seed: u64,
    count: u64,
    corpus: &[Vec<u8>],
    mut read: impl FnMut(&[u8]) -> Result<Vec<u8>, E>,
) -> Tally {
    let mut tally = Tally::default();
    for valid in corpus {
        let again = read(valid).expect("the corpus holds valid containers");
        assert!(
            again == *valid,
            "a valid container is re-encoded differently"
        );
    }
    for index in 0..count {
        let valid = &corpus[(index % corpus.len() as u64) as usize];
        let mutant = Mutator::new(seed, index).mutate(valid, corpus);
        let story = || {
            let mut story = format!("seed {seed:#x}, mutant {index}");
            for step in &mutant.steps {
                let _ = write!(story, "\n  {step}");
            }
            story
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&mutant.bytes)))
            .unwrap_or_else(|_| panic!("the reader panicked: {}", story()));
        match result {
            Ok(again) => {
                assert!(
                    again == mutant.bytes,
                    "accepted, but encoded differently: {}",
                    story()
                );
                if corpus.contains(&mutant.bytes) {
                    tally.unchanged += 1;
                } else {
                    assert!(
                        mutant.fresh_checksum,
                        "accepted with a stale checksum: {}",
                        story()
                    );
                    tally.accepted += 1;
                }
            }
            Err(error) => {
                // Formatting is part of what must not fail.
                assert!(!error.to_string().is_empty());
                // An error that passes on a wire error counts as that.
                let debug = format!("{error:?}");
                let variant: String = debug
                    .strip_prefix("Wire(")
                    .unwrap_or(&debug)
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                *tally.refused.entry(variant).or_default() += 1;
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::super::super::{
        ObjectKind, Reader, WireError, checked_rows_len, container_to_vec, limits,
    };
    use super::*;
    use std::io::Read;

    /// A stand-in for a real object's header: dimensions, a list of limbs, a label.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Header {
        log_n: u8,
        polys: u32,
        moduli: Vec<u32>,
        label: String,
    }

    fn encode(header: &Header, seed: [u8; 32], rows: &[u32], secret: &[i8]) -> Vec<u8> {
        let n = 1 << header.log_n;
        let len = 32
            + checked_rows_len(n, &header.moduli, header.polys as usize).unwrap()
            + secret.len().div_ceil(4) as u64;
        container_to_vec(ObjectKind::SwitchingKey, header, len, |out| {
            out.bytes(&seed)?;
            out.residue_rows(n, &header.moduli, rows)?;
            out.ternary(secret)
        })
        .unwrap()
    }

    fn check(header: &Header) -> Result<(usize, u64), WireError> {
        let n = limits::degree(u64::from(header.log_n))?;
        let rows = limits::rows_len(n, &header.moduli, header.polys as usize)?;
        Ok((n, 32 + rows + (n / 4) as u64))
    }

    fn read_all<R: Read>(mut reader: Reader<R>) -> Result<Vec<u8>, WireError> {
        let header: Header = reader.header()?;
        let (n, len) = check(&header)?;
        reader.expect_payload_len(len)?;
        let mut seed = [0; 32];
        seed.copy_from_slice(reader.next_bytes(32)?);
        let rows = reader.residue_rows(n, &header.moduli, header.polys as usize)?;
        let mut secret = vec![0; n];
        reader.ternary(&mut secret)?;
        reader.finish_at_end()?;
        Ok(encode(&header, seed, &rows, &secret))
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
        read_all(Reader::from_bytes(bytes, ObjectKind::SwitchingKey)?)
    }

    fn read_streamed(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
        let reader = Reader::new(bytes, 1 << 24)?;
        reader.prefix().expect_kind(ObjectKind::SwitchingKey)?;
        read_all(reader)
    }

    fn corpus() -> Vec<Vec<u8>> {
        [
            (3, 2, vec![97, 193]),
            (4, 1, vec![1_073_479_681, 19_922_689, 97]),
            (3, 1, vec![97]),
        ]
        .into_iter()
        .map(|(log_n, polys, moduli)| {
            let n = 1usize << log_n;
            let count = n * moduli.len() * polys as usize;
            let rows: Vec<u32> = (0..count as u32).map(|i| i % 97).collect();
            let secret: Vec<i8> = (0..n as i8).map(|i| i % 3 - 1).collect();
            let header = Header {
                log_n,
                polys,
                moduli,
                label: "a label".into(),
            };
            encode(&header, [7; 32], &rows, &secret)
        })
        .collect()
    }

    #[test]
    fn mutants_are_refused_or_read_back_to_the_byte() {
        let corpus = corpus();
        let tally = drive(0xa11a5, 20_000, &corpus, read);
        assert_eq!(tally.total(), 20_000);
        // Mutants must reach every check, or the mutator tests nothing.
        for variant in [
            "BadMagic",
            "ChecksumMismatch",
            "HeaderMalformed",
            "HeaderNotCanonical",
            "NonCanonicalResidue",
            "NotTernary",
            "OutOfBounds",
            "PayloadLength",
            "SizeOverflow",
            "TrailingBytes",
            "Truncated",
            "UnknownFlags",
            "UnknownKind",
            "UnsupportedVersion",
            "WrongKind",
        ] {
            assert!(tally.refused.contains_key(variant), "{variant}: {tally:?}");
        }
        assert!(tally.accepted > 500, "{tally:?}");
    }

    #[test]
    fn the_streaming_reader_agrees_with_the_one_in_memory() {
        let corpus = corpus();
        drive(0x57_4ea4, 20_000, &corpus, |bytes| {
            let (whole, streamed) = (read(bytes), read_streamed(bytes));
            assert_eq!(whole.is_ok(), streamed.is_ok(), "{whole:?} {streamed:?}");
            streamed
        });
    }

    #[test]
    fn mutants_can_be_made_again() {
        let corpus = corpus();
        for index in 0..100 {
            let once = Mutator::new(1, index).mutate(&corpus[0], &corpus);
            let again = Mutator::new(1, index).mutate(&corpus[0], &corpus);
            assert_eq!((once.bytes, once.steps), (again.bytes, again.steps));
        }
    }

    #[test]
    #[should_panic(expected = "encoded differently")]
    fn a_reader_that_accepts_two_encodings_is_caught() {
        // This one ignores what it is given.
        let corpus = corpus();
        let good = corpus[0].clone();
        drive(2, 1000, &corpus[..1], |_| Ok::<_, WireError>(good.clone()));
    }

    #[test]
    #[should_panic(expected = "the reader panicked")]
    fn a_reader_that_panics_is_caught() {
        let corpus = corpus();
        drive(3, 1000, &corpus[..1], |bytes| {
            Ok::<_, WireError>(read(bytes).unwrap())
        });
    }
}
