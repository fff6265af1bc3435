//! Products of plaintext matrices with encrypted vectors and matrices.

use std::collections::BTreeSet;

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{
    Bindings, Circuit, EncodingUnit, Layout, Plaintext, Program, Recorder, Value,
    circuit::Recorded,
    linalg::{Dot, PlainMatrix},
    program::StepOp,
    run::Options,
};
use ndarray::Array2;
use proptest::prelude::*;

use crate::support::{Numbers, client, insecure, run, worst};
