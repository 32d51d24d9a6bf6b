//! `dezky-wasm-bindgen MODULE.wasm FOLDER`: reads a compiled module and writes it anew, beside the JavaScript that calls it.

use std::path::PathBuf;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: dezky-wasm-bindgen MODULE.wasm FOLDER".into());
    };
    // For bundlers: functions in a module of their own, which is handed its instance and loads nothing by itself.
    Bindgen::new().input_path(module).bundler(true)?.typescript(true).generate(folder)?;
    Ok(())
}
