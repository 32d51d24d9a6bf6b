//! A world, held for JavaScript.

use dezky_core::host;
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, Result};
use napi_derive::napi;

use crate::held::Held;
use crate::source::{Source, bytes, problems};

/// Every tenant, partner and flag at one revision.
#[napi(custom_finalize)]
pub struct World {
    world: Held<dezky_core::world::World>,
}

#[napi]
impl World {
    /// Reads a world.
    #[napi(constructor)]
    pub fn new(env: Env, document: Source<'_>) -> Result<World> {
        let document = bytes(document);
        let (world, _) = host::world(&document).map_err(problems)?;
        Ok(World { world: Held::new(env, world, &document)? })
    }

    /// The revision that it shows, which a number holds exactly.
    #[napi(getter)]
    pub fn revision(&self) -> Result<i64> {
        Ok(self.world.get()?.revision() as i64)
    }

    /// The environment that it is.
    #[napi(getter)]
    pub fn environment(&self) -> Result<String> {
        Ok(self.world.get()?.environment().to_string())
    }

    /// How many tenants are registered.
    #[napi(getter)]
    pub fn registered(&self) -> Result<i64> {
        Ok(self.world.get()?.registered() as i64)
    }

    /// Who gains and who loses by an edit.
    #[napi]
    pub fn plan(&self, edit: Source<'_>) -> Result<String> {
        host::plan(self.world.get()?, &bytes(edit)).map_err(problems)
    }

    /// In which order a rising percentage includes the tenants of a flag's scope.
    #[napi]
    pub fn ladder(&self, key: String) -> Result<String> {
        host::ladder(self.world.get()?, &key).map_err(problems)
    }

    /// How many tenants a flag concerns.
    #[napi]
    pub fn counts(&self, key: String) -> Result<String> {
        host::counts(self.world.get()?, &key).map_err(problems)
    }

    /// The fingerprint over every registered tenant.
    #[napi]
    pub fn fingerprint(&self) -> Result<String> {
        Ok(host::world_fingerprint(self.world.get()?))
    }

    /// Gives the memory back now.
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
