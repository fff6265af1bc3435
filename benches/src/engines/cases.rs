//! What is measured: operations of a ring and of the scheme at one level, on any engine.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arras::{
    ckks::{Ciphertext, Context, Evaluator, Result, SeededCiphertext},
    hal::{Backend, Coeff, ConversionMode, Domain, Eval, Limbs, Poly, Shape},
};

use crate::{
    fixture::{ROTATIONS, values},
    roofline::{Counts, Floor},
};

/// What a run left on its engine.
pub(super) enum Output<B: Backend> {
    /// Ciphertexts.
    Ciphertexts(Vec<Ciphertext<B>>),
    /// Coefficients.
    Coefficients(Poly<B, Coeff>),
    /// Evaluations in a buffer that stays with the case.
    Buffer(Arc<std::sync::Mutex<B::Buf>>, Context<B>),
}

impl<B: Backend> Output<B> {
    /// A hash of the residues. It is the same on every engine, or one of them is wrong.
    ///
    /// # Errors
    /// The engine's.
    pub(super) fn fingerprint(&self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Ciphertexts(list) => {
                for ciphertext in list {
                    ciphertext.poly().to_words()?.hash(&mut hasher);
                }
            }
            Self::Coefficients(poly) => poly.to_words()?.hash(&mut hasher),
            Self::Buffer(buffer, context) => {
                let buffer = lock(buffer);
                let engine = context.engine();
                let mut words = vec![0; engine.shape(&buffer).words(context.params().n())];
                engine.download(context.ring().inner(), &buffer, Domain::Eval, &mut words)?;
                words.hash(&mut hasher);
            }
        }
        Ok(hasher.finish())
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

type Run<'a, B> = Box<dyn FnMut() -> Result<Output<B>> + Send + 'a>;

/// One operation on operands that are there already.
pub(super) struct Case<'a, B: Backend> {
    /// What is done.
    pub(super) name: &'static str,
    /// Limbs of the operands.
    pub(super) limbs: usize,
    /// Ciphertexts, or polynomials, at once.
    pub(super) batch: usize,
    /// What it takes at least, the whole batch.
    pub(super) floor: Floor,
    /// Enqueues it.
    pub(super) run: Run<'a, B>,
}

/// Transforms and base conversions over the first `limbs` limbs of the basis.
///
/// # Errors
/// The engine's.
pub(super) fn ring_cases<B: Backend>(
    context: &Context<B>,
    limbs: usize,
) -> Result<Vec<Case<'_, B>>> {
    let params = context.params();
    let counts = Counts::new(params, context.max_level());
    let engine = context.engine();
    let ring = context.ring();
    let rows = Limbs::new(0..limbs);
    let words = residues(params.moduli(), &rows, params.n());
    let shape = Shape::new(1, rows);
    let mut list = Vec::new();
    for (name, forward) in [("NTT", true), ("inverse NTT", false)] {
        let domain = if forward { Domain::Coeff } else { Domain::Eval };
        let buffer = engine.upload(ring.inner(), &shape, domain, &words)?;
        let buffer = Arc::new(std::sync::Mutex::new(buffer));
        list.push(Case {
            name,
            limbs,
            batch: 1,
            floor: counts.floor(&counts.transform(limbs)),
            // The output of one run is the input of the next: any residues take the same time.
            run: Box::new(move || {
                let mut rows = lock(&buffer);
                if forward {
                    engine.ntt(ring.inner(), &mut rows);
                } else {
                    engine.intt(ring.inner(), &mut rows);
                }
                drop(rows);
                Ok(Output::Buffer(buffer.clone(), context.clone()))
            }),
        });
    }
    Ok(list)
}

/// Base conversions of the sizes that a key switch has at a level.
///
/// # Errors
/// The engine's.
pub(super) fn conversion_cases<B: Backend>(
    context: &Context<B>,
    level: usize,
) -> Result<Vec<Case<'_, B>>> {
    let params = context.params();
    let counts = Counts::new(params, level);
    let window = context.window(level)?.clone();
    let special = Limbs::new(params.special_range());
    let extended = window.union(&special);
    let mut list = Vec::new();
    let digit = params
        .active_digits(level)
        .into_iter()
        .map(|digit| Limbs::new(digit.limbs))
        .max_by_key(Limbs::len);
    let Some(digit) = digit else { return Ok(list) };
    let rest = extended.without(&digit);
    let ways = [
        (
            "base conversion, centred",
            digit,
            rest,
            ConversionMode::Centred,
        ),
        (
            "base conversion, quotient",
            special,
            window,
            ConversionMode::Quotient,
        ),
    ];
    for (name, from, to, mode) in ways {
        let words = residues(params.moduli(), &from, params.n());
        let limbs = from.len();
        let floor = counts.floor(&counts.conversion(limbs, to.len()));
        let shape = Shape::new(1, from);
        let source = Poly::<B, Coeff>::from_words(context.ring(), &shape, &words)?;
        list.push(Case {
            name,
            limbs,
            batch: 1,
            floor,
            run: Box::new(move || Ok(Output::Coefficients(source.base_convert(&to, mode)?))),
        });
    }
    Ok(list)
}

/// Operations of the scheme on a batch.
///
/// # Errors
/// The engine's.
pub(super) fn scheme_cases<'a, B: Backend>(
    evaluator: &'a Evaluator<B>,
    inputs: &[SeededCiphertext; 2],
    batch: usize,
) -> Result<Vec<Case<'a, B>>> {
    let context = evaluator.context();
    let [x, y] = [inputs[0].expand(context)?, inputs[1].expand(context)?];
    let counts = Counts::new(context.params(), x.level());
    let (limbs, key) = (x.limbs().len(), counts.key_bytes());
    let x = Arc::new(Ciphertext::concat(&vec![&x; batch])?);
    let y = Ciphertext::concat(&vec![&y; batch])?;
    let case = |name, floor: Floor, shared, run: Run<'a, B>| Case {
        name,
        limbs,
        batch,
        floor: floor.batched(batch, shared),
        run,
    };
    Ok(vec![
        case(
            "multiply, relinearize, rescale",
            counts.floor(&counts.multiply()),
            key,
            Box::new({
                let x = x.clone();
                move || {
                    let product =
                        evaluator.relinearize_and_rescale(&evaluator.multiply(&x, &y)?)?;
                    Ok(Output::Ciphertexts(vec![product]))
                }
            }),
        ),
        case(
            "rotate",
            counts.floor(&counts.rotations(1)),
            key,
            Box::new({
                let x = x.clone();
                move || Ok(Output::Ciphertexts(vec![evaluator.rotate(&x, 1)?]))
            }),
        ),
        case(
            "8 rotations, hoisted",
            counts.floor(&counts.rotations(ROTATIONS.len())),
            key * ROTATIONS.len() as f64,
            Box::new(move || {
                let rotated = evaluator.hoisted_rotations(&x, &ROTATIONS)?;
                Ok(Output::Ciphertexts(rotated))
            }),
        ),
    ])
}

/// Residues that are the same everywhere, `[limbs][N]`.
fn residues(moduli: &[u32], limbs: &Limbs, n: usize) -> Vec<u32> {
    let unit = values(11, n);
    limbs
        .iter()
        .flat_map(|limb| {
            let q = f64::from(moduli[limb]);
            unit.iter()
                .map(move |value| ((value + 1.0) / 2.0 * (q - 1.0)) as u32)
        })
        .collect()
}

/// A polynomial of evaluations to measure copies with.
///
/// # Errors
/// The engine's.
pub(super) fn large<B: Backend>(context: &Context<B>, polys: usize) -> Result<Poly<B, Eval>> {
    let shape = Shape::new(polys, Limbs::new(0..context.params().basis_len()));
    Ok(Poly::zeros(context.ring(), &shape)?)
}
