//! The ring layer: what a ciphertext operation is made of, at the highest level of a parameter set.

use arras::{
    ckks::{
        Context, Parameters, Result,
        random::{PublicSeed, Purpose, uniform_rows},
    },
    hal::{
        Backend, Coeff, ConversionMode, Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs,
        Poly, Shape,
    },
};

use crate::Operation;

/// Uniform polynomials and a uniform key on an engine: operations of the ring take the same time whatever the residues are.
pub struct RingData<B: Backend> {
    context: Context<B>,
    spec: KeySwitchSpec,
    /// The limbs of a ciphertext.
    window: Limbs,
    /// The window one level lower.
    lower: Limbs,
    /// The window and the special limbs.
    extended: Limbs,
    /// The first key-switching digit, as far as the window has it.
    digit: Limbs,
    key: Key<B>,
    /// Two components over the window.
    a: Poly<B, Eval>,
    b: Poly<B, Eval>,
    coefficients: Poly<B, Coeff>,
    /// Two components over the extended limbs.
    wide: Poly<B, Eval>,
}

impl<B: Backend> RingData<B> {
    /// Operands for the highest level of `params`, which is at least 1.
    ///
    /// # Errors
    /// The engine's.
    pub fn new(params: &Parameters, engine: B) -> Result<Self> {
        let context = Context::new(params, engine)?;
        let level = context.max_level();
        let window = context.window(level)?.clone();
        let lower = context.window(level.saturating_sub(1))?.clone();
        let spec = KeySwitchSpec {
            groups: params
                .digit_groups()
                .iter()
                .map(|group| Limbs::new(group.clone()))
                .collect(),
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
        Ok(Self {
            a: poly(2, &window)?,
            b: poly(3, &window)?,
            coefficients: poly(4, &window)?.intt(),
            wide: poly(5, &extended)?,
            context,
            spec,
            window,
            lower,
            extended,
            digit,
            key,
        })
    }

    /// Every operation of the ring layer. Sums of 8 take the same two operands eight times, which stay in the cache.
    ///
    /// # Errors
    /// The engine's.
    pub fn operations(&self) -> Result<Vec<Operation<'_>>> {
        let mut list = self.elementwise();
        list.extend(self.switching()?);
        Ok(list)
    }

    fn elementwise(&self) -> Vec<Operation<'_>> {
        let (context, n) = (&self.context, self.context.params().n());
        let rows = 2 * self.window.len();
        let galois = GaloisElement::rotation(1, context.params().log_n());
        let on = |name, run: fn(&Self) -> Result<Poly<B, Eval>>| {
            Operation::call(name, context, move || run(self))
        };
        vec![
            Operation::on_engine(
                "ntt",
                context,
                || Ok(self.coefficients.try_clone()?),
                |poly| Ok(poly.ntt()),
            )
            .moving(rows, rows, n),
            Operation::on_engine(
                "intt",
                context,
                || Ok(self.a.try_clone()?),
                |poly| Ok(poly.intt()),
            )
            .moving(rows, rows, n),
            on("copy", |s| Ok(s.a.try_clone()?)).moving(rows, rows, n),
            on("add", |s| Ok(s.a.add(&s.b)?)).moving(rows, 2 * rows, n),
            on("pointwise multiply", |s| Ok(s.a.mul(&s.b)?)).moving(rows, 2 * rows, n),
            Operation::on_engine(
                "pointwise multiply and add",
                context,
                || Ok(self.a.try_clone()?),
                |mut sum| {
                    sum.mul_acc(&self.a, &self.b)?;
                    Ok(sum)
                },
            )
            .moving(rows, 3 * rows, n),
            Operation::call("automorphism", context, move || {
                Ok(self.a.automorphism(galois)?)
            })
            .moving(rows, rows, n),
            on("weighted sum of 8", |s| {
                Ok(Poly::weighted_sum(&[&s.a; 8], &[&s.b; 8])?)
            })
            .moving(rows, 2 * 8 * rows, n),
            on("tensor product", |s| Ok(s.a.tensor(&s.b)?)).moving(
                3 * self.window.len(),
                2 * rows,
                n,
            ),
            on("sum of 8 tensor products", |s| {
                Ok(Poly::sum_of_products(&[&s.a; 8], &[&s.b; 8])?)
            })
            .moving(3 * self.window.len(), 2 * 8 * rows, n),
        ]
    }

    fn switching(&self) -> Result<Vec<Operation<'_>>> {
        let (context, n) = (&self.context, self.context.params().n());
        let basis = context.ring().basis();
        let (window, lower) = (self.window.len(), self.lower.len());
        let (extended, special) = (self.extended.len(), self.spec.special.len());
        let galois = GaloisElement::rotation(1, context.params().log_n());

        let digit = self.coefficients.select(0..1, &self.digit)?;
        let rest = self.extended.without(&self.digit);
        let specials = self.wide.select(0..1, &self.spec.special)?.intt();
        let one = self.a.select(0..1, &self.window)?;
        let plan = basis.mod_up_plan(&self.spec, &self.window)?;
        let digits = one.mod_up(&self.spec)?;
        let count = plan.digits().len();
        let product = Shape::new(2, self.extended.clone());
        Ok(vec![
            Operation::call("base conversion, centred (one digit)", context, {
                let rest = rest.clone();
                move || Ok(digit.base_convert(&rest, ConversionMode::Centred)?)
            })
            .moving(rest.len(), self.digit.len(), n),
            Operation::call(
                "base conversion, with quotient (special limbs)",
                context,
                move || Ok(specials.base_convert(&self.window, ConversionMode::Quotient)?),
            )
            .moving(window, special, n),
            Operation::call("mod_up (all digits)", context, move || {
                Ok(one.mod_up(&self.spec)?)
            })
            .moving(count * extended, window, n),
            Operation::on_engine(
                "inner product with a key",
                context,
                move || Ok(context.engine().alloc(context.ring().inner(), &product)?),
                move |mut dst| {
                    context.engine().key_inner_product(
                        context.ring().inner(),
                        &mut dst,
                        digits.buf(),
                        self.key.inner(),
                        plan.key_digits(),
                        galois,
                    );
                    Ok(dst)
                },
            )
            .moving(2 * extended, 3 * count * extended, n),
            Operation::call("mod_down", context, || {
                Ok(self.wide.rescale(&self.window)?)
            })
            .moving(2 * window, 2 * extended, n),
            Operation::call("mod_down and rescale", context, || {
                Ok(self.wide.rescale(&self.lower)?)
            })
            .moving(2 * lower, 2 * extended, n),
            Operation::call("rescale", context, || Ok(self.a.rescale(&self.lower)?)).moving(
                2 * lower,
                2 * window,
                n,
            ),
            Operation::call("automorphism with key switch", context, move || {
                Ok(self.a.rotate(&self.key, galois, &self.spec, &self.window)?)
            })
            .moving(2 * window, 2 * window + 2 * count * extended, n),
        ])
    }
}

/// Uniform residues, `[polys][limbs][N]`, the same on every machine.
fn uniform(params: &Parameters, polys: usize, limbs: &Limbs, seed: u8) -> Vec<u32> {
    let n = params.n();
    let list: Vec<(usize, u32)> = limbs.iter().map(|i| (i, params.moduli()[i])).collect();
    let seed = PublicSeed::from_bytes([seed; 32]);
    let mut words = vec![0; polys * limbs.len() * n];
    for (p, rows) in words.chunks_exact_mut(limbs.len() * n).enumerate() {
        uniform_rows(&seed, Purpose::KeyUniform, [p as u64, 0], &list, n, rows);
    }
    words
}
