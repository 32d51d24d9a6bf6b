//! Texts in order, each with the place it came from. One sort for all: in WASM the standard one weighs some kilobytes for each type
//! that it sorts.

use alloc::vec::Vec;
use core::mem;

/// A text, and its place in the list that it came from.
pub(crate) type Placed<'t> = (&'t str, u32);

/// The texts in ascending order, equal ones in the order in which they came.
pub(crate) fn in_order(texts: Vec<Placed<'_>>) -> Vec<Placed<'_>> {
    let mut last = "";
    for &(text, _) in &texts {
        if text < last {
            return merge_sort(texts);
        }
        last = text;
    }
    texts
}

fn merge_sort(mut from: Vec<Placed<'_>>) -> Vec<Placed<'_>> {
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

    use super::in_order;

    proptest! {
        #[test]
        fn texts_are_sorted_and_equal_ones_keep_their_order(texts in proptest::collection::vec("[a-c]{0,3}", 0..70)) {
            let mut expected: Vec<(&str, u32)> = texts.iter().map(String::as_str).zip(0..).collect();
            expected.sort();
            let placed = texts.iter().map(String::as_str).zip(0..).collect();
            prop_assert_eq!(in_order(placed), expected);
        }
    }
}
