//! All limits on input, each with its reason. Sizes are checked before anything is parsed.
//!
//! ```
//! use dezky_core::{Code, limits::MAX_DOCUMENT_BYTES};
//! use dezky_core::flags::Snapshot;
//! let too_large = vec![b' '; MAX_DOCUMENT_BYTES + 1];
//! assert_eq!(Snapshot::from_json(&too_large).unwrap_err().code, Code::DocumentTooLarge);
//! ```

/// Bytes of a document. A snapshot of 100,000 ordinary flags has some 20 MB.
pub const MAX_DOCUMENT_BYTES: usize = 32 << 20;

/// Bytes of a world document: room for 500,000 tenants of some 120 bytes.
pub const MAX_WORLD_BYTES: usize = 64 << 20;

/// Levels of nesting. The deepest document of this crate has 6; newer writers may add members.
pub const MAX_DEPTH: usize = 32;

/// Flags of a snapshot or a world: a hundred times as many as the largest installations have.
pub const MAX_FLAGS: usize = 100_000;

/// Values on one axis of a scope. A longer list of tenants belongs in a plan or a partner.
pub const MAX_AXIS_VALUES: usize = 10_000;

/// Tenants of a world, including terminated ones.
pub const MAX_TENANTS: usize = 500_000;

/// Partners of a world document.
pub const MAX_PARTNERS: usize = 100_000;

/// Steps of one edit. A person cannot review more of them in one plan.
pub const MAX_EDITS: usize = 1_000;

/// Warnings of one plan or flag. More of them repeat the same cause.
pub const MAX_WARNINGS: usize = 20;

/// Entries kept in a flag's history, newest first.
pub const MAX_HISTORY: usize = 20;

/// Items of any other list, such as domains, tenant ids, audiences or fields.
pub const MAX_LIST: usize = 10_000;

/// The largest revision or version: the largest whole number that JavaScript represents exactly.
pub const MAX_REVISION: u64 = (1 << 53) - 1;

/// Problems that one error reports.
pub const MAX_PROBLEMS: usize = 100;

/// Bytes of a token: twice what proxies allow for all headers of a request.
pub const MAX_TOKEN_BYTES: usize = 16 << 10;

/// Bytes of a key set. Issuers publish a few keys, some with certificates, in 2 to 20 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 << 10;

/// Keys of a key set. Checking one takes up to a millisecond.
pub const MAX_KEYS: usize = 100;

/// Characters of the id of a key.
pub const MAX_KEY_ID_CHARACTERS: usize = 255;

/// The largest clock difference that a policy may allow, in seconds. Time protocols keep clocks
/// within one second.
pub const MAX_TOKEN_LEEWAY_SECONDS: u32 = 30;

/// The longest time from a token's `iat` to its `exp` that a policy may allow: 31 days.
pub const MAX_TOKEN_LIFETIME_SECONDS: u32 = 31 * 24 * 3600;
