//! What JavaScript holds, until it frees it or its garbage collector does.

use napi::{Env, Error, Result};

/// A value with the size of the document that it was made from, of which the garbage collector is told: it sees but a small object otherwise,
/// and lets very many of them pile up.
pub(crate) struct Held<T> {
    value: Option<T>,
    size: i64,
}

impl<T> Held<T> {
    pub(crate) fn new(env: Env, value: T, document: &[u8]) -> Result<Held<T>> {
        let size = i64::try_from(document.len()).unwrap_or(i64::MAX);
        env.adjust_external_memory(size)?;
        Ok(Held { value: Some(value), size })
    }

    /// The JavaScript lets go of what it frees, so that only a mistake in it meets the error.
    pub(crate) fn get(&self) -> Result<&T> {
        self.value.as_ref().ok_or_else(|| Error::from_reason("this was freed"))
    }

    pub(crate) fn free(&mut self, env: Env) -> Result<()> {
        if self.value.take().is_some() {
            env.adjust_external_memory(-self.size)?;
        }
        Ok(())
    }
}
