//! One call of one operation as data, so that it can run on any engine, in any state of memory.

use std::sync::Arc;

use super::{rig::Rig, values::Words};
use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape, composites,
};

macro_rules! define_op {
    ($( $variant:ident $(( $($data:ty),* ))? = $name:ident; )*) => {
        /// An operation with its plain data.
        #[derive(Debug)]
        pub(super) enum Op {
            $( $variant $(( $($data),* ))?, )*
        }

        impl Op {
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => stringify!($name), )*
                }
            }
        }
    };
}

define_op! {
    CopyRows(Vec<RowCopy>) = copy_rows;
    Zero = zero;
    Ntt = ntt;
    Intt = intt;
    Add = add;
    Sub = sub;
    Mul = mul;
    MulAcc = mul_acc;
    Scale(LimbConstants) = scale;
    Automorphism(GaloisElement) = automorphism;
    BaseConvert(Arc<ConversionTable>) = base_convert;
    KeyInnerProduct(Vec<usize>, GaloisElement) = key_inner_product;
    AddAssign = add_assign;
    SubAssign = sub_assign;
    MulAssign = mul_assign;
    ScaleAssign(LimbConstants) = scale_assign;
    Neg = neg;
    AddLeading(usize) = add_leading;
    AddConstants(LimbConstants, usize) = add_constants;
    RestrictAndScale(LimbConstants) = restrict_and_scale;
    Rescale(Arc<RescalePlan>) = rescale;
    ModUp(Arc<ModUpPlan>) = mod_up;
    ModDownAndRescale(GaloisElement, Arc<KeySwitchPlan>) = mod_down_and_rescale;
    Tensor = tensor;
    SumOfProducts = sum_of_products;
    WeightedSum = weighted_sum;
    KeySwitch(GaloisElement, Arc<KeySwitchPlan>) = key_switch;
    Relinearize(Arc<KeySwitchPlan>) = relinearize;
    Rotate(GaloisElement, Arc<KeySwitchPlan>) = rotate;
    HoistedRotations(Vec<GaloisElement>, Arc<KeySwitchPlan>) = hoisted_rotations;
    RotationSum(Vec<GaloisElement>, Arc<KeySwitchPlan>) = rotation_sum;
}

/// An output: written whatever it held, or updated from `initial`.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) shape: Shape,
    pub(super) domain: Domain,
    pub(super) initial: Option<Words>,
}

impl Out {
    /// Written whatever it held.
    pub(super) fn written(shape: Shape, domain: Domain) -> Self {
        Self {
            shape,
            domain,
            initial: None,
        }
    }
}

/// A key in boundary form.
#[derive(Clone, Debug)]
pub(super) struct KeyWords {
    pub(super) layout: KeyLayout,
    pub(super) words: Vec<u32>,
}

/// Which body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// The engine's own operation.
    Own,
    /// The default body over the engine's other operations (of a primitive: its own; of `key_inner_product`: the ready body over
    /// rows).
    Default,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) basis: Arc<RingBasis>,
    pub(super) op: Op,
    /// Buffers that are read. Lists follow each other: factors a, factors b; terms, weights; source, addend or weights.
    pub(super) ins: Vec<Words>,
    pub(super) outs: Vec<Out>,
    /// Keys by position; an absent one stands for the identity's.
    pub(super) keys: Vec<Option<KeyWords>>,
}

/// A call on an engine, not read back yet.
pub(super) struct Running<B: Backend> {
    pub(super) ins: Vec<B::Buf>,
    pub(super) keys: Vec<Option<B::Key>>,
    pub(super) outs: Vec<B::Buf>,
}

impl Call {
    /// The call in words, for messages.
    pub(super) fn describe(&self) -> String {
        let shape = |s: &Shape| format!("{} x {}", s.polys, s.limbs);
        let ins: Vec<String> = self.ins.iter().map(|w| shape(&w.shape)).collect();
        let outs: Vec<String> = self.outs.iter().map(|o| shape(&o.shape)).collect();
        format!(
            "{} (N = {}, {} to {})",
            self.op.name(),
            self.basis.n(),
            ins.join(", "),
            outs.join(", ")
        )
    }

    /// Uploads everything and enqueues the operation; outputs that are only written hold garbage made from `poison`.
    pub(super) fn start<B: Backend>(&self, rig: &Rig<B>, body: Body, poison: u64) -> Running<B> {
        let ins: Vec<B::Buf> = self.ins.iter().map(|w| rig.upload(w)).collect();
        let keys: Vec<Option<B::Key>> = self
            .keys
            .iter()
            .map(|key| key.as_ref().map(|key| rig.key(&key.layout, &key.words)))
            .collect();
        let mut outs: Vec<B::Buf> = self
            .outs
            .iter()
            .enumerate()
            .map(|(k, out)| match &out.initial {
                Some(words) => rig.upload(words),
                None => rig.garbage(&out.shape, poison.wrapping_add(k as u64)),
            })
            .collect();
        self.apply(rig, body, &mut outs, &ins, &keys)
            .unwrap_or_else(|e| panic!("{}: {e}", self.describe()));
        Running { ins, keys, outs }
    }

    /// Reads the outputs of a started call.
    pub(super) fn finish<B: Backend>(&self, rig: &Rig<B>, running: &Running<B>) -> Vec<Words> {
        let outs = running.outs.iter().zip(&self.outs);
        outs.map(|(buf, out)| rig.download(buf, out.domain, &self.describe()))
            .collect()
    }

    /// Runs the call and returns its outputs.
    pub(super) fn run<B: Backend>(&self, rig: &Rig<B>, body: Body, poison: u64) -> Vec<Words> {
        let running = self.start(rig, body, poison);
        self.finish(rig, &running)
    }

    /// Runs the engine's own operation once more on the buffers of a call that worked.
    pub(super) fn again<B: Backend>(&self, rig: &Rig<B>, call: &mut Running<B>) -> Vec<Words> {
        self.apply(rig, Body::Own, &mut call.outs, &call.ins, &call.keys)
            .expect("the call worked before");
        self.finish(rig, call)
    }

    /// Enqueues the operation on buffers of the caller.
    fn apply<B: Backend>(
        &self,
        rig: &Rig<B>,
        body: Body,
        outs: &mut [B::Buf],
        ins: &[B::Buf],
        keys: &[Option<B::Key>],
    ) -> Result<()> {
        let (e, r) = (&rig.engine, &rig.ring);
        macro_rules! composite {
            ($name:ident($($arg:expr),*)) => {
                match body {
                    Body::Own => rig.$name($($arg),*),
                    Body::Default => composites::$name(e, r, $($arg),*),
                }
            };
        }
        macro_rules! primitive {
            ($name:ident($($arg:expr),*)) => {{
                rig.$name($($arg),*);
                Ok(())
            }};
        }
        if let Op::HoistedRotations(galois, plan) = &self.op {
            let mut dsts: Vec<&mut B::Buf> = outs.iter_mut().collect();
            let keys: Vec<Option<&B::Key>> = keys.iter().map(Option::as_ref).collect();
            return composite!(hoisted_rotations(&mut dsts, &ins[0], &keys, galois, plan));
        }
        let out = &mut outs[0];
        let halves = || {
            let (a, b) = ins.split_at(ins.len() / 2);
            (a.iter().collect(), b.iter().collect())
        };
        let key = || keys[0].as_ref().expect("the case has a key");
        match &self.op {
            Op::CopyRows(rows) => primitive!(copy_rows(out, &ins[0], rows)),
            Op::Zero => primitive!(zero(out)),
            Op::Ntt => primitive!(ntt(out)),
            Op::Intt => primitive!(intt(out)),
            Op::Add => primitive!(add(out, &ins[0], &ins[1])),
            Op::Sub => primitive!(sub(out, &ins[0], &ins[1])),
            Op::Mul => primitive!(mul(out, &ins[0], &ins[1])),
            Op::MulAcc => primitive!(mul_acc(out, &ins[0], &ins[1])),
            Op::Scale(constants) => primitive!(scale(out, &ins[0], constants)),
            Op::Automorphism(g) => primitive!(automorphism(out, &ins[0], *g)),
            Op::BaseConvert(table) => primitive!(base_convert(out, &ins[0], table)),
            Op::KeyInnerProduct(digits, g) => match (body, &self.keys[0]) {
                (Body::Default, Some(KeyWords { layout, words })) => {
                    let rows = rig.upload(&Words {
                        shape: Shape::new(2 * layout.digits, layout.limbs.clone()),
                        domain: Domain::Eval,
                        words: words.clone(),
                    });
                    let key = (layout, &rows);
                    composites::key_inner_product_of_rows(e, r, out, &ins[0], key, digits, *g)
                }
                _ => primitive!(key_inner_product(out, &ins[0], key(), digits, *g)),
            },
            Op::AddAssign => composite!(add_assign(out, &ins[0])),
            Op::SubAssign => composite!(sub_assign(out, &ins[0])),
            Op::MulAssign => composite!(mul_assign(out, &ins[0])),
            Op::ScaleAssign(constants) => composite!(scale_assign(out, constants)),
            Op::Neg => composite!(neg(out, &ins[0])),
            Op::AddLeading(leading) => {
                composite!(add_leading(out, &ins[0], &ins[1], *leading))
            }
            Op::AddConstants(constants, leading) => {
                composite!(add_constants(out, &ins[0], constants, *leading))
            }
            Op::RestrictAndScale(constants) => {
                composite!(restrict_and_scale(out, &ins[0], constants))
            }
            Op::Rescale(plan) => composite!(rescale(out, &ins[0], plan)),
            Op::ModUp(plan) => composite!(mod_up(out, &ins[0], plan)),
            Op::ModDownAndRescale(g, plan) => {
                composite!(mod_down_and_rescale(
                    out,
                    &ins[0],
                    ins.get(1),
                    *g,
                    plan.mod_down()
                ))
            }
            Op::Tensor => composite!(tensor(out, &ins[0], &ins[1])),
            Op::SumOfProducts => {
                let (a, b): (Vec<_>, Vec<_>) = halves();
                composite!(sum_of_products(out, &a, &b))
            }
            Op::WeightedSum => {
                let (terms, weights): (Vec<_>, Vec<_>) = halves();
                composite!(weighted_sum(out, &terms, &weights))
            }
            Op::KeySwitch(g, plan) => {
                composite!(key_switch(out, &ins[0], ins.get(1), key(), *g, plan))
            }
            Op::Relinearize(plan) => composite!(relinearize(out, &ins[0], key(), plan)),
            Op::Rotate(g, plan) => composite!(rotate(out, &ins[0], key(), *g, plan)),
            Op::RotationSum(galois, plan) => {
                let keys: Vec<Option<&B::Key>> = keys.iter().map(Option::as_ref).collect();
                let weights: Vec<&B::Buf> = ins[1..].iter().collect();
                composite!(rotation_sum(out, &ins[0], &keys, galois, &weights, plan))
            }
            Op::HoistedRotations(..) => unreachable!("has several outputs and is handled above"),
        }
    }
}
