//! Ciphertexts, seeded ciphertexts and plaintexts.

use std::{borrow::Cow, io::Read};

use arras_hal::{Backend, Eval, Limbs, Poly, Shape};

use super::{
    Object, Reader, Rows,
    header::{
        CiphertextFields, Dimensions, PlaintextFields, SeededCiphertextFields, moduli, number,
    },
    methods::object_methods,
};
use crate::{
    Ciphertext, Context, Plaintext, PlaintextUse, Result, SeededCiphertext, magnitude,
    params::Parameters,
};

/// The rows of polynomials on an engine.
fn download<B: Backend>(context: &Context<B>, poly: &Poly<B, Eval>) -> Result<Vec<Rows<'static>>> {
    Ok(vec![Rows {
        moduli: context.moduli_of(poly.limbs()),
        words: Cow::Owned(poly.to_words()?),
    }])
}

/// Reads rows onto an engine.
fn upload<B: Backend, R: Read>(
    context: &Context<B>,
    dimensions: &Dimensions,
    payload: &mut Reader<R>,
) -> Result<Poly<B, Eval>> {
    let n = context.params().n();
    let words = payload.residue_rows(n, &dimensions.moduli, dimensions.polys)?;
    let shape = Shape::new(dimensions.polys, dimensions.limbs.clone());
    Ok(Poly::from_words(context.ring(), &shape, &words)?)
}

impl<'h, B: Backend> Object<'h> for Ciphertext<B> {
    const READ: &'static str = "read a ciphertext";
    type Fields = CiphertextFields;
    type Home = &'h Context<B>;

    fn params(&self) -> &Parameters {
        self.context().params()
    }

    fn fields(&self) -> CiphertextFields {
        CiphertextFields {
            level: number(self.level()),
            batch: number(self.batch()),
            components: number(self.components()),
            pending: self.is_pending(),
            // Limbs are indices of 16 bits.
            limbs: self.limbs().iter().map(|limb| limb as u16).collect(),
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        download(self.context(), self.poly())
    }

    fn bound(&self) -> Option<f32> {
        magnitude::written(
            self.context().params(),
            self.level(),
            Ciphertext::bound(self),
        )
    }

    fn read<R: Read>(
        fields: CiphertextFields,
        bound: f64,
        context: &'h Context<B>,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        let poly = upload(context, &fields.dimensions(context.params())?, payload)?;
        let (batch, level) = (fields.batch as usize, fields.level as usize);
        Ok(Self::new(
            context,
            poly,
            batch,
            level,
            fields.pending,
            bound,
        ))
    }
}

object_methods!([B: Backend] Ciphertext<B>, &Context<B>);

impl<'h, B: Backend> Object<'h> for Plaintext<B> {
    const READ: &'static str = "read a plaintext";
    type Fields = PlaintextFields;
    type Home = &'h Context<B>;

    fn params(&self) -> &Parameters {
        self.context.params()
    }

    fn fields(&self) -> PlaintextFields {
        PlaintextFields::of(self)
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        download(&self.context, &self.poly)
    }

    fn bound(&self) -> Option<f32> {
        let (PlaintextUse::Level(level) | PlaintextUse::Weight(level)) = self.purpose;
        magnitude::written(self.context.params(), level, self.largest)
    }

    fn read<R: Read>(
        fields: PlaintextFields,
        largest: f64,
        context: &'h Context<B>,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        Ok(Self {
            poly: upload(context, &fields.dimensions(context.params())?, payload)?,
            context: context.clone(),
            purpose: fields.purpose(),
            largest,
        })
    }
}

object_methods!([B: Backend] Plaintext<B>, &Context<B>);

impl<'h> Object<'h> for SeededCiphertext {
    const READ: &'static str = "read a seeded ciphertext";
    type Fields = SeededCiphertextFields;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn fields(&self) -> SeededCiphertextFields {
        SeededCiphertextFields {
            level: number(self.level),
            batch: number(self.batch()),
            seed: self.seed,
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        let limbs = Limbs::new(self.params.window(self.level));
        Ok(vec![Rows {
            moduli: moduli(&self.params, &limbs),
            words: Cow::Borrowed(&self.c0),
        }])
    }

    fn bound(&self) -> Option<f32> {
        magnitude::written(&self.params, self.level, self.bound)
    }

    fn read<R: Read>(
        fields: SeededCiphertextFields,
        bound: f64,
        params: &'h Parameters,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        let dimensions = fields.dimensions(params)?;
        Ok(Self {
            params: params.clone(),
            level: fields.level as usize,
            bound,
            seed: fields.seed,
            c0: payload.residue_rows(params.n(), &dimensions.moduli, dimensions.polys)?,
        })
    }
}

object_methods!([] SeededCiphertext, &Parameters);
