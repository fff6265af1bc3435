//! Ciphertexts, seeded ciphertexts and plaintexts.

use std::borrow::Cow;

use arras_hal::{Backend, Eval, Poly, Shape};

use super::{
    Object, Rows, Source,
    header::{CiphertextHeader, Dimensions, PlaintextHeader, SeededCiphertextHeader, number},
    methods::object_methods,
    read_rows,
};
use crate::{
    Ciphertext, Context, Plaintext, Result, SeededCiphertext, keys::limbs_and_moduli,
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
fn upload<B: Backend>(
    context: &Context<B>,
    dimensions: &Dimensions,
    payload: &mut impl Source,
) -> Result<Poly<B, Eval>> {
    let n = context.params().n();
    let words = read_rows(payload, n, &dimensions.moduli, dimensions.polys)?;
    let shape = Shape::new(dimensions.polys, dimensions.limbs.clone());
    Ok(Poly::from_words(context.ring(), &shape, &words)?)
}

impl<'h, B: Backend> Object<'h> for Ciphertext<B> {
    const READ: &'static str = "read a ciphertext";
    type Header = CiphertextHeader;
    type Home = &'h Context<B>;

    fn params(&self) -> &Parameters {
        self.context().params()
    }

    fn header(&self) -> CiphertextHeader {
        CiphertextHeader {
            spec: Object::params(self).spec().clone(),
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

    fn read(
        header: CiphertextHeader,
        context: &'h Context<B>,
        payload: &mut impl Source,
    ) -> Result<Self> {
        let poly = upload(context, &header.dimensions(context.params())?, payload)?;
        let level = header.level as usize;
        Ok(if header.pending {
            Self::pending(context, poly, header.batch as usize, level)
        } else {
            Self::settled(context, poly, level)
        })
    }
}

object_methods!([B: Backend] Ciphertext<B>, &Context<B>);

impl<'h, B: Backend> Object<'h> for Plaintext<B> {
    const READ: &'static str = "read a plaintext";
    type Header = PlaintextHeader;
    type Home = &'h Context<B>;

    fn params(&self) -> &Parameters {
        self.context.params()
    }

    fn header(&self) -> PlaintextHeader {
        PlaintextHeader::of(self)
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        download(&self.context, &self.poly)
    }

    fn read(
        header: PlaintextHeader,
        context: &'h Context<B>,
        payload: &mut impl Source,
    ) -> Result<Self> {
        Ok(Self {
            poly: upload(context, &header.dimensions(context.params())?, payload)?,
            context: context.clone(),
            purpose: header.purpose(),
        })
    }
}

object_methods!([B: Backend] Plaintext<B>, &Context<B>);

impl<'h> Object<'h> for SeededCiphertext {
    const READ: &'static str = "read a seeded ciphertext";
    type Header = SeededCiphertextHeader;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn header(&self) -> SeededCiphertextHeader {
        SeededCiphertextHeader {
            spec: self.params.spec().clone(),
            level: number(self.level),
            batch: number(self.batch()),
            seed: self.seed,
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        let limbs = arras_hal::Limbs::new(self.params.window(self.level));
        let moduli = limbs_and_moduli(&self.params, &limbs)
            .into_iter()
            .map(|(_, modulus)| modulus)
            .collect();
        Ok(vec![Rows {
            moduli,
            words: Cow::Borrowed(&self.c0),
        }])
    }

    fn read(
        header: SeededCiphertextHeader,
        params: &'h Parameters,
        payload: &mut impl Source,
    ) -> Result<Self> {
        let dimensions = header.dimensions(params)?;
        Ok(Self {
            params: params.clone(),
            level: header.level as usize,
            seed: header.seed,
            c0: read_rows(payload, params.n(), &dimensions.moduli, dimensions.polys)?,
        })
    }
}

object_methods!([] SeededCiphertext, &Parameters);
