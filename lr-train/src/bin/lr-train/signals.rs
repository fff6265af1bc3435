//! Ctrl-C: a verb that has claimed what it writes is asked to end, and gives up its claims; before that there is nothing to give up, and the
//! process ends at once. A second Ctrl-C ends it in any case.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicI32, Ordering},
};

use arras::StopToken;

use crate::{failure::Failure, output::Output};

/// The first signal that came, 0 before.
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// What a signal does. Whoever is about to end the process keeps it locked.
static PHASE: Mutex<Phase> = Mutex::new(Phase::Reading);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is claimed: the process says that it was stopped, and ends.
    Reading,
    /// The verb ends by itself.
    Working,
    /// The answer is being printed: the process ends.
    Answering,
}

fn phase() -> std::sync::MutexGuard<'static, Phase> {
    PHASE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What SIGINT and SIGTERM set once something is [claimed](claimed): everything long that follows reads it.
pub(crate) fn token() -> StopToken {
    static TOKEN: OnceLock<StopToken> = OnceLock::new();
    TOKEN.get_or_init(StopToken::new).clone()
}

/// From here on there is something to give up: the verb ends by itself when the [`token`] is set.
pub(crate) fn claimed() {
    *phase() = Phase::Working;
}

/// From here on the verb has done its work.
pub(crate) fn answering() {
    *phase() = Phase::Answering;
}

/// Listens to SIGINT and SIGTERM, for a verb of this name. On systems without them, and where the system takes no handler, the process ends as any
/// other.
#[cfg(unix)]
pub(crate) fn listen(verb: &'static str, output: Arc<Output>) {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let first = CAUGHT.swap(signal, Ordering::AcqRel) == 0;
            let phase = phase();
            if first && *phase == Phase::Working {
                token().stop();
                continue;
            }
            if *phase == Phase::Reading {
                output.failure(verb, &stopped());
            }
            std::process::exit(code_of(signal).into());
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn listen(_: &'static str, _: Arc<Output>) {}

/// What shells see of a process that a signal ended.
fn code_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// The exit code of a verb that was stopped.
pub(crate) fn code() -> u8 {
    code_of(CAUGHT.load(Ordering::Acquire))
}

/// What a verb says that was stopped.
pub(crate) fn stopped() -> Failure {
    Failure::Stopped {
        by: match CAUGHT.load(Ordering::Acquire) {
            2 => "Ctrl-C (SIGINT)",
            _ => "SIGTERM",
        },
    }
}
