//! Errors that know the operation they came from.

/// Gives an error its operation.
///
/// Private functions return errors without a name. The public method adds its own at its end, so that the name stands
/// in one place and is no argument of anything: `checks(..).named("multiply")?`. Several steps go [`within`] an operation.
pub trait Named: Sized {
    /// Sets the operation of an error that has none yet. One that was named further down keeps that name.
    #[must_use]
    fn named(self, operation: &'static str) -> Self;
}

impl<T, E: Named> Named for Result<T, E> {
    fn named(self, operation: &'static str) -> Self {
        self.map_err(|error| error.named(operation))
    }
}

/// Runs a body of several steps; an error without a name takes the operation's.
///
/// # Errors
/// The body's.
pub fn within<T, E: Named>(
    operation: &'static str,
    body: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    body().named(operation)
}
