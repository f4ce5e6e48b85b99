use std::time::Duration;

use anyhow::{Context, bail};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use url::Url;

/// For TCP alone; what follows is bounded as a whole.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Where the mail server is, and who we are there.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
}

enum Tls {
    None,
    /// From the first byte.
    Wrapped(TlsParameters),
    Starttls {
        parameters: TlsParameters,
        required: bool,
    },
}

impl Server {
    /// As `SMTP_URL` says it.
    pub(super) fn at(url: &Url) -> anyhow::Result<Self> {
        // A literal IPv6 address has brackets in a URL and nowhere else.
        let host = url.host_str().context("it names no host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let (port, tls) = tls(url, &host)?;
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            tls,
            credentials: credentials(url)?,
        })
    }

    /// A connection that is ready for a mail.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let (address, hello) = ((self.host.as_str(), self.port), ClientId::default());
        let wrapped = match &self.tls {
            Tls::Wrapped(parameters) => Some(parameters.clone()),
            Tls::None | Tls::Starttls { .. } => None,
        };
        let within = Some(CONNECT_WITHIN);
        let connected = AsyncSmtpConnection::connect_tokio1(address, within, &hello, wrapped, None);
        let mut connection = connected.await?;
        if let Tls::Starttls {
            parameters,
            required,
        } = &self.tls
            && (*required || connection.can_starttls())
        {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// The port where there is no other, and the TLS.
fn tls(url: &Url, host: &str) -> anyhow::Result<(u16, Tls)> {
    let parameters = || TlsParameters::new(host.to_owned()).context("TLS");
    let wish = url.query_pairs().find(|(name, _)| name == "tls");
    let wish = wish.as_ref().map(|(_, value)| &**value);
    let required = match (url.scheme(), wish) {
        ("smtps", _) => return Ok((smtp::SUBMISSIONS_PORT, Tls::Wrapped(parameters()?))),
        ("smtp", None) => return Ok((smtp::SMTP_PORT, Tls::None)),
        ("smtp", Some("required")) => true,
        ("smtp", Some("opportunistic")) => false,
        _ => bail!("tls is neither required nor opportunistic"),
    };
    let starttls = Tls::Starttls {
        parameters: parameters()?,
        required,
    };
    Ok((smtp::SUBMISSION_PORT, starttls))
}

fn credentials(url: &Url) -> anyhow::Result<Option<Credentials>> {
    let Some(password) = url.password() else {
        return Ok(None);
    };
    let decode = |text| percent_decode_str(text).decode_utf8();
    let user = decode(url.username()).context("the user")?;
    let password = decode(password).context("the password")?;
    Ok(Some(Credentials::new(
        user.into_owned(),
        password.into_owned(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> anyhow::Result<Server> {
        Server::at(&url.parse().unwrap())
    }

    #[test]
    fn the_port_is_that_of_the_scheme_where_there_is_no_other() {
        for (url, port) in [
            ("smtp://mail.example", 25),
            ("smtps://mail.example", 465),
            ("smtp://mail.example?tls=required", 587),
            ("smtp://[::1]:1025", 1025),
        ] {
            assert_eq!(server(url).unwrap().port, port, "{url}");
        }
        assert_eq!(server("smtp://[::1]:1025").unwrap().host, "::1");
    }

    #[test]
    fn logs_in_with_what_the_url_has() {
        assert!(server("smtp://mail.example").unwrap().credentials.is_none());
        let login = server("smtp://jane:p%40ss@mail.example")
            .unwrap()
            .credentials;
        let expected = Credentials::new("jane".to_owned(), "p@ss".to_owned());
        assert!(login == Some(expected));
    }

    #[test]
    fn refuses_a_wish_for_tls_that_it_does_not_know() {
        assert!(server("smtp://mail.example?tls=maybe").is_err());
    }
}
