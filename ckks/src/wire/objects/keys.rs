//! Public keys: for encryption and for evaluation.

use std::{borrow::Cow, io::Read, path::Path};

use arras_hal::Backend;

use super::{
    Object, Rows, Source, from_file,
    header::{EvaluationKeysHeader, KeyEntry, PublicKeyHeader, SwitchingKeyHeader, number},
    methods::object_methods,
    open_stream, read_rows,
};
use crate::{
    Context, EvaluationKeySet, EvaluationKeys, PublicKey, Result, SwitchingKey,
    keys::limbs_and_moduli, params::Parameters,
};

impl<'h> Object<'h> for PublicKey {
    const READ: &'static str = "read a public key";
    type Header = PublicKeyHeader;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn header(&self) -> PublicKeyHeader {
        PublicKeyHeader {
            spec: self.params.spec().clone(),
            seed: self.seed,
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(vec![Rows {
            moduli: PublicKeyHeader::dimensions(&self.params).moduli,
            words: Cow::Borrowed(&self.b),
        }])
    }

    fn read(
        header: PublicKeyHeader,
        params: &'h Parameters,
        payload: &mut impl Source,
    ) -> Result<Self> {
        let dimensions = PublicKeyHeader::dimensions(params);
        Ok(Self {
            params: params.clone(),
            seed: header.seed,
            b: read_rows(payload, params.n(), &dimensions.moduli, dimensions.polys)?,
        })
    }
}

object_methods!([] PublicKey, &Parameters);

impl KeyEntry {
    fn of(key: &SwitchingKey) -> Self {
        Self {
            kind: key.kind.code(),
            level_budget: number(key.level_budget),
            seed: key.seed,
        }
    }

    fn read(self, params: &Parameters, payload: &mut impl Source) -> Result<SwitchingKey> {
        let dimensions = self.dimensions(params)?;
        Ok(SwitchingKey {
            params: params.clone(),
            kind: self.kind(params)?,
            level_budget: self.level_budget(params)?,
            seed: self.seed,
            b: read_rows(payload, params.n(), &dimensions.moduli, dimensions.polys)?,
        })
    }
}

fn key_rows(key: &SwitchingKey) -> Rows<'_> {
    Rows {
        moduli: limbs_and_moduli(&key.params, &key.layout().limbs)
            .into_iter()
            .map(|(_, modulus)| modulus)
            .collect(),
        words: Cow::Borrowed(&key.b),
    }
}

impl<'h> Object<'h> for SwitchingKey {
    const READ: &'static str = "read a switching key";
    type Header = SwitchingKeyHeader;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn header(&self) -> SwitchingKeyHeader {
        SwitchingKeyHeader {
            spec: self.params.spec().clone(),
            entry: KeyEntry::of(self),
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(vec![key_rows(self)])
    }

    fn read(
        header: SwitchingKeyHeader,
        params: &'h Parameters,
        payload: &mut impl Source,
    ) -> Result<Self> {
        header.entry.read(params, payload)
    }
}

object_methods!([] SwitchingKey, &Parameters);

impl<'h> Object<'h> for EvaluationKeySet {
    const READ: &'static str = "read evaluation keys";
    type Header = EvaluationKeysHeader;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        EvaluationKeySet::params(self)
    }

    fn header(&self) -> EvaluationKeysHeader {
        EvaluationKeysHeader {
            spec: Object::params(self).spec().clone(),
            keys: self.iter().map(KeyEntry::of).collect(),
        }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(self.iter().map(key_rows).collect())
    }

    fn read(
        header: EvaluationKeysHeader,
        params: &'h Parameters,
        payload: &mut impl Source,
    ) -> Result<Self> {
        let mut set = Self::new(params);
        for entry in header.keys {
            set.insert(entry.read(params, payload)?)?;
        }
        Ok(set)
    }
}

object_methods!([] EvaluationKeySet, &Parameters);

impl<B: Backend> EvaluationKeys<B> {
    /// Loads the keys of a serialized [`EvaluationKeySet`] into the engine of `context` as they arrive: one key at a
    /// time is held on the host. Stops right after the container.
    ///
    /// # Errors
    /// As [`EvaluationKeySet::read_from`]; the engine's if it has no memory.
    pub fn load_from(input: impl Read, context: &Context<B>) -> Result<Self> {
        let params = context.params();
        let (header, mut payload) =
            open_stream::<EvaluationKeysHeader, _>(EvaluationKeySet::READ, input, params)?;
        let mut keys = Self::none(context);
        for entry in header.keys {
            keys.insert(&entry.read(params, &mut payload)?)?;
        }
        // Only now are the keys known to be what was written; on an error they are dropped.
        payload.finish()?;
        Ok(keys)
    }

    /// [`EvaluationKeys::load_from`] of a file.
    ///
    /// # Errors
    /// As [`EvaluationKeys::load_from`], naming the file, and if the file cannot be read.
    pub fn load_from_file(path: impl AsRef<Path>, context: &Context<B>) -> Result<Self> {
        from_file(path.as_ref(), |input| Self::load_from(input, context))
    }
}
