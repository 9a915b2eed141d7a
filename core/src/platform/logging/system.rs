//! The log of each system.

#[cfg(target_os = "android")]
pub(super) use android::SystemLog;
#[cfg(target_vendor = "apple")]
pub(super) use apple::SystemLog;
#[cfg(not(any(target_os = "android", target_vendor = "apple")))]
pub(super) use none::SystemLog;

/// Compiled, not run: there was no Android device to run it on.
#[cfg(target_os = "android")]
mod android {
    use android_logger::{AndroidLogger, Config};
    use log::{Level, LevelFilter, Log, Record};

    pub(in super::super) struct SystemLog(AndroidLogger);

    impl SystemLog {
        /// `tag` has no zero bytes.
        pub(in super::super) fn new(tag: &str) -> Self {
            // What passes is decided before.
            Self(AndroidLogger::new(Config::default().with_max_level(LevelFilter::Trace).with_tag(tag)))
        }

        pub(in super::super) fn log(&self, level: Level, record: &Record<'_>) {
            let mut graded = Record::builder();
            graded.level(level).target(record.target()).module_path(Some(record.target())).args(*record.args());
            self.0.log(&graded.build());
        }
    }
}

/// Compiled, not run: there was no Apple device to run it on.
#[cfg(target_vendor = "apple")]
mod apple {
    use log::{Level, Record};
    use oslog::OsLog;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex, PoisonError};

    /// Categories are never given back by the system; targets are a few dozen modules.
    const MAX_CATEGORIES: usize = 256;

    pub(in super::super) struct SystemLog {
        subsystem: String,
        other: Arc<OsLog>,
        categories: Mutex<HashMap<String, Arc<OsLog>>>,
    }

    impl SystemLog {
        pub(in super::super) fn new(subsystem: &str) -> Self {
            let other = Arc::new(OsLog::new(subsystem, "other"));
            Self { subsystem: subsystem.to_owned(), other, categories: Mutex::default() }
        }

        pub(in super::super) fn log(&self, level: Level, record: &Record<'_>) {
            let kind = match level {
                Level::Error | Level::Warn => oslog::Level::Error,
                // `Info` of the unified log is kept in memory only, `Default` is written down.
                Level::Info => oslog::Level::Default,
                Level::Debug | Level::Trace => oslog::Level::Debug,
            };
            self.category(record.target()).with_level(kind, &record.args().to_string());
        }

        fn category(&self, target: &str) -> Arc<OsLog> {
            let mut categories = self.categories.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = categories.get(target) {
                return known.clone();
            }
            if categories.len() >= MAX_CATEGORIES {
                return self.other.clone();
            }
            let new = Arc::new(OsLog::new(&self.subsystem, target));
            categories.insert(target.to_owned(), new.clone());
            new
        }
    }
}

/// A system without a log of its own that every program writes to.
#[cfg(not(any(target_os = "android", target_vendor = "apple")))]
mod none {
    use log::{Level, Record};

    pub(in super::super) struct SystemLog;

    impl SystemLog {
        pub(in super::super) fn new(_: &str) -> Self {
            Self
        }

        pub(in super::super) fn log(&self, _: Level, _: &Record<'_>) {}
    }
}
