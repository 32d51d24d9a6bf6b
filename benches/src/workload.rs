//! The deterministic workload of all engines: flags and tenants in a neutral form.

use crate::random::Random;

pub const PLANS: [&str; 4] = ["starter", "business", "professional", "enterprise"];
pub const PARTNERS: [&str; 5] = ["nordic", "alpine", "harbor", "meridian", "summit"];
pub const ENVIRONMENT: &str = "production";
pub const ROLLOUT_PERCENT: u32 = 25;

const AREAS: [&str; 10] =
    ["mail", "drive", "calendar", "billing", "console", "search", "sharing", "backup", "login", "audit"];
const SUBJECTS: [&str; 10] =
    ["export", "preview", "threads", "editor", "import", "digest", "labels", "policy", "limits", "native"];
const SLUG_HEADS: [&str; 12] = [
    "acme", "globex", "initech", "umbra", "vertex", "lumen", "cobalt", "aurora", "delta", "fjord", "quartz",
    "ember",
];
const SLUG_TAILS: [&str; 8] = ["labs", "group", "works", "media", "health", "legal", "design", "systems"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Off,
    On,
    Targeted,
    Rollout,
}

pub struct Flag {
    pub key: String,
    pub state: State,
    pub plans: Vec<&'static str>,
    /// Indexes in `Workload::tenants`. A format names a tenant by slug or by id.
    pub tenants: Vec<usize>,
}

pub struct Tenant {
    pub id: String,
    pub slug: String,
    pub plan: &'static str,
    pub partner: Option<&'static str>,
}

pub struct Workload {
    /// The flags, sorted by key.
    pub flags: Vec<Flag>,
    pub tenants: Vec<Tenant>,
}

impl Workload {
    pub fn new(flag_count: usize, tenant_count: usize) -> Self {
        let mut random = Random::new(0xDE2C);
        let tenants: Vec<Tenant> = (0..tenant_count).map(|index| tenant(index, &mut random)).collect();
        let mut flags: Vec<Flag> =
            (0..flag_count).map(|index| flag(index, tenant_count, &mut random)).collect();
        flags.sort_by(|left, right| left.key.cmp(&right.key));
        Self { flags, tenants }
    }

    /// Evaluates the scope of a flag, written independently of the measured engines.
    pub fn in_scope(&self, flag: &Flag, tenant_index: usize) -> bool {
        let plan_matches = flag.plans.is_empty() || flag.plans.contains(&self.tenants[tenant_index].plan);
        plan_matches && (flag.tenants.is_empty() || flag.tenants.contains(&tenant_index))
    }

    pub fn slugs<'a>(&'a self, flag: &'a Flag) -> impl Iterator<Item = &'a str> {
        flag.tenants.iter().map(|&index| self.tenants[index].slug.as_str())
    }

    pub fn ids<'a>(&'a self, flag: &'a Flag) -> impl Iterator<Item = &'a str> {
        flag.tenants.iter().map(|&index| self.tenants[index].id.as_str())
    }

    /// Returns shuffled (flag, tenant) pairs of one state, with the tenant in scope.
    pub fn pairs_in_scope(&self, state: State, count: usize) -> Vec<(usize, usize)> {
        let mut random = Random::new(0x5C09E);
        let of_state: Vec<usize> =
            (0..self.flags.len()).filter(|&index| self.flags[index].state == state).collect();
        let mut pairs = Vec::with_capacity(count);
        while pairs.len() < count {
            let flag_index = of_state[random.below(of_state.len())];
            let tenant_index = random.below(self.tenants.len());
            if self.in_scope(&self.flags[flag_index], tenant_index) {
                pairs.push((flag_index, tenant_index));
            }
        }
        pairs
    }

    /// Returns shuffled (flag, tenant) pairs of all flags, in scope or not.
    pub fn pairs(&self, count: usize) -> Vec<(usize, usize)> {
        let mut random = Random::new(0xA11);
        (0..count).map(|_| (random.below(self.flags.len()), random.below(self.tenants.len()))).collect()
    }
}

fn tenant(index: usize, random: &mut Random) -> Tenant {
    let id = format!("{:016x}{:08x}", random.next(), random.next() as u32);
    let head = SLUG_HEADS[random.below(SLUG_HEADS.len())];
    let tail = SLUG_TAILS[random.below(SLUG_TAILS.len())];
    Tenant {
        id,
        slug: format!("{head}-{tail}-{index}"),
        plan: PLANS[index % PLANS.len()],
        partner: index.is_multiple_of(20).then(|| PARTNERS[(index / 20) % PARTNERS.len()]),
    }
}

/// Creates a flag. Of ten flags, three are off, two on, two targeted and three a rollout.
///
/// Targeted flags alternate between plans, tenants, and both.
fn flag(index: usize, tenant_count: usize, random: &mut Random) -> Flag {
    let area = AREAS[random.below(AREAS.len())];
    let subject = SUBJECTS[random.below(SUBJECTS.len())];
    let state = match index % 10 {
        0..=2 => State::Off,
        3..=4 => State::On,
        5..=6 => State::Targeted,
        _ => State::Rollout,
    };
    let form = (index / 10 * 2 + index % 10 - usize::min(index % 10, 5)) % 3;
    let (has_plans, has_tenants) = match state {
        State::Off | State::On => (false, false),
        State::Targeted => (form != 1, form != 0),
        State::Rollout => (true, false),
    };
    let plans = random.distinct_below(PLANS.len(), 2);
    let tenants = random.distinct_below(tenant_count, 20);
    Flag {
        key: format!("{area}_{subject}_{index}"),
        state,
        plans: plans.into_iter().filter(|_| has_plans).map(|plan| PLANS[plan]).collect(),
        tenants: if has_tenants { tenants } else { Vec::new() },
    }
}
