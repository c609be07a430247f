//! Who may use a route.
//!
//! A request from outside shows a token (`Authorization: Bearer …`); a request on the control socket
//! comes from whoever owns the data directory, and may do everything. An unknown site and a token
//! that does not open it are answered alike, so that nobody learns which sites there are.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Services;
use super::answer::Refused;
use super::noting::Noted;
use crate::access_log::Reader;
use crate::query::Known;
use crate::site::Site;
use crate::site::member::Person;
use crate::store::catalog::Token;

/// Who asks.
#[derive(Clone, Debug)]
pub enum Access {
    /// Whoever owns the data directory.
    Owner,
    /// Whoever has this token.
    Token(Token),
}

/// Who signed in, as a trusted proxy says: it opens pages, and not the API.
#[derive(Clone)]
pub(crate) struct SignedInByProxy(pub(crate) Person);

/// Marks a request that came in on the control socket.
#[derive(Clone, Copy)]
pub(super) struct OnControlSocket;

/// Lets every request pass as the owner's: for the control socket only.
pub(super) async fn as_owner(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(OnControlSocket);
    next.run(request).await
}

const MISSING_TOKEN: &str = "Missing API token: send it as `Authorization: Bearer <token>`.";
const NOT_OPENED: &str = "Invalid API token or site_id: check that the token is right and opens the reports of this site.";

impl Access {
    /// The site, if it may be read.
    pub(super) fn site(&self, services: &Services, domain: &str) -> Result<Arc<Site>, Refused> {
        let domain = crate::site::domain::bare_domain(domain);
        let site = services.catalog.site(&domain).filter(|site| self.reads(services, site));
        site.ok_or_else(|| Refused::new(StatusCode::UNAUTHORIZED, NOT_OPENED))
    }

    /// As what a question about a site is read: as one of whoever asks.
    pub(super) fn known<'site>(&self, site: &'site Site, services: &Services) -> Known<'site> {
        let floor = match self {
            Self::Owner => None,
            Self::Token(token) => token.floor(),
        };
        Known { floor, ..Known::new(site, services.clock.now()) }
    }

    /// As whom the log of reads knows whoever asks.
    fn reader(&self) -> Reader {
        match self {
            Self::Owner => Reader::Owner,
            Self::Token(token) => token_reader(token),
        }
    }

    /// Whether the reports of a site may be read.
    pub(super) fn reads(&self, services: &Services, site: &Site) -> bool {
        match self {
            Self::Owner => true,
            Self::Token(token) => token.reads(site.id, services.clock.now()),
        }
    }
}

/// As whom the log of reads knows whoever has a token.
pub(crate) fn token_reader(token: &Token) -> Reader {
    Reader::Token { id: token.id.clone(), name: token.note.clone() }
}

/// The token of the `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<Services> for Access {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Refused> {
        let access = if parts.extensions.get::<OnControlSocket>().is_some() {
            Self::Owner
        } else {
            let unauthorized = |message| Refused::new(StatusCode::UNAUTHORIZED, message);
            let secret = bearer(&parts.headers).ok_or_else(|| unauthorized(MISSING_TOKEN))?;
            let token = services.catalog.token(secret);
            let token = token.filter(|token| token.is_alive(services.clock.now()));
            token.map(Self::Token).ok_or_else(|| unauthorized(NOT_OPENED))?
        };
        if let Some(noted) = parts.extensions.get::<Noted>() {
            noted.reader(access.reader());
        }
        Ok(access)
    }
}

/// Proof that a request may change what is set up.
pub(super) struct Administrator;

impl FromRequestParts<Services> for Administrator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Refused> {
        match Access::from_request_parts(parts, services).await? {
            Access::Owner => Ok(Self),
            Access::Token(token) if token.administers(services.clock.now()) => Ok(Self),
            Access::Token(_) => Err(Refused::new(
                StatusCode::FORBIDDEN,
                "This needs a token with the scope `admin` for all sites.",
            )),
        }
    }
}
