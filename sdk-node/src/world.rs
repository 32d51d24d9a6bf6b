//! A world, held for JavaScript.

use dezky_core::{Edit, Error};
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, Result};
use napi_derive::napi;
use serde::Serialize;

use crate::held::Held;
use crate::source::{Source, bytes, problems};

/// Every tenant, partner and flag at one revision.
#[napi(custom_finalize)]
pub struct World {
    world: Held<dezky_core::World>,
}

#[napi]
impl World {
    /// Reads a world.
    #[napi(constructor)]
    pub fn new(env: Env, document: Source<'_>) -> Result<World> {
        let document = bytes(document);
        let world = dezky_core::World::from_json(&document).map_err(problems)?;
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
        let edit = Edit::from_json(&bytes(edit)).map_err(problems)?;
        json(self.world.get()?.plan(&edit))
    }

    /// In which order a rising percentage includes the tenants of a flag's scope.
    #[napi]
    pub fn ladder(&self, key: String) -> Result<String> {
        json(self.world.get()?.ladder(&key))
    }

    /// How many tenants a flag concerns.
    #[napi]
    pub fn counts(&self, key: String) -> Result<String> {
        json(self.world.get()?.counts(&key))
    }

    /// The fingerprint over every registered tenant.
    #[napi]
    pub fn fingerprint(&self) -> Result<String> {
        Ok(self.world.get()?.fingerprint().to_string())
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

fn json(answer: std::result::Result<impl Serialize, Error>) -> Result<String> {
    let answer = answer.map_err(problems)?;
    serde_json::to_string(&answer).map_err(|error| napi::Error::from_reason(error.to_string()))
}
