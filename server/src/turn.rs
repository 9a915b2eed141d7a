//! TURN credentials that expire: the scheme of draft-uberti-behave-turn-rest-00, which coturn checks with `use-auth-secret`.

use crate::{config::TurnConfig, watch_file::WatchedFiles};
use base64::{Engine, engine::general_purpose::STANDARD};
use chamada::signaling::message::IceServer;
use ring::hmac;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Fewer bytes are guessed from one pair of name and password.
const MIN_SECRET_BYTES: usize = 16;
const MAX_FILE_BYTES: u64 = 4096;
/// No credentials are good for less: a call has to be set up with them.
const MIN_LIFETIME: Duration = Duration::from_secs(60);

/// Why there can be no credentials.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The secret is too short, or none is there.
    #[error("{}: the secret that is shared with the TURN server has at least 16 bytes, on one line", .0.display())]
    BadSecret(PathBuf),
    /// No server is named, or one that is no TURN server.
    #[error("'{0}' is no TURN server: such a URL begins with turn: or turns:")]
    BadUrl(String),
}

/// Makes credentials with the secret that it shares with the TURN server.
pub(crate) struct Turn {
    config: TurnConfig,
    key: RwLock<hmac::Key>,
    files: WatchedFiles,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("urls", &self.config.urls).finish_non_exhaustive()
    }
}

impl Turn {
    pub(crate) fn new(config: TurnConfig) -> Result<Self, TurnError> {
        if let Some(url) = config.urls.iter().find(|url| !url.starts_with("turn:") && !url.starts_with("turns:")) {
            return Err(TurnError::BadUrl(url.clone()));
        }
        if config.urls.is_empty() {
            return Err(TurnError::BadUrl(String::new()));
        }
        let files = WatchedFiles::new(&[&config.secret]);
        let key = RwLock::new(read_key(&config.secret)?);
        Ok(Self { config, key, files })
    }

    pub(crate) fn files(&self) -> WatchedFiles {
        self.files.clone()
    }

    /// Takes the secret that is in the file now; one that is of no use changes nothing.
    pub(crate) fn reload(&self) -> Result<(), TurnError> {
        let key = read_key(&self.config.secret)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }

    /// After so long a client gets new credentials: in the half that is left a call can be set up and go on.
    pub(crate) fn renew_after(&self) -> Duration {
        self.lifetime() / 2
    }

    fn lifetime(&self) -> Duration {
        self.config.lifetime.max(MIN_LIFETIME)
    }

    /// The servers, with what lets this session use them from `now` on: a name that begins with the end of its time in seconds since 1970, and
    /// the name's HMAC-SHA-1 as the password.
    pub(crate) fn credentials(&self, session: u64, now: SystemTime) -> IceServer {
        let end = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(self.lifetime()).as_secs();
        let username = format!("{end}:{session}");
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        IceServer { urls: self.config.urls.clone(), username: Some(username), credential: Some(credential) }
    }
}

fn read_key(file: &Path) -> Result<hmac::Key, TurnError> {
    let unreadable = |source| TurnError::Unreadable { file: file.to_owned(), source };
    let bad = || TurnError::BadSecret(file.to_owned());
    if fs::metadata(file).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(bad());
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let secret = text.trim();
    if secret.len() < MIN_SECRET_BYTES || secret.contains('\n') {
        return Err(bad());
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(secret: &str, urls: &[&str]) -> Result<Turn, TurnError> {
        let file = std::env::temp_dir().join(format!("chamada-turn-secret-{}", uuid::Uuid::new_v4()));
        fs::write(&file, secret).unwrap();
        let urls = urls.iter().map(|url| (*url).to_owned()).collect();
        let turn = Turn::new(TurnConfig { secret: file.clone(), urls, lifetime: Duration::from_secs(3600) });
        fs::remove_file(file).unwrap();
        turn
    }

    /// The password is what `printf %s 1700003600:7 | openssl dgst -sha1 -hmac 'sixteen bytes or more' -binary | base64` prints.
    #[test]
    fn name_and_password_are_those_that_coturn_computes() {
        let turn = turn("sixteen bytes or more\n", &["turn:turn.example:3478"]).unwrap();
        let server = turn.credentials(7, UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        assert_eq!(server.urls, ["turn:turn.example:3478"]);
        assert_eq!(server.username.as_deref(), Some("1700003600:7"));
        assert_eq!(server.credential.as_deref(), Some("rhlUaFb5sjxdKFd4AjL496esRso="));
    }

    #[test]
    fn a_secret_that_is_guessed_and_a_url_that_is_no_turn_server_are_refused() {
        let url = "turns:turn.example";
        assert!(matches!(turn("short", &[url]), Err(TurnError::BadSecret(_))));
        assert!(matches!(turn("", &[url]), Err(TurnError::BadSecret(_))));
        assert!(matches!(turn("a line that is long\nand another", &[url]), Err(TurnError::BadSecret(_))));
        assert!(matches!(turn("sixteen bytes or more", &["stun:x"]), Err(TurnError::BadUrl(_))));
        assert!(matches!(turn("sixteen bytes or more", &[]), Err(TurnError::BadUrl(_))));
        let missing = TurnConfig { secret: "/nowhere".into(), urls: vec![url.into()], lifetime: Duration::ZERO };
        assert!(Turn::new(missing).unwrap_err().to_string().contains("/nowhere"));
    }
}
