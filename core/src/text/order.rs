//! Stable sorting of strings together with their original positions.
//!
//! The standard library's sort adds some kilobytes to a WASM module for each type that it sorts.
//! All sorting that evaluation needs therefore goes through this one function.

use alloc::vec::Vec;
use core::mem;

/// A string and its position in the list before sorting.
pub(crate) type Indexed<'t> = (&'t str, u32);

/// Sorts strings in ascending byte order; equal strings keep their order.
pub(crate) fn sort_indexed(texts: Vec<Indexed<'_>>) -> Vec<Indexed<'_>> {
    let mut last = "";
    for &(text, _) in &texts {
        if text < last {
            return merge_sort(texts);
        }
        last = text;
    }
    texts
}

fn merge_sort(mut from: Vec<Indexed<'_>>) -> Vec<Indexed<'_>> {
    let mut to = Vec::with_capacity(from.len());
    let mut run = 1;
    while run < from.len() {
        for pair in from.chunks(2 * run) {
            let (mut left, mut right) = pair.split_at_checked(run).unwrap_or((pair, &[]));
            loop {
                let next = match (left.first(), right.first()) {
                    (Some(a), b) if b.is_none_or(|b| a.0 <= b.0) => left.split_off_first(),
                    _ => right.split_off_first(),
                };
                let Some(next) = next else { break };
                to.push(*next);
            }
        }
        mem::swap(&mut from, &mut to);
        to.clear();
        run *= 2;
    }
    from
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use proptest::prelude::*;

    use super::sort_indexed;

    proptest! {
        #[test]
        fn sorting_is_stable(texts in proptest::collection::vec("[a-c]{0,3}", 0..70)) {
            let mut expected: Vec<(&str, u32)> = texts.iter().map(String::as_str).zip(0..).collect();
            expected.sort();
            let indexed = texts.iter().map(String::as_str).zip(0..).collect();
            prop_assert_eq!(sort_indexed(indexed), expected);
        }
    }
}
