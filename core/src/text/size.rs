//! The one switch between fast code and small code.

/// True in WASM, which browsers download: there, small code is preferred over fast code.
///
/// The attribute `cfg_attr(not(target_family = "wasm"), inline(always))` on the hottest functions
/// follows the same rule.
pub(crate) const IS_SMALL: bool = cfg!(target_family = "wasm");
