//! Logistic regression on encrypted data: data sets, training circuits, trainer.
#![forbid(unsafe_code)]
