//! The JavaScript class over a world.

use dezky_core::{Edit, Error};
use napi::bindgen_prelude::ObjectFinalize;
use napi::{Env, Result};
use napi_derive::napi;
use serde::Serialize;

use crate::external::External;
use crate::source::{Source, bytes, problems};

/// Every tenant, partner and flag at one revision.
#[napi(custom_finalize)]
pub struct World {
    world: External<dezky_core::World>,
}

#[napi]
impl World {
    /// Parses a world document.
    #[napi(constructor)]
    pub fn new(env: Env, document: Source<'_>) -> Result<World> {
        let document = bytes(document);
        let world = dezky_core::World::from_json(&document).map_err(problems)?;
        Ok(World { world: External::new(env, world, &document)? })
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
        let edit = Edit::from_json(&bytes(edit)).map_err(problems)?;
        json(self.world.get()?.plan(&edit))
    }

    /// Returns the ladder of a flag.
    #[napi]
    pub fn ladder(&self, key: String) -> Result<String> {
        json(self.world.get()?.ladder(&key))
    }

    /// Returns the counts of a flag.
    #[napi]
    pub fn counts(&self, key: String) -> Result<String> {
        json(self.world.get()?.counts(&key))
    }

    /// Returns the fingerprint over every registered tenant.
    #[napi]
    pub fn fingerprint(&self) -> Result<String> {
        Ok(self.world.get()?.fingerprint().to_string())
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

fn json(answer: std::result::Result<impl Serialize, Error>) -> Result<String> {
    let answer = answer.map_err(problems)?;
    serde_json::to_string(&answer).map_err(|error| napi::Error::from_reason(error.to_string()))
}
