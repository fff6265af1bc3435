//! Recorded hashes. They are the same on every platform; a change of one means that ciphertexts or keys made from a seed
//! have other bytes than before, which the changelog mentions.

/// Set, program, hash of the program's record.
const GOLDEN: &[(&str, &str, &str)] = &[];

/// The recorded hash of a program on a set.
pub(super) fn digest(set: &str, program: &str) -> Option<&'static str> {
    GOLDEN
        .iter()
        .find(|(s, p, _)| (*s, *p) == (set, program))
        .map(|(_, _, hash)| *hash)
}
