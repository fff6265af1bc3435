//! Stopping what runs long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Stops long calls from another thread or a signal handler: they read it between groups of work, and end with [`Stopped`] once it
/// is set. Clones are one token. A token that was set stays set; a call that is to go on gets a new one.
///
/// A call takes it from what it works with: the scheme's context, the options of a run or of a planner.
///
/// ```
/// use arras_hal::StopToken;
///
/// let token = StopToken::new();
/// let held_elsewhere = token.clone();
/// assert!(token.check().is_ok());
/// held_elsewhere.stop();
/// assert!(token.is_stopped() && token.check().is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicBool>);

impl StopToken {
    /// A token that nobody has set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every call that reads this token to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether [`StopToken::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// # Errors
    /// [`Stopped`] after [`StopToken::stop`].
    pub fn check(&self) -> Result<(), Stopped> {
        if self.is_stopped() {
            return Err(Stopped {
                kept: "nothing of it",
            });
        }
        Ok(())
    }
}

/// A call ended early because its [`StopToken`] was set. The errors that are made of it name the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before its end, as asked; {kept} is kept, and the same call starts anew")]
#[non_exhaustive]
pub struct Stopped {
    /// What is there of the work that was done.
    pub kept: &'static str,
}
