//! The error of finding a slice.

use dezky_core::Error;

use crate::store::StoreError;

/// The reason why a slice cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum SliceError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The flags do not form a valid slice.
    #[error(transparent)]
    Data(#[from] Error),
}
