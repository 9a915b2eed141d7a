//! The search for a path, and when to say that it has found none.
//!
//! The agent tells nobody that the checks of a pair have failed, and gives a connection up after 27 seconds, whatever it knows. Here
//! its work is judged by the clock: each pair is checked for ten seconds from its candidates on (`setup.rs`), so that nothing more
//! is to be expected of candidates that are older. So long the other side's checks, too, may bring a path to light (RFC 8863).

use super::events::Events;
use crate::call::PathSearch;
use crate::peer::PeerEvent;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a search goes on before it is told that it has found nothing.
const TOLD_AFTER: Duration = Duration::from_millis(2_500);
/// How long the newest candidates are checked, and an answer may take.
const CHECKS_LAST: Duration = Duration::from_millis(10_500);

/// What is known of the search of one connection.
#[derive(Debug, Default)]
pub(super) struct Search(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    known: PathSearch,
    local_complete: bool,
    remote_complete: bool,
    /// Since when checks are made.
    since: Option<Instant>,
    /// When the last candidate came.
    newest: Option<Instant>,
    told: Option<PathSearch>,
}

impl Search {
    pub(super) fn new(relay_only: bool) -> Self {
        let known = PathSearch { relay_only, ..PathSearch::default() };
        Self(Mutex::new(Progress { known, ..Progress::default() }))
    }

    /// This side has a candidate of the type of this name.
    pub(super) fn local_candidate(&self, now: Instant, typ: &str) {
        self.change(|progress| {
            progress.known.local.add(typ);
            progress.newest = Some(now);
        });
    }

    /// This side has all of its candidates.
    pub(super) fn local_complete(&self) {
        self.change(|progress| progress.local_complete = true);
    }

    /// The other side told a candidate, an `a=candidate` attribute's value (RFC 8839 section 5.1).
    pub(super) fn remote_candidate(&self, now: Instant, candidate: &str) {
        let mut words = candidate.split_ascii_whitespace().skip_while(|word| *word != "typ");
        let typ = words.nth(1).unwrap_or_default();
        self.change(|progress| {
            progress.known.remote.add(typ);
            progress.newest = Some(now);
        });
    }

    /// The other side told that there are no more (RFC 8838 section 8.2).
    pub(super) fn remote_complete(&self) {
        self.change(|progress| progress.remote_complete = true);
    }

    /// Whether the agent searches.
    pub(super) fn checking(&self, now: Instant, checking: bool) {
        self.change(|progress| match (checking, progress.since) {
            (true, None) => progress.since = Some(now),
            (true, Some(_)) => {}
            (false, _) => (progress.since, progress.told) = (None, None),
        });
    }

    /// ICE restarts: the candidates of both sides are others from here on.
    pub(super) fn restarted(&self) {
        self.change(|progress| {
            let known = PathSearch { relay_only: progress.known.relay_only, ..PathSearch::default() };
            *progress = Progress { known, since: progress.since, ..Progress::default() };
        });
    }

    /// What there is to tell, if that is not known yet.
    fn look(&self, now: Instant) -> Option<PathSearch> {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lasted = now.saturating_duration_since(progress.since?);
        if lasted < TOLD_AFTER {
            return None;
        }
        let idle = progress.newest.map_or(lasted, |newest| now.saturating_duration_since(newest));
        let complete = progress.local_complete && progress.remote_complete;
        let search = PathSearch { is_over: complete && idle >= CHECKS_LAST, ..progress.known };
        (progress.told.replace(search) != Some(search)).then_some(search)
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Tells what there is to tell, for as long as the connection lives.
pub(super) async fn watch(search: Arc<Search>, events: Events) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(search) = search.look(Instant::now()) {
            events.emit(PeerEvent::NoPath(search));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::NoPath;

    const HOST: &str = "candidate:1 1 udp 2130706431 10.0.0.1 4000 typ host";

    fn searching(start: Instant) -> Search {
        let search = Search::new(false);
        search.local_candidate(start, "host");
        search.checking(start, true);
        search
    }

    #[test]
    fn a_search_that_finds_nothing_says_so_within_three_seconds_and_again_when_it_knows_more() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let search = searching(start);
        assert_eq!(search.look(at(2_400)), None);
        assert_eq!(search.look(at(2_500)).unwrap().why(), NoPath::NothingFromThere);
        assert_eq!(search.look(at(2_750)), None, "that is known");
        search.remote_candidate(at(2_800), HOST);
        assert_eq!(search.look(at(3_000)).unwrap().why(), NoPath::NoRelay);
        search.checking(at(3_100), false);
        assert_eq!(search.look(at(9_000)), None, "it has found one");
    }

    #[test]
    fn it_is_over_when_both_sides_have_told_all_and_the_newest_was_checked_for_long_enough() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let search = searching(start);
        search.remote_candidate(at(5_000), HOST);
        search.local_complete();
        assert!(!search.look(at(30_000)).unwrap().is_over, "the other side may have another one");
        search.remote_complete();
        assert_eq!(search.look(at(15_000)), None, "the newest is still checked");
        assert!(search.look(at(15_500)).unwrap().is_over);
    }

    #[test]
    fn after_a_restart_the_old_candidates_count_no_more() {
        let start = Instant::now();
        let search = searching(start);
        search.local_complete();
        search.remote_complete();
        search.restarted();
        let search = search.look(start + Duration::from_secs(20)).unwrap();
        assert_eq!((search.why(), search.is_over), (NoPath::NoNetworkHere, false));
    }
}
