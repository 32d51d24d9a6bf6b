//! The command `dezky-wasm-bindgen MODULE.wasm FOLDER`: runs wasm-bindgen on a compiled module.

use std::path::PathBuf;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: dezky-wasm-bindgen MODULE.wasm FOLDER".into());
    };
    // The bundler format: the JavaScript receives an instance and loads nothing itself.
    Bindgen::new().input_path(module).bundler(true)?.typescript(true).generate(folder)?;
    Ok(())
}
