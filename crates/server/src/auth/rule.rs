//! What the guard must know of a route: the scope it needs, and what body it takes. `routes.rs` has the table.

use axum::http::Method;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To look at everything.
    Read,
    /// To make, cancel, retry and delete fractals, and to look at everything.
    Write,
    /// What a worker does: to store and fetch blobs, and to send results.
    Worker,
    /// Everything.
    Admin,
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// No token, ever.
    Nothing,
    /// To read.
    Read,
    /// To read blobs, which workers do as well.
    Blob,
    /// To write.
    Write,
    /// To do a worker's work.
    Worker,
    /// To be in charge.
    Admin,
}

/// The body that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLimit {
    /// None: nothing of it is read.
    Empty,
    /// At most this many bytes, which `body_timeout` bounds in time.
    Short(usize),
    /// A blob of at most `max_upload` bytes, which a worker sends as slowly as it renders.
    Upload,
}

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Programs: `openapi.json` describes it.
    Api,
    /// Programs that watch over the service: as `Api`, and answered however busy the server is.
    Probe,
    /// People: whoever needs a token to see it is led to where people sign in.
    Page,
}

/// What the guard must know of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) need: Need,
    pub(crate) body: BodyLimit,
    pub(crate) kind: Kind,
}

/// The rules of all routes.
#[derive(Default)]
pub(crate) struct Rules(HashMap<&'static str, Vec<(Method, Rule)>>);

impl Rules {
    pub(crate) fn add(&mut self, method: Method, path: &'static str, rule: Rule) {
        self.0.entry(path).or_default().push((method, rule));
    }

    /// The rule for a request of this method to this route. What nobody thought of can be read by readers and changed
    /// by admins only.
    pub(super) fn find(&self, method: &Method, path: Option<&str>) -> Rule {
        let rows = path.and_then(|path| self.0.get(path));
        let rows = rows.map(Vec::as_slice).unwrap_or_default();
        // HEAD asks for what GET asks for, and OPTIONS tells nothing.
        let found = match *method {
            Method::OPTIONS => rows.first(),
            Method::HEAD => rows.iter().find(|(known, _)| known == Method::GET),
            _ => rows.iter().find(|(known, _)| known == method),
        };
        let rule = found.map_or(
            Rule {
                need: if is_change(method) {
                    Need::Admin
                } else {
                    Need::Read
                },
                body: BodyLimit::Empty,
                kind: Kind::Api,
            },
            |(_, rule)| *rule,
        );
        match *method {
            Method::OPTIONS => Rule {
                need: Need::Nothing,
                ..rule
            },
            _ => rule,
        }
    }
}

/// Whether a request of this method may change something.
pub(super) fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Worker, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn allows(self, need: Need) -> bool {
        match self {
            Self::Read => matches!(need, Need::Nothing | Need::Read | Need::Blob),
            Self::Write => matches!(need, Need::Nothing | Need::Read | Need::Blob | Need::Write),
            Self::Worker => matches!(need, Need::Nothing | Need::Blob | Need::Worker),
            Self::Admin => true,
        }
    }
}

impl Need {
    /// The scope to ask for.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Nothing | Self::Read | Self::Blob => Scope::Read,
            Self::Write => Scope::Write,
            Self::Worker => Scope::Worker,
            Self::Admin => Scope::Admin,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == name);
        found.ok_or_else(|| "must be read, write, worker or admin".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_nobody_thought_of_is_changed_by_admins_only() {
        let rules = Rules::default();
        let needed = |method: &str, path| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            rules.find(&method, path).need
        };
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
            assert_eq!(needed(method, Some("/v1/new")), Need::Admin);
            assert_eq!(needed(method, None), Need::Admin);
        }
        assert_eq!(needed("GET", Some("/v1/new")), Need::Read);
        assert_eq!(needed("HEAD", None), Need::Read);
        assert_eq!(needed("OPTIONS", None), Need::Nothing);
    }

    #[test]
    fn a_method_that_a_route_does_not_have_is_not_allowed_by_those_that_it_has() {
        let mut rules = Rules::default();
        let rule = Rule {
            need: Need::Nothing,
            body: BodyLimit::Short(10),
            kind: Kind::Page,
        };
        rules.add(Method::POST, "/login", rule);
        let found = |method| rules.find(&method, Some("/login"));
        assert_eq!(found(Method::POST), rule);
        assert_eq!(found(Method::OPTIONS), rule);
        for (method, need) in [
            (Method::PUT, Need::Admin),
            (Method::GET, Need::Read),
            (Method::HEAD, Need::Read),
        ] {
            let rule = found(method);
            assert_eq!(
                (rule.need, rule.body, rule.kind),
                (need, BodyLimit::Empty, Kind::Api)
            );
        }
    }

    #[test]
    fn no_scope_but_admin_allows_what_another_one_is_for() {
        for need in [Need::Write, Need::Worker, Need::Admin] {
            let allowing = Scope::ALL.into_iter().filter(|scope| scope.allows(need));
            let allowing: Vec<_> = allowing.collect();
            let own = need.scope();
            assert!(
                allowing.contains(&own) && allowing.contains(&Scope::Admin),
                "{need:?}"
            );
            assert!(allowing.len() <= 2, "{need:?}: {allowing:?}");
        }
        assert!(Scope::Write.allows(Need::Read) && !Scope::Worker.allows(Need::Read));
    }

    #[test]
    fn every_scope_has_a_name_of_its_own() {
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert!("root".parse::<Scope>().is_err());
    }
}
