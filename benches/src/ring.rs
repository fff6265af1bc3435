//! The ring layer: what a ciphertext operation is made of, at the highest level of a parameter set.

use std::sync::Arc;

use arras::{
    ckks::{
        Context, Parameters, Result,
        random::{PublicSeed, Purpose, uniform_rows},
    },
    hal::{
        self, Backend, Coeff, ConversionMode, Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec,
        Limbs, ModUpPlan, Poly, Shape, Workers,
    },
};

use crate::Operation;

/// Uniform polynomials and a uniform key on an engine: operations of the ring take the same time whatever the residues are.
pub(crate) struct RingData<B: Backend> {
    context: Context<B>,
    galois: GaloisElement,
    spec: KeySwitchSpec,
    /// The limbs of a ciphertext.
    window: Limbs,
    /// The window one level lower.
    lower: Limbs,
    /// The window and the special limbs.
    extended: Limbs,
    /// The extended limbs without those of the digit.
    rest: Limbs,
    key: Key<B>,
    /// Two components over the window.
    a: Poly<B, Eval>,
    b: Poly<B, Eval>,
    coefficients: Poly<B, Coeff>,
    /// Two components over the extended limbs.
    wide: Poly<B, Eval>,
    /// One component over the window.
    one: Poly<B, Eval>,
    /// One component over the first key-switching digit, as far as the window has it.
    digit: Poly<B, Coeff>,
    /// One component over the special limbs.
    specials: Poly<B, Coeff>,
}

impl<B: Backend> RingData<B> {
    /// Operands for the highest level of `params`, which is at least 1.
    pub(crate) fn new(params: &Parameters, engine: B) -> Result<Self> {
        let context = Context::new(params, engine)?;
        let level = context.max_level();
        let window = context.window(level)?.clone();
        let lower = context.window(level.saturating_sub(1))?.clone();
        let groups = params.digit_groups().iter();
        let spec = KeySwitchSpec {
            groups: groups.map(|group| Limbs::new(group.clone())).collect(),
            special: Limbs::new(params.special_range()),
        };
        let extended = window.union(&spec.special);
        let digit = spec
            .groups
            .iter()
            .map(|group| group.intersection(&window))
            .find(|digit| !digit.is_empty())
            .unwrap_or_else(|| window.clone());
        let layout = KeyLayout {
            digits: spec.groups.len(),
            limbs: Limbs::new(params.key_limbs(level)?.into_iter().map(usize::from)),
        };
        let words = uniform(params, 2 * layout.digits, &layout.limbs, 1);
        let key = Key::prepare(context.ring(), &layout, &words)?;
        let poly = |seed, limbs: &Limbs| -> Result<Poly<B, Eval>> {
            let words = uniform(params, 2, limbs, seed);
            let shape = Shape::new(2, limbs.clone());
            Ok(Poly::from_words(context.ring(), &shape, &words)?)
        };
        let (a, wide) = (poly(2, &window)?, poly(5, &extended)?);
        let coefficients = poly(4, &window)?.intt();
        Ok(Self {
            galois: GaloisElement::rotation(1, params.log_n()),
            b: poly(3, &window)?,
            one: a.select(0..1, &window)?,
            digit: coefficients.select(0..1, &digit)?,
            specials: wide.select(0..1, &spec.special)?.intt(),
            rest: extended.without(&digit),
            a,
            wide,
            coefficients,
            context,
            spec,
            window,
            lower,
            extended,
            key,
        })
    }

    /// Every operation of the ring layer, with the rows that each writes and reads. Sums of 8 take the same two operands eight times,
    /// which stay in the cache.
    pub(crate) fn operations(&self) -> Result<Vec<Operation<'_>>> {
        let (window, lower, rest) = (self.window.len(), self.lower.len(), self.rest.len());
        let (extended, special) = (self.extended.len(), self.spec.special.len());
        let (rows, digit) = (2 * window, extended - rest);
        let basis = self.context.ring().basis();
        let plan = basis.mod_up_plan(&self.spec, &self.window)?;
        let raised = plan.digits().len() * extended;
        let sum = |s: &Self, mut sum: Poly<B, Eval>| {
            sum.mul_acc(&s.a, &s.b)?;
            Ok(sum)
        };
        Ok(vec![
            self.from(
                "ntt",
                [rows, rows],
                |s| s.coefficients.try_clone(),
                |_, p| Ok(p.ntt()),
            ),
            self.from(
                "intt",
                [rows, rows],
                |s| s.a.try_clone(),
                |_, p| Ok(p.intt()),
            ),
            self.on("copy", [rows, rows], |s| s.a.try_clone()),
            self.on("add", [rows, 2 * rows], |s| s.a.add(&s.b)),
            self.on("pointwise multiply", [rows, 2 * rows], |s| s.a.mul(&s.b)),
            self.from(
                "pointwise multiply and add",
                [rows, 3 * rows],
                |s| s.a.try_clone(),
                sum,
            ),
            self.on("automorphism", [rows, rows], |s| s.a.automorphism(s.galois)),
            self.on("weighted sum of 8", [rows, 16 * rows], |s| {
                Poly::weighted_sum(&[&s.a; 8], &[&s.b; 8])
            }),
            self.on("tensor product", [3 * window, 2 * rows], |s| {
                s.a.tensor(&s.b)
            }),
            self.on("sum of 8 tensor products", [3 * window, 16 * rows], |s| {
                Poly::sum_of_products(&[&s.a; 8], &[&s.b; 8])
            }),
            self.on("base conversion, centred (one digit)", [rest, digit], |s| {
                s.digit.base_convert(&s.rest, ConversionMode::Centred)
            }),
            self.on(
                "base conversion, with quotient (special limbs)",
                [window, special],
                |s| s.specials.base_convert(&s.window, ConversionMode::Quotient),
            ),
            self.on("mod_up (all digits)", [raised, window], |s| {
                s.one.mod_up(&s.spec)
            }),
            self.key_product(&plan)?
                .moving(2 * extended, 3 * raised, self.context.params().n()),
            self.on("mod_down", [rows, 2 * extended], |s| {
                s.wide.rescale(&s.window)
            }),
            self.on("mod_down and rescale", [2 * lower, 2 * extended], |s| {
                s.wide.rescale(&s.lower)
            }),
            self.on("rescale", [2 * lower, rows], |s| s.a.rescale(&s.lower)),
            self.on(
                "automorphism with key switch",
                [rows, rows + 2 * raised],
                |s| s.a.rotate(&s.key, s.galois, &s.spec, &s.window),
            ),
        ])
    }

    fn on<'a, O: 'a>(
        &'a self,
        name: &'static str,
        [written, read]: [usize; 2],
        run: fn(&Self) -> hal::Result<O>,
    ) -> Operation<'a> {
        let run = move || Ok(run(self)?);
        Operation::call(name, &self.context, run).moving(written, read, self.context.params().n())
    }

    /// The same for what consumes an operand.
    fn from<'a, I: 'a, O: 'a>(
        &'a self,
        name: &'static str,
        [written, read]: [usize; 2],
        prepare: fn(&Self) -> hal::Result<I>,
        run: fn(&Self, I) -> hal::Result<O>,
    ) -> Operation<'a> {
        let (prepare, run) = (
            move || Ok(prepare(self)?),
            move |input| Ok(run(self, input)?),
        );
        let operation = Operation::on_engine(name, &self.context, prepare, run);
        operation.moving(written, read, self.context.params().n())
    }

    fn key_product<'a>(&'a self, plan: &Arc<ModUpPlan>) -> Result<Operation<'a>> {
        let (plan, digits) = (plan.clone(), self.one.mod_up(&self.spec)?);
        let (engine, ring) = (self.context.engine(), self.context.ring().inner());
        let shape = Shape::new(2, self.extended.clone());
        Ok(Operation::on_engine(
            "inner product with a key",
            &self.context,
            move || Ok(engine.alloc(ring, &shape)?),
            move |mut dst| {
                let (key, used) = (self.key.inner(), plan.key_digits());
                engine.key_inner_product(ring, &mut dst, digits.buf(), key, used, self.galois);
                Ok(dst)
            },
        ))
    }
}

/// Uniform residues, `[polys][limbs][N]`, the same on every machine.
fn uniform(params: &Parameters, polys: usize, limbs: &Limbs, seed: u8) -> Vec<u32> {
    let n = params.n();
    let list: Vec<(usize, u32)> = limbs.iter().map(|i| (i, params.moduli()[i])).collect();
    let seed = PublicSeed::from_bytes([seed; 32]);
    let mut words = vec![0; polys * limbs.len() * n];
    for (p, rows) in words.chunks_exact_mut(limbs.len() * n).enumerate() {
        let (workers, purpose) = (Workers::callers(), Purpose::KeyUniform);
        uniform_rows(workers, &seed, purpose, [p as u64, 0], &list, n, rows)
            .expect("on the caller's thread");
    }
    words
}
