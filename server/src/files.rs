//! Each connection needs a file descriptor, and the system's usual limit of 1,024 is fewer than the connections that are allowed.

/// Raises this process's limit as far as it may without privileges.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => tracing::debug!(most = ?limit.maximum, "the limit of open files was raised"),
        Err(e) => tracing::warn!(most = ?limit.current, reason = %e, "the limit of open files stays"),
    }
}

/// Nothing to raise on this system.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
