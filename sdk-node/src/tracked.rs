//! Rust values owned by JavaScript objects, and their size as the garbage collector sees it.

use napi::{Env, Error, Result};

/// A value that a JavaScript object owns. Its document's size is reported to the garbage collector,
/// which otherwise sees only a small object and collects too late.
pub(crate) struct Tracked<T> {
    value: Option<T>,
    size: i64,
}

impl<T> Tracked<T> {
    pub(crate) fn new(env: Env, value: T, document: &[u8]) -> Result<Tracked<T>> {
        let size = i64::try_from(document.len()).unwrap_or(i64::MAX);
        env.adjust_external_memory(size)?;
        Ok(Tracked { value: Some(value), size })
    }

    /// Returns the value. The error is unreachable while the JavaScript drops objects that it
    /// frees.
    pub(crate) fn get(&self) -> Result<&T> {
        self.value.as_ref().ok_or_else(|| Error::from_reason("the object was freed"))
    }

    pub(crate) fn free(&mut self, env: Env) -> Result<()> {
        if self.value.take().is_some() {
            env.adjust_external_memory(-self.size)?;
        }
        Ok(())
    }
}
