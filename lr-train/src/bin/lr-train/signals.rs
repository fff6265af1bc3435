//! Ctrl-C: the first asks the verb to end, the second ends the process.

use std::sync::{
    OnceLock,
    atomic::{AtomicI32, Ordering},
};

use arras::StopToken;

use crate::failure::Failure;

/// The first signal that came, 0 before.
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// What SIGINT and SIGTERM set, from the first call on. A verb asks for it when it begins what it can end by itself: until then, and on
/// systems without these signals, the process is ended as any other.
pub(crate) fn token() -> StopToken {
    static TOKEN: OnceLock<StopToken> = OnceLock::new();
    let made = || {
        let token = StopToken::new();
        listen(token.clone());
        token
    };
    TOKEN.get_or_init(made).clone()
}

#[cfg(unix)]
fn listen(token: StopToken) {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };
    // Where the system takes no handler, signals end the process.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if CAUGHT.swap(signal, Ordering::AcqRel) != 0 {
                std::process::exit(code_of(signal).into());
            }
            token.stop();
        }
    });
}

#[cfg(not(unix))]
fn listen(_: StopToken) {}

/// What shells see of a process that a signal ended.
fn code_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// The exit code of a verb that was stopped.
pub(crate) fn code() -> u8 {
    code_of(CAUGHT.load(Ordering::Acquire))
}

/// What a verb says that was stopped.
pub(crate) fn explained(failure: Failure) -> Failure {
    match failure {
        Failure::Train(error) if error.is_stopped() => Failure::Stopped {
            by: match CAUGHT.load(Ordering::Acquire) {
                2 => "Ctrl-C (SIGINT)",
                _ => "SIGTERM",
            },
        },
        other => other,
    }
}
