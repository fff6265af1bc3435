//! Errors that know the operation they came from.

/// Gives an error its operation.
///
/// Private functions return errors without a name. The public method adds its own at its end, so that the name stands
/// in one place and is no argument of anything: `checks(..).named("multiply")?`. Where it has several steps, they stand
/// `within` it, a function of every error made by [`named_error!`](crate::named_error).
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

/// Makes the error type of a crate from an enum of kinds: the kind and, once [`Named`], the operation.
///
/// ```
/// use arras_hal::{Named, named_error};
///
/// #[derive(Debug, thiserror::Error)]
/// pub enum StoreErrorKind {
///     #[error("{got} shelves where {expected} are needed")]
///     Shelves { expected: usize, got: usize },
///     #[error(transparent)]
///     Text(#[from] std::num::ParseIntError),
/// }
///
/// named_error! {
///     /// Errors of a store.
///     pub struct StoreError(StoreErrorKind);
///     // Kinds whose message stands alone: it is never preceded by the operation.
///     alone(StoreErrorKind::Text(_));
///     // What a kind is made of by `#[from]` becomes the error too.
///     from(std::num::ParseIntError);
/// }
///
/// let error = StoreError::from(StoreErrorKind::Shelves { expected: 2, got: 3 }).named("fill").named("open");
/// assert_eq!(error.to_string(), "fill: 3 shelves where 2 are needed");
/// assert!(matches!(error.kind(), StoreErrorKind::Shelves { got: 3, .. }));
///
/// let parsed: Result<usize, StoreError> = "x".parse().map_err(StoreError::from).named("fill");
/// assert_eq!(parsed.unwrap_err().to_string(), "invalid digit found in string");
/// ```
///
/// The kinds are boxed: a `Result` stays small, whatever an error has to say.
#[macro_export]
macro_rules! named_error {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Error:ident($Kind:ident);
        $(alone($alone:pat);)?
        $(from($($source:ty),+ $(,)?);)?
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $Error {
            operation: ::core::option::Option<&'static str>,
            kind: ::std::boxed::Box<$Kind>,
        }

        impl $Error {
            /// What went wrong.
            $vis fn kind(&self) -> &$Kind {
                &self.kind
            }

            /// What went wrong, taken out of the error.
            $vis fn into_kind(self) -> $Kind {
                *self.kind
            }

            /// The public operation that failed.
            $vis fn operation(&self) -> ::core::option::Option<&'static str> {
                self.operation
            }

            /// Runs the steps of a public operation, which names their errors.
            ///
            /// # Errors
            /// The body's.
            $vis fn within<T>(
                operation: &'static str,
                body: impl ::core::ops::FnOnce() -> ::core::result::Result<T, Self>,
            ) -> ::core::result::Result<T, Self> {
                $crate::Named::named(body(), operation)
            }
        }

        impl $crate::Named for $Error {
            fn named(mut self, operation: &'static str) -> Self {
                self.operation.get_or_insert(operation);
                self
            }
        }

        impl ::core::fmt::Display for $Error {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match (&*self.kind, self.operation) {
                    $(($alone, _) => ::core::fmt::Display::fmt(&self.kind, f),)?
                    (kind, ::core::option::Option::Some(operation)) => ::core::write!(f, "{operation}: {kind}"),
                    (kind, ::core::option::Option::None) => ::core::fmt::Display::fmt(kind, f),
                }
            }
        }

        impl ::core::error::Error for $Error {
            fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                ::core::error::Error::source(&*self.kind)
            }
        }

        impl ::core::convert::From<$Kind> for $Error {
            fn from(kind: $Kind) -> Self {
                Self {
                    operation: ::core::option::Option::None,
                    kind: ::std::boxed::Box::new(kind),
                }
            }
        }

        $($(
            impl ::core::convert::From<$source> for $Error {
                fn from(source: $source) -> Self {
                    $Kind::from(source).into()
                }
            }
        )+)?
    };
}
