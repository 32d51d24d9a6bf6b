//! The one switch between fast code and small code.

/// Whether the size of the code matters more than a few nanoseconds: true in WASM, which browsers
/// download.
///
/// The attribute `cfg_attr(not(target_family = "wasm"), inline(always))` on the hottest functions
/// follows the same rule.
pub(crate) const IS_SMALL: bool = cfg!(target_family = "wasm");
