//! What `docker-compose.yml` says, as far as it is compared with something.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::repository;

pub(crate) const FILE: &str = "docker-compose.yml";

#[derive(Debug, Deserialize)]
pub(crate) struct Compose {
    pub(crate) services: BTreeMap<String, Service>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) image: String,
    pub(crate) build: Option<Build>,
    /// A variable without a value is passed on from the shell, if it is set there.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(crate) ports: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Build {
    pub(crate) args: BTreeMap<String, String>,
}

impl Compose {
    pub(crate) fn read() -> Self {
        serde_saphyr::from_str(&repository::read(FILE)).expect("a compose file")
    }

    /// What we build ourselves, by the name of its package.
    pub(crate) fn built(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.services.values().filter_map(|service| {
            let package = service.build.as_ref()?.args.get("SERVICE")?;
            Some((package.as_str(), service))
        })
    }

    /// The version of an image that is somebody else's, by its name without the tag.
    pub(crate) fn version_of(&self, repository: &str) -> String {
        let mut tags = self
            .images()
            .filter_map(|image| image.strip_prefix(repository)?.strip_prefix(':'));
        let tag = tags.next();
        tag.unwrap_or_else(|| panic!("{FILE} has no {repository}"))
            .to_owned()
    }

    /// The images that are somebody else's.
    pub(crate) fn images(&self) -> impl Iterator<Item = &str> {
        let theirs = self.services.values();
        theirs
            .filter(|service| service.build.is_none())
            .map(|service| service.image.as_str())
    }
}
