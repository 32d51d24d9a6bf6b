//! Every limit on input, named, with its reason. Sizes are checked before anything is parsed.
//!
//! ```
//! use dezky_core::{Code, limits::MAX_DOCUMENT_BYTES};
//! use dezky_core::flags::Snapshot;
//! let too_large = vec![b' '; MAX_DOCUMENT_BYTES + 1];
//! assert_eq!(Snapshot::from_json(&too_large).unwrap_err().code, Code::DocumentTooLarge);
//! ```

/// Bytes of a document (a snapshot of 100,000 ordinary flags has some 20 MB).
pub const MAX_DOCUMENT_BYTES: usize = 32 << 20;

/// Bytes of a world document (500,000 tenants at some 120 bytes each).
pub const MAX_WORLD_BYTES: usize = 64 << 20;

/// Levels of nesting. Our deepest form has 6; the rest is room for members that a newer writer adds.
pub const MAX_DEPTH: usize = 32;

/// Flags of a snapshot or a world: a hundred times what the largest installations hold.
pub const MAX_FLAGS: usize = 100_000;

/// Values on one axis of a scope. A longer list of tenants is a plan or a partner.
pub const MAX_AXIS_VALUES: usize = 10_000;

/// Tenants of a world.
pub const MAX_TENANTS: usize = 500_000;

/// Partners of a world.
pub const MAX_PARTNERS: usize = 100_000;

/// Steps of one edit: more is a migration, not something a person reviews.
pub const MAX_EDITS: usize = 1_000;

/// Warnings of one plan or flag: more of them say the same.
pub const MAX_WARNINGS: usize = 20;

/// Entries kept in a flag's history, newest first.
pub const MAX_HISTORY: usize = 20;

/// Items of any other list (domains, tenant ids, audiences, fields).
pub const MAX_LIST: usize = 10_000;

/// The largest revision or version: the largest whole number that JavaScript holds exactly.
pub const MAX_REVISION: u64 = (1 << 53) - 1;

/// Problems that one error reports. Past that, a document is not worth describing further.
pub const MAX_PROBLEMS: usize = 100;

/// Bytes of a token: twice what proxies allow for all headers of a request. Judged before anything is decoded.
pub const MAX_TOKEN_BYTES: usize = 16 << 10;

/// Bytes of a key set. Issuers publish a few keys, some with their certificates, in 2 to 20 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 << 10;

/// Keys of a key set: judging one takes up to a millisecond.
pub const MAX_KEYS: usize = 100;

/// Characters of a key's id.
pub const MAX_KEY_ID_CHARACTERS: usize = 255;

/// The most that a policy may allow clocks to differ, in seconds. Time protocols keep machines within one.
pub const MAX_TOKEN_LEEWAY_SECONDS: u32 = 30;

/// The most that a policy may allow from a token's `iat` to its `exp`: 31 days.
pub const MAX_TOKEN_LIFETIME_SECONDS: u32 = 31 * 24 * 3600;
