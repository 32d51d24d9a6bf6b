//! Any text as any name: what is taken is its own normal form, and no name holds a colon.
#![no_main]

use dezky_core::Timestamp;
use dezky_core::flags::Subject;
use dezky_core::names::{Currency, Domain, Email, Environment, FlagKey, Id, Label, PlanKey, Prose, Slug};
use libfuzzer_sys::fuzz_target;

macro_rules! is_a_fixed_point {
    ($text:ident: $($Name:ident)*) => {$(
        if let Ok(name) = $Name::new($text) {
            let again = $Name::new(name.as_str()).expect("a normal form is well formed");
            assert_eq!(again, name);
        }
    )*};
}

fuzz_target!(|text: &str| {
    is_a_fixed_point!(text: FlagKey PlanKey Environment Slug Id Email Domain Currency Label Prose);
    if FlagKey::new(text).is_ok()
        || PlanKey::new(text).is_ok()
        || Slug::new(text).is_ok()
        || Id::new(text).is_ok()
    {
        assert!(!text.contains(':'));
    }
    if let Ok(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }
    if let [a, b, c] = text.splitn(3, '\n').collect::<Vec<_>>()[..] {
        let _ = Subject::new(a, b, c).and_then(|subject| subject.with_partner(b)?.with_environment(c));
    }
});
