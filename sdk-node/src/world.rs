//! The JavaScript class over a world.

use dezky_core::host;
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, Result};
use napi_derive::napi;

use crate::source::{Source, bytes, problems};
use crate::tracked::Tracked;

/// Every tenant, partner and flag at one revision.
#[napi(custom_finalize)]
pub struct World {
    world: Tracked<dezky_core::world::World>,
}

#[napi]
impl World {
    /// Parses a world document.
    #[napi(constructor)]
    pub fn new(env: Env, document: Source<'_>) -> Result<World> {
        let document = bytes(document);
        let (world, _) = host::world(&document).map_err(problems)?;
        Ok(World { world: Tracked::new(env, world, &document)? })
    }

    /// The revision of the world; core limits revisions to what a JavaScript number holds exactly.
    #[napi(getter)]
    pub fn revision(&self) -> Result<i64> {
        Ok(self.world.get()?.revision() as i64)
    }

    /// The environment of the world.
    #[napi(getter)]
    pub fn environment(&self) -> Result<String> {
        Ok(self.world.get()?.environment().to_string())
    }

    /// The number of registered tenants.
    #[napi(getter)]
    pub fn registered(&self) -> Result<i64> {
        Ok(self.world.get()?.registered() as i64)
    }

    /// Returns the plan of an edit.
    #[napi]
    pub fn plan(&self, edit: Source<'_>) -> Result<String> {
        host::plan(self.world.get()?, &bytes(edit)).map_err(problems)
    }

    /// Returns the ladder of a flag.
    #[napi]
    pub fn ladder(&self, key: String) -> Result<String> {
        host::ladder(self.world.get()?, &key).map_err(problems)
    }

    /// Returns the counts of a flag.
    #[napi]
    pub fn counts(&self, key: String) -> Result<String> {
        host::counts(self.world.get()?, &key).map_err(problems)
    }

    /// Returns the fingerprint over every registered tenant.
    #[napi]
    pub fn fingerprint(&self) -> Result<String> {
        Ok(host::world_fingerprint(self.world.get()?))
    }

    /// Frees the memory immediately.
    #[napi]
    pub fn free(&mut self, env: Env) -> Result<()> {
        self.world.free(env)
    }
}

impl ObjectFinalize for World {
    fn finalize(mut self, env: Env) -> Result<()> {
        self.world.free(env)
    }
}
