//! What Keystone is told to sign in.

use serde_json::{Value, json};

/// Who signs in. Secret, so without `Debug`.
pub enum Credentials {
    /// `v3password`.
    Password {
        /// The user.
        user: Named,
        /// Their password.
        password: String,
    },
    /// `v3token`: another token, whose end the new one shares.
    Token(String),
    /// `v3applicationcredential`, which belongs to a project already: its scope is [`Scope::Unscoped`].
    Application {
        /// Which one.
        application: Application,
        /// Its secret.
        secret: String,
    },
}

/// An application credential.
pub enum Application {
    /// By its id.
    Id(String),
    /// By its name among those of a user.
    Name {
        /// Its name.
        name: String,
        /// Whose it is.
        user: Named,
    },
}

/// A domain.
pub enum Domain {
    /// By its id.
    Id(String),
    /// By its name.
    Name(String),
}

/// A user or a project.
pub enum Named {
    /// By its id.
    Id(String),
    /// By its name within a domain.
    Name {
        /// Its name.
        name: String,
        /// Where that name is known.
        domain: Domain,
    },
}

/// What the token is good for.
pub enum Scope {
    /// The resources of a project.
    Project(Named),
    /// The users and projects of a domain.
    Domain(Domain),
    /// The cloud itself.
    System,
    /// What belongs to the credentials; else the user's default project, if there is one.
    Unscoped,
}

/// The body of the request for a token.
pub(super) fn request(credentials: &Credentials, scope: &Scope) -> Value {
    let (method, details) = match credentials {
        Credentials::Password { user, password } => {
            let mut user = named(user);
            user["password"] = json!(password);
            ("password", json!({ "user": user }))
        }
        Credentials::Token(token) => ("token", json!({ "id": token })),
        Credentials::Application {
            application,
            secret,
        } => {
            let mut details = match application {
                Application::Id(id) => json!({ "id": id }),
                Application::Name { name, user } => json!({ "name": name, "user": named(user) }),
            };
            details["secret"] = json!(secret);
            ("application_credential", details)
        }
    };
    let mut auth = json!({ "identity": { "methods": [method], method: details } });
    let scope = match scope {
        Scope::Project(project) => json!({ "project": named(project) }),
        Scope::Domain(domain) => json!({ "domain": self::domain(domain) }),
        Scope::System => json!({ "system": { "all": true } }),
        Scope::Unscoped => return json!({ "auth": auth }),
    };
    auth["scope"] = scope;
    json!({ "auth": auth })
}

fn named(thing: &Named) -> Value {
    match thing {
        Named::Id(id) => json!({ "id": id }),
        Named::Name { name, domain } => json!({ "name": name, "domain": self::domain(domain) }),
    }
}

fn domain(domain: &Domain) -> Value {
    match domain {
        Domain::Id(id) => json!({ "id": id }),
        Domain::Name(name) => json!({ "name": name }),
    }
}
