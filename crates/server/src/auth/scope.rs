//! The one table of what each route needs. A route that is not in it can be read by readers and changed by admins only.

use axum::http::Method;
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

/// What a request of this method to this route needs.
pub(crate) fn needed(method: &Method, route: &str) -> Need {
    // What is asked by HEAD is what is asked by GET, and OPTIONS tells nothing.
    match *method {
        Method::OPTIONS => return Need::Nothing,
        Method::GET | Method::HEAD => {
            return match route {
                "/healthz" | "/readyz" | "/static/{*name}" | "/login" => Need::Nothing,
                "/v1/tokens" => Need::Admin,
                "/v1/blobs" => Need::Worker,
                "/v1/blobs/{sha256}" => Need::Blob,
                _ => Need::Read,
            };
        }
        _ => {}
    }
    match (method.as_str(), route) {
        ("POST", "/login" | "/logout") => Need::Nothing,
        ("POST", "/v1/fractal") => Need::Write,
        ("POST", "/v1/fractal/cancel" | "/v1/fractal/{uuid}/cancel") => Need::Write,
        ("POST", "/v1/fractal/retry" | "/v1/fractal/{uuid}/retry") => Need::Write,
        ("POST", "/v1/fractal/{uuid}/priority") => Need::Write,
        ("DELETE", "/v1/fractal/{uuid}") => Need::Write,
        ("PUT", "/v1/fractal/{uuid}") => Need::Worker,
        ("PUT", "/v1/blobs") => Need::Worker,
        _ => Need::Admin,
    }
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
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(needed(&method, "/v1/new"), Need::Admin);
            assert_eq!(needed(&method, ""), Need::Admin);
        }
        assert_eq!(needed(&Method::GET, "/v1/new"), Need::Read);
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
