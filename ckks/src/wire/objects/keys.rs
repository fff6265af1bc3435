//! Public keys: for encryption and for evaluation.

use std::{borrow::Cow, io::Read, path::Path};

use arras_hal::{Backend, Named};

use super::{
    Object, Reader, Rows, digest_of, from_file, hasher_at_payload,
    header::{KeyEntry, PublicKeyFields, moduli, number},
    methods::object_methods,
    open_stream,
};
use crate::{
    Context, EvaluationKeySet, EvaluationKeys, PublicKey, Result, SwitchingKey, params::Parameters,
};

impl<'h> Object<'h> for PublicKey {
    const READ: &'static str = "read a public key";
    type Fields = PublicKeyFields;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn fields(&self) -> PublicKeyFields {
        PublicKeyFields { seed: self.seed }
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(vec![Rows {
            moduli: self.fields().dimensions(&self.params)?.moduli,
            words: Cow::Borrowed(&self.b),
        }])
    }

    fn read<R: Read>(
        fields: PublicKeyFields,
        params: &'h Parameters,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        let dimensions = fields.dimensions(params)?;
        Ok(Self {
            params: params.clone(),
            seed: fields.seed,
            b: payload.residue_rows(params.n(), &dimensions.moduli, dimensions.polys)?,
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

    fn read<R: Read>(self, params: &Parameters, payload: &mut Reader<R>) -> Result<SwitchingKey> {
        let dimensions = self.dimensions(params)?;
        Ok(SwitchingKey {
            params: params.clone(),
            kind: self.kind(params)?,
            level_budget: self.level_budget(params)?,
            seed: self.seed,
            b: payload.residue_rows(params.n(), &dimensions.moduli, dimensions.polys)?,
        })
    }
}

fn key_rows(key: &SwitchingKey) -> Rows<'_> {
    Rows {
        moduli: moduli(&key.params, &key.layout().limbs),
        words: Cow::Borrowed(&key.b),
    }
}

impl<'h> Object<'h> for SwitchingKey {
    const READ: &'static str = "read a switching key";
    type Fields = KeyEntry;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn fields(&self) -> KeyEntry {
        KeyEntry::of(self)
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(vec![key_rows(self)])
    }

    fn read<R: Read>(
        fields: KeyEntry,
        params: &'h Parameters,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        KeyEntry::read(fields, params, payload)
    }
}

object_methods!([] SwitchingKey, &Parameters);

impl SwitchingKey {
    /// BLAKE3 of the key's container, as [`SwitchingKey::to_bytes`] makes it.
    ///
    /// # Errors
    /// As there.
    pub fn digest(&self) -> Result<[u8; 32]> {
        super::digest(self)
    }
}

impl<'h> Object<'h> for EvaluationKeySet {
    const READ: &'static str = "read evaluation keys";
    type Fields = Vec<KeyEntry>;
    type Home = &'h Parameters;

    fn params(&self) -> &Parameters {
        EvaluationKeySet::params(self)
    }

    fn fields(&self) -> Vec<KeyEntry> {
        self.iter().map(KeyEntry::of).collect()
    }

    fn rows(&self) -> Result<Vec<Rows<'_>>> {
        Ok(self.iter().map(key_rows).collect())
    }

    fn read<R: Read>(
        fields: Vec<KeyEntry>,
        params: &'h Parameters,
        payload: &mut Reader<R>,
    ) -> Result<Self> {
        let mut set = Self::new(params);
        for entry in fields {
            set.insert(entry.read(params, payload)?)?;
        }
        Ok(set)
    }
}

object_methods!([] EvaluationKeySet, &Parameters);

impl EvaluationKeySet {
    /// [`EvaluationKeySet::from_file`], and the [`SwitchingKey::digest`] of each key in the order of [`EvaluationKeySet::iter`], hashed
    /// from the bytes as they arrive.
    ///
    /// # Errors
    /// As [`EvaluationKeySet::from_file`].
    pub fn from_file_with_digests(
        path: impl AsRef<Path>,
        params: &Parameters,
    ) -> Result<(Self, Vec<[u8; 32]>)> {
        from_file(path.as_ref(), |input| {
            let (fields, mut payload): (Vec<KeyEntry>, _) =
                open_stream(input, params).named(Self::READ)?;
            let (mut set, mut digests) = (Self::new(params), vec![]);
            for entry in fields {
                let hasher = hasher_at_payload(params, entry)?;
                let (key, hasher) =
                    payload.hashing(hasher, |payload| entry.read(params, payload))?;
                digests.push(digest_of(hasher));
                set.insert(key)?;
            }
            payload.finish()?;
            Ok((set, digests))
        })
    }
}

impl<B: Backend> EvaluationKeys<B> {
    /// Loads the keys of a serialized [`EvaluationKeySet`] into the engine of `context` as they arrive: one key at a
    /// time is held on the host. Stops right after the container.
    ///
    /// # Errors
    /// As [`EvaluationKeySet::read_from`]; the engine's if it has no memory.
    pub fn load_from(input: impl Read, context: &Context<B>) -> Result<Self> {
        let params = context.params();
        let (fields, mut payload): (Vec<KeyEntry>, _) =
            open_stream(input, params).named(EvaluationKeySet::READ)?;
        let mut keys = Self::none(context);
        for entry in fields {
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
