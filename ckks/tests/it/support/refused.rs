//! Tables of what fails.

/// Each outcome is an error of its pattern: `refused! { outcome => pattern, .. }`. Guards see references.
macro_rules! refused {
    ($($outcome:expr => $pattern:pat $(if $guard:expr)?),+ $(,)?) => {$(
        // A match, so that what the outcome borrows lives as long.
        match $outcome {
            outcome => {
                let as_expected = matches!(&outcome, Err($pattern) $(if $guard)?);
                assert!(as_expected, "{} gave {:?}", stringify!($outcome), outcome.err());
            }
        }
    )+};
}

/// The message of each error has all of its parts: `says! { error => [part, ..], .. }`.
macro_rules! says {
    ($($error:expr => [$($part:expr),+]),+ $(,)?) => {$(
        let message = $error.to_string();
        for part in [$($part),+] {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
    )+};
}
