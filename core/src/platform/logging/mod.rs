//! The core's log: where it goes on each system, and what it must not say.
//!
//! | system | records go to |
//! | --- | --- |
//! | Android | the system's log, under the tag of [`LogConfig::subsystem`] |
//! | Apple | the unified log, under the subsystem of this name, the record's target as category |
//! | others | the app's sink alone; a program that wants more installs a logger of its own in place of [`init`] |
//!
//! An app's [`LogSink`] gets the same records, on every system.
//!
//! # What the log must not say
//!
//! At `info` and above there is nothing that tells who talks with whom or lets a third person in: no user names, no chat lines,
//! no SDP, no candidates or addresses, no credentials or tokens. Such things may stand in `debug` and `trace`, which nobody turns
//! on but to look for a fault. Two things see to it:
//!
//! - The core's own records are written to this rule: error texts that quote the other side, the server or a dependency are
//!   said at `debug`, with a plain sentence at `warn` beside it. The test `log_privacy` holds a call and searches what was logged.
//! - What other crates log is not ours to review, so it counts as `debug` here, whatever they call it.

mod system;

use log::{Log, Metadata, Record};
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use log::{Level, LevelFilter};

/// Where crates' names begin whose records are written to the rule above.
const OWN: &str = "chamada";

/// One line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// How grave it is.
    pub level: Level,
    /// Which part of the code speaks, as a Rust path.
    pub target: &'a str,
    /// What it says.
    pub message: &'a str,
}

/// Takes the log into an app. Called from any thread, media threads too: it must be quick. What it logs itself through the `log` crate
/// is left out, and a panic in it is too.
pub trait LogSink: Send + Sync {
    /// Takes one line.
    fn log(&self, record: LogRecord<'_>);
}

/// What is logged, and where to.
#[derive(Clone)]
pub struct LogConfig {
    /// The least grave level that is logged; [`LevelFilter::Info`] by default.
    pub level: LevelFilter,
    /// The tag (Android) or subsystem (Apple; by custom a reversed domain name). Zero bytes are left out.
    pub subsystem: String,
    /// Whether the system's log gets the records.
    pub system: bool,
    /// Gets them as well.
    pub sink: Option<Arc<dyn LogSink>>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: LevelFilter::Info, subsystem: OWN.to_owned(), system: true, sink: None }
    }
}

impl fmt::Debug for LogConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, subsystem, system, sink } = self;
        let sink = sink.is_some();
        f.debug_struct("LogConfig")
            .field("level", level)
            .field("subsystem", subsystem)
            .field("system", system)
            .field("sink", &sink)
            .finish()
    }
}

/// This process has a logger already, ours or another: there can be one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this process has a logger already")]
pub struct AlreadyInitialised;

/// Starts logging, for the whole process and until its end.
///
/// # Errors
/// [`AlreadyInitialised`]; what was there before goes on, with its level.
pub fn init(config: LogConfig) -> Result<(), AlreadyInitialised> {
    let level = config.level;
    log::set_boxed_logger(Box::new(Logger::new(config))).map_err(|_| AlreadyInitialised)?;
    log::set_max_level(level);
    Ok(())
}

/// Changes the level of a log that [`init`] started.
pub fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}

struct Logger {
    system: Option<system::SystemLog>,
    sink: Option<Arc<dyn LogSink>>,
}

impl Logger {
    fn new(config: LogConfig) -> Self {
        let subsystem = config.subsystem.replace('\0', "");
        Self { system: config.system.then(|| system::SystemLog::new(&subsystem)), sink: config.sink }
    }

    fn tell_sink(&self, level: Level, record: &Record<'_>) {
        thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
        let Some(sink) = &self.sink else { return };
        if INSIDE.replace(true) {
            return;
        }
        let text = record.args().as_str().map_or_else(|| record.args().to_string().into(), std::borrow::Cow::Borrowed);
        let line = LogRecord { level, target: record.target(), message: &text };
        // A panic of the app's must not take a media thread with it, and there is nobody here who could be told.
        let _ = catch_unwind(AssertUnwindSafe(|| sink.log(line)));
        INSIDE.set(false);
    }
}

/// As grave as it counts here.
fn level_of(metadata: &Metadata<'_>) -> Level {
    let own = metadata.target().strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '_']));
    if own { metadata.level() } else { metadata.level().max(Level::Debug) }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        level_of(metadata) <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = level_of(record.metadata());
        if let Some(system) = &self.system {
            system.log(level, record);
        }
        self.tell_sink(level, record);
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Kept(Mutex<Vec<(Level, String)>>);

    impl LogSink for Kept {
        fn log(&self, record: LogRecord<'_>) {
            self.0.lock().unwrap().push((record.level, format!("{}: {}", record.target, record.message)));
        }
    }

    fn logger(sink: Arc<dyn LogSink>) -> Logger {
        Logger::new(LogConfig { sink: Some(sink), ..LogConfig::default() })
    }

    fn say(logger: &Logger, level: Level, target: &str, message: &str) {
        let metadata = Metadata::builder().level(level).target(target).build();
        let tell = |record: &Record<'_>| logger.tell_sink(level_of(record.metadata()), record);
        tell(&Record::builder().metadata(metadata).args(format_args!("{message}")).build());
    }

    #[test]
    fn what_other_crates_call_an_error_counts_as_debug_and_our_own_records_count_as_they_say() {
        let level = |target, level| level_of(&Metadata::builder().target(target).level(level).build());
        assert_eq!(level("rtc::ice::agent", Level::Error), Level::Debug);
        assert_eq!(level("chamadas_of_others", Level::Warn), Level::Debug);
        assert_eq!(level("rustls", Level::Trace), Level::Trace);
        for own in ["chamada", "chamada::peer", "chamada_ffi::client", "chamada_server"] {
            assert_eq!(level(own, Level::Warn), Level::Warn);
        }
    }

    #[test]
    fn the_sink_gets_level_target_and_text() {
        let kept = Arc::new(Kept::default());
        say(&logger(kept.clone()), Level::Info, "chamada::call", "it rings");
        say(&logger(kept.clone()), Level::Error, "webrtc", "oh");
        let expected = [(Level::Info, "chamada::call: it rings"), (Level::Debug, "webrtc: oh")];
        assert_eq!(*kept.0.lock().unwrap(), expected.map(|(level, line)| (level, line.to_owned())));
    }

    #[test]
    fn a_sink_that_logs_is_not_called_for_that_and_one_that_panics_is_called_again() {
        struct Wild(Mutex<Option<Arc<Logger>>>, Kept);
        impl LogSink for Wild {
            fn log(&self, record: LogRecord<'_>) {
                self.1.log(record);
                let logger = self.0.lock().unwrap().clone();
                say(&logger.unwrap(), Level::Info, "chamada", "again");
                panic!("the app fails");
            }
        }
        let wild = Arc::new(Wild(Mutex::new(None), Kept::default()));
        let logger = Arc::new(logger(wild.clone()));
        *wild.0.lock().unwrap() = Some(logger.clone());
        say(&logger, Level::Info, "chamada", "one");
        say(&logger, Level::Info, "chamada", "two");
        let lines: Vec<_> = wild.1.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect();
        assert_eq!(lines, ["chamada: one", "chamada: two"]);
        *wild.0.lock().unwrap() = None;
    }
}
