//! OpenStack's signing in, by the storage URL or the variables that all of its clients know.

use super::{ErrorKind, Http, Issued, Session, SignIn};
use crate::Error;
use crate::location::{Location, config};
use faafo_http::keystone::{self, Application, Credentials, Domain, Interface, Named, Scope};
use reqwest::Url;

const CREDENTIALS: &str = "user, password and project in storage_url, or OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME and \
     their domains";

/// Who signs in, and which Swift of the catalogue is meant.
pub(in crate::swift) struct Keystone {
    pub(super) keystone: keystone::Keystone,
    region: Option<String>,
    interface: Interface,
}

impl Keystone {
    pub(super) fn read(url: Url, location: &mut Location<'_>) -> Result<Self, Error> {
        let (credentials, scope) = match application_credential(location)? {
            Some(credentials) => (credentials, Scope::Unscoped),
            None => password(location)?,
        };
        let interface = location.option("interface", &["OS_INTERFACE"]);
        Ok(Self {
            keystone: keystone::Keystone::new(url, &credentials, &scope, CREDENTIALS),
            region: location.option("region", &["OS_REGION_NAME"]),
            interface: match interface {
                None => Interface::default(),
                Some(name) => Interface::parse(&name)
                    .ok_or_else(|| config("needs interface=public, internal or admin"))?,
            },
        })
    }

    pub(super) async fn sign_in(&self, http: &Http) -> Result<Issued<Session>, faafo_http::Error> {
        let Issued { session, lifetime } = self.keystone.sign_in(http).await?;
        let storage = session
            .endpoint("object-store", self.interface, self.region.as_deref())
            .ok_or_else(|| {
                let message = format!(
                    "storage_url names a cloud whose catalogue has no {} object-store in this region: look at region \
                     and interface",
                    self.interface.name()
                );
                faafo_http::Error::new(ErrorKind::Config, message)
            })?;
        let token = session.value().clone();
        Ok(Issued {
            session: Session { storage, token },
            lifetime,
        })
    }
}

/// The secret of an application credential, which belongs to a project already.
fn application_credential(location: &mut Location<'_>) -> Result<Option<Credentials>, Error> {
    let missing = || config("lacks the application credential's swift://id:secret@…");
    let (id, secret) = match location.option("application", &[]).as_deref() {
        Some("id") => (location.user(&[]), location.password(&[])),
        Some(_) => return Err(config("knows only application=id")),
        None => {
            let variable = "OS_APPLICATION_CREDENTIAL_ID";
            match location.option("", &[variable]) {
                None => return Ok(None),
                id => (
                    id,
                    location.option("", &["OS_APPLICATION_CREDENTIAL_SECRET"]),
                ),
            }
        }
    };
    Ok(Some(Credentials::Application {
        application: Application::Id(id.ok_or_else(missing)?),
        secret: secret.ok_or_else(missing)?,
    }))
}

fn password(location: &mut Location<'_>) -> Result<(Credentials, Scope), Error> {
    let missing = || config("lacks swift://user:password@… (or OS_USERNAME and OS_PASSWORD)");
    let mut domain = |name: &str, variables: &[&str]| {
        let domain = location.option(name, variables);
        Domain::Name(domain.unwrap_or_else(|| "Default".to_owned()))
    };
    let user_domain = domain("user_domain", &["OS_USER_DOMAIN_NAME"]);
    let project_domain = domain("project_domain", &["OS_PROJECT_DOMAIN_NAME"]);
    let by_name = location.option("project", &["OS_PROJECT_NAME"]);
    let project = match location.option("project_id", &["OS_PROJECT_ID"]) {
        Some(id) => Named::Id(id),
        None => Named::Name {
            name: by_name.ok_or_else(|| config("needs project=, or OS_PROJECT_NAME"))?,
            domain: project_domain,
        },
    };
    let credentials = Credentials::Password {
        user: Named::Name {
            name: location.user(&["OS_USERNAME"]).ok_or_else(missing)?,
            domain: user_domain,
        },
        password: location.password(&["OS_PASSWORD"]).ok_or_else(missing)?,
    };
    Ok((credentials, Scope::Project(project)))
}
