//! Secrets on an engine that may not hold them do not compile.
//!
//! The expected messages in `ui/*.stderr` are those of one compiler version; after a compiler update that words them
//! differently, `TRYBUILD=overwrite cargo test -p arras-ckks --test secret_engine_ui` writes them anew.

#[test]
fn only_secret_engines_take_secrets() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/server_on_any_engine.rs");
    cases.compile_fail("tests/ui/secret_key_on_any_engine.rs");
    cases.compile_fail("tests/ui/encryption_on_any_engine.rs");
    cases.compile_fail("tests/ui/decryption_on_any_engine.rs");
}
