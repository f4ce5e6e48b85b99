//! An authority of this run, and a certificate for loopback from it.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Writes `ca.pem`, `server.pem`, `server.key`, and both of the server in `keystore.pem`, as Kafka wants them.
    pub(crate) fn make(folder: &Path) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Or both would have the same name, and a certificate of one's own name is taken for one's own.
        let name = &mut authority.distinguished_name;
        name.push(DnType::CommonName, "the authority of this test");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        let (server, key) = (server.pem(), key.serialize_pem());
        fs::create_dir_all(folder)?;
        fs::write(folder.join("ca.pem"), authority.pem())?;
        fs::write(folder.join("keystore.pem"), format!("{key}{server}"))?;
        fs::write(folder.join("server.pem"), server)?;
        fs::write(folder.join("server.key"), key)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn authority(&self) -> String {
        self.file("ca.pem")
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}
