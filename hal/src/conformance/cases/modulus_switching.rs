//! Cases of base conversion, rescale and key switching.

use std::sync::Arc;

use super::Cases;
use crate::{
    ConversionMode, Domain, GaloisElement, KeyLayout, KeySwitchPlan, Limbs, Shape,
    conformance::{
        call::{Call, KeyWords, Op, Out},
        rings,
        values::Words,
        values::quotient_ties,
    },
};

impl Cases {
    pub(super) fn conversion(
        &mut self,
        from: &Limbs,
        to: &Limbs,
        mode: ConversionMode,
        polys: usize,
    ) {
        let table = self.basis.conversion_table(from, to, mode);
        let table = table.expect("the case's limbs are disjoint");
        let mut src = self.words(&Shape::new(polys, from.clone()), Domain::Coeff);
        // The first coefficients are the extremes of the representative: all 0, all q - 1, all just below and above half.
        let n = self.basis.n();
        for (row, words) in src.words.chunks_exact_mut(n).enumerate() {
            let q = self.basis.modulus(from.at(row % from.len())).value();
            words[..4].copy_from_slice(&[0, q - 1, (q - 1) / 2, q.div_ceil(2)]);
        }
        let moduli: Vec<u32> = from.iter().map(|i| self.basis.modulus(i).value()).collect();
        for (k, column) in quotient_ties(&moduli).iter().enumerate().take(n - 4) {
            for (i, &x) in column.iter().enumerate() {
                src.words[i * n + 4 + k] = x;
            }
        }
        let out = Shape::new(polys, to.clone());
        self.written(Op::BaseConvert(table), vec![src], &out, Domain::Coeff);
    }

    pub(super) fn base_convert(&mut self) {
        let limbs = |list: &[usize]| Limbs::new(list.iter().copied());
        let pairs = self.few(vec![
            (limbs(&[4, 5, 6]), limbs(&[0, 1, 12]), 2),
            (limbs(&[12, 13, 14]), Limbs::new(0..12), 1),
            (limbs(&[4]), limbs(&[5]), 1),
            (limbs(&[12]), limbs(&[2, 8]), 1),
            (limbs(&[0, 2, 9]), limbs(&[1, 5, 7, 14]), 3),
            (Limbs::new(0..12), limbs(&[12]), 2),
            (limbs(&[1, 3, 5, 7, 9, 11, 13]), limbs(&[0, 2, 4]), 5),
        ]);
        for (from, to, polys) in pairs {
            for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
                self.conversion(&from, &to, mode, polys);
            }
        }
    }

    pub(super) fn key(&mut self, digits: usize, limbs: &Limbs) -> KeyWords {
        let rows = self.eval(2 * digits, limbs);
        KeyWords {
            layout: KeyLayout {
                digits,
                limbs: limbs.clone(),
            },
            words: rows.words,
        }
    }

    pub(super) fn key_inner_product(&mut self) {
        let all = self.basis.all_limbs();
        let cases: [(&[usize], &[usize], usize, usize); 5] = [
            (&[0, 2, 5, 12, 13], &[0], 1, 1),
            (&[4, 5, 12], &[0, 1, 2], 3, 2),
            (&[1, 3, 9, 12, 13, 14], &[0, 2], 4, 1),
            (&[6], &[3, 1], 4, 3),
            (&[0, 14], &[0, 1, 2, 3, 4, 5, 6], 7, 1),
        ];
        for (k, (limbs, key_digits, digits, batch)) in
            self.few(cases.to_vec()).into_iter().enumerate()
        {
            let limbs = Limbs::new(limbs.iter().copied());
            for g in self.elements() {
                // Keys of every other case have exactly the limbs of the call, the rest are cut.
                let key = self.key(digits, if k % 2 == 0 { &all } else { &limbs });
                let extended = self.eval(key_digits.len() * batch, &limbs);
                let out = Out::written(Shape::new(2 * batch, limbs.clone()), Domain::Eval);
                let op = Op::KeyInnerProduct(key_digits.to_vec(), g);
                self.push(op, vec![extended], out, vec![Some(key)]);
            }
        }
    }

    pub(super) fn rescale(&mut self) {
        for (k, (from, to)) in self.few(rings::rescales()).into_iter().enumerate() {
            let plan = self.basis.rescale_plan(&from, &to).expect("a valid pair");
            let polys = [1, 2, 3, 5][k % 4];
            let src = self.eval(polys, &from);
            let out = Shape::new(polys, to);
            self.written(Op::Rescale(plan), vec![src], &out, Domain::Eval);
        }
    }

    pub(super) fn plans(&self) -> Vec<Arc<KeySwitchPlan>> {
        let plan = |(spec, window, to)| self.basis.key_switch_plan(&spec, &window, &to);
        let all: Vec<_> = rings::switches()
            .into_iter()
            .map(|s| plan(s).expect("a valid switch"))
            .collect();
        if self.basis.log_n() > 9 {
            return vec![all[2].clone(), all[5].clone()];
        }
        all
    }

    pub(super) fn mod_up(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let plan = plan.mod_up().clone();
            let batch = k % 3 + 1;
            let src = self.eval(batch, plan.window());
            let out = Shape::new(batch * plan.digits().len(), plan.ext().clone());
            self.written(Op::ModUp(plan), vec![src], &out, Domain::Eval);
        }
    }

    /// Addends of none, one and two components in turn.
    pub(super) fn addend(&mut self, k: usize, batch: usize, window: &Limbs) -> Option<Words> {
        (!k.is_multiple_of(3)).then(|| self.eval(batch * (k % 3), window))
    }

    pub(super) fn mod_down_and_rescale(&mut self) {
        for plan in self.plans() {
            let elements = self.elements();
            for (k, g) in elements.into_iter().enumerate() {
                let batch = k % 2 + 1;
                let mut ins = vec![self.eval(2 * batch, plan.ext())];
                ins.extend(self.addend(k + 1, batch, plan.window()));
                let out = Shape::new(2 * batch, plan.to().clone());
                let op = Op::ModDownAndRescale(g, plan.clone());
                self.written(op, ins, &out, Domain::Eval);
            }
        }
    }

    /// A key for the plan: over the whole basis, or just the limbs and digits that are needed.
    pub(super) fn key_for(&mut self, plan: &KeySwitchPlan, whole: bool) -> KeyWords {
        let digits = plan.mod_up().key_digits().iter().max().map_or(0, |d| d + 1);
        if whole {
            let all = self.basis.all_limbs();
            self.key(digits + 1, &all)
        } else {
            self.key(digits, plan.ext())
        }
    }

    pub(super) fn switched(
        &mut self,
        op: Op,
        ins: Vec<Words>,
        batch: usize,
        plan: &KeySwitchPlan,
        key: KeyWords,
    ) {
        let out = Out::written(Shape::new(2 * batch, plan.to().clone()), Domain::Eval);
        self.push(op, ins, out, vec![Some(key)]);
    }

    pub(super) fn key_switch(&mut self) {
        for (j, plan) in self.plans().into_iter().enumerate() {
            for (k, g) in self.elements().into_iter().take(3).enumerate() {
                let batch = (j + k) % 3 + 1;
                let key = self.key_for(&plan, k % 2 == 0);
                let mut ins = vec![self.eval(batch, plan.window())];
                ins.extend(self.addend(j + k, batch, plan.window()));
                let op = Op::KeySwitch(g, plan.clone());
                self.switched(op, ins, batch, &plan, key);
            }
        }
    }

    pub(super) fn relinearize(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let batch = k % 2 + 1;
            let key = self.key_for(&plan, k % 2 == 0);
            let src = self.eval(3 * batch, plan.window());
            self.switched(Op::Relinearize(plan.clone()), vec![src], batch, &plan, key);
        }
    }

    pub(super) fn rotate(&mut self) {
        for (j, plan) in self.plans().into_iter().enumerate() {
            for (k, g) in self.elements().into_iter().take(3).enumerate() {
                let batch = (j + k) % 2 + 1;
                let key = self.key_for(&plan, k % 2 == 1);
                let src = self.eval(2 * batch, plan.window());
                self.switched(Op::Rotate(g, plan.clone()), vec![src], batch, &plan, key);
            }
        }
    }

    /// `count` automorphisms; the identity among them has a key in every other case.
    pub(super) fn terms(
        &mut self,
        plan: &KeySwitchPlan,
        count: usize,
        identity_key: bool,
    ) -> (Vec<GaloisElement>, Vec<Option<KeyWords>>) {
        let galois = self.elements()[5 - count..].to_vec();
        let mut keys = Vec::new();
        for g in &galois {
            let key = !g.is_identity() || identity_key;
            keys.push(key.then(|| self.key_for(plan, keys.len() % 2 == 0)));
        }
        (galois, keys)
    }

    pub(super) fn hoisted_rotations(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let (galois, keys) = self.terms(&plan, [4, 1, 5, 3][k % 4], k % 2 == 1);
            let batch = k % 2 + 1;
            let src = self.eval(2 * batch, plan.window());
            let out = || Out::written(Shape::new(2 * batch, plan.to().clone()), Domain::Eval);
            self.calls.push(Call {
                basis: self.basis.clone(),
                outs: galois.iter().map(|_| out()).collect(),
                op: Op::HoistedRotations(galois, plan.clone()),
                ins: vec![src],
                keys,
            });
        }
    }

    pub(super) fn rotation_sum(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            for weighted in [false, true] {
                let (galois, keys) = self.terms(&plan, [4, 3, 1, 5][k % 4], k % 2 == 0);
                let batch = k % 2 + 1;
                let mut ins = vec![self.eval(2 * batch, plan.window())];
                if weighted {
                    for j in 0..galois.len() {
                        ins.push(self.eval([1, batch, 2 * batch][j % 3], plan.ext()));
                    }
                }
                let out = Out::written(Shape::new(2 * batch, plan.to().clone()), Domain::Eval);
                self.push(Op::RotationSum(galois, plan.clone()), ins, out, keys);
            }
        }
    }
}
