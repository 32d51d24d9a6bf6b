//! The people, tenants and questions of the authorization row.

use crate::random::Random;

pub struct Person {
    pub id: String,
    pub role: &'static str,
    pub platform_admin: bool,
    /// True if the token of this person was issued for operators.
    pub operator_audience: bool,
    pub tenants: Vec<String>,
}

pub struct Cases {
    pub people: Vec<Person>,
    pub tenants: Vec<String>,
}

/// One question and its correct answer.
pub struct Case<'a> {
    pub person: &'a Person,
    pub action: &'static str,
    pub tenant: String,
    pub allowed: bool,
}

const MEMBERS: usize = 64;

impl Cases {
    /// Creates 64 members of three tenants each, an admin of a tenant, a platform admin and an
    /// operator.
    pub fn new() -> Self {
        let mut random = Random::new(0xACCE55);
        let mut id = || format!("{:016x}{:08x}", random.next(), random.next() as u32);
        let tenants: Vec<String> = (0..MEMBERS).map(|_| id()).collect();
        let mut people: Vec<Person> = (0..MEMBERS)
            .map(|index| Person {
                id: id(),
                role: "member",
                platform_admin: false,
                operator_audience: false,
                tenants: (0..3).map(|step| tenants[(index + step * 7) % MEMBERS].clone()).collect(),
            })
            .collect();
        people.push(Person {
            id: id(),
            role: "admin",
            platform_admin: false,
            operator_audience: false,
            tenants: vec![tenants[0].clone()],
        });
        for operator_audience in [false, true] {
            people.push(Person {
                id: id(),
                role: "member",
                platform_admin: true,
                operator_audience,
                tenants: Vec::new(),
            });
        }
        Self { people, tenants }
    }

    /// Returns the measured questions: each member reads the second of its three tenants.
    pub fn measured(&self) -> Vec<Case<'_>> {
        self.people[..MEMBERS]
            .iter()
            .map(|person| Case {
                person,
                action: "tenant.read",
                tenant: person.tenants[1].clone(),
                allowed: true,
            })
            .collect()
    }

    /// Returns questions for every rule, which are checked before any measurement.
    pub fn verified(&self) -> Vec<Case<'_>> {
        let member = &self.people[0];
        let [tenant_admin, admin, operator] =
            [&self.people[MEMBERS], &self.people[MEMBERS + 1], &self.people[MEMBERS + 2]];
        let own = &self.tenants[0];
        let other = &self.tenants[1];
        let case = |person, action, tenant: &String, allowed| Case {
            person,
            action,
            tenant: tenant.clone(),
            allowed,
        };
        let mut cases = self.measured();
        cases.extend([
            case(member, "tenant.read", other, false),
            case(member, "tenant.update", own, false),
            case(member, "tenant.suspend", own, false),
            case(tenant_admin, "tenant.read", own, true),
            case(tenant_admin, "tenant.update", own, true),
            case(tenant_admin, "tenant.update", other, false),
            case(admin, "tenant.read", own, true),
            case(admin, "tenant.suspend", own, false),
            case(operator, "tenant.read", other, true),
            case(operator, "tenant.suspend", own, true),
            case(operator, "tenant.update", own, true),
        ]);
        cases
    }
}
