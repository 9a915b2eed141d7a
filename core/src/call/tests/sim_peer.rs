//! A simulated peer connection that holds the engine to W3C's `signalingState`: an impossible request fails the test.

use crate::call::{ConnectionState, PeerAction, PeerReport};
use crate::signaling::message::{IceCandidate, MediaState, SdpType, SessionDescription};
use std::collections::VecDeque;

/// One side's ICE session: which connection, and its how many-th restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) connection: u64,
    pub(super) restart: u64,
}

impl Generation {
    pub(super) fn sdp(self, version: u64) -> String {
        let Self { connection, restart } = self;
        format!(
            "v=0\r\no=- {connection} {version} IN IP4 127.0.0.1\r\ns={restart}\r\na=fingerprint:sha-256 {connection:08X}\r\n"
        )
    }

    pub(super) fn read(sdp: &str) -> Option<Self> {
        let connection = sdp.split_once("o=- ")?.1.split(' ').next()?.parse().ok()?;
        let restart = sdp.split_once("s=")?.1.lines().next()?.parse().ok()?;
        Some(Self { connection, restart })
    }

    fn candidate(self) -> IceCandidate {
        IceCandidate {
            candidate: format!("candidate:1 1 udp 1 127.0.0.1 9 typ host {} {}", self.connection, self.restart),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        }
    }

    fn of_candidate(candidate: &IceCandidate) -> Option<Self> {
        let mut words = candidate.candidate.split(' ').rev();
        let restart = words.next()?.parse().ok()?;
        Some(Self { connection: words.next()?.parse().ok()?, restart })
    }
}

#[derive(Debug)]
pub(super) struct SimPeer {
    local: Generation,
    version: u64,
    /// Set as an offer and not agreed on: W3C `have-local-offer`.
    offered: Option<Generation>,
    /// What was agreed on last: ours and theirs.
    pub(super) agreed: Option<(Generation, Generation)>,
    heard: Vec<Generation>,
    /// The description action that is being carried out.
    busy: Option<PeerAction>,
    behind: VecDeque<IceCandidate>,
    pub(super) closed: bool,
    /// What it is to send.
    pub(super) media: MediaState,
    /// It was made with the ICE credentials of this generation of the one before.
    pub(super) keeps_ice: Option<Generation>,
    /// The task behind it died: nothing that is asked of it succeeds any more.
    pub(super) dead: bool,
    /// An answer failed: whether the own offer is still set is not known.
    answer_failed: bool,
    pub(super) told: ConnectionState,
    pub(super) down_since: Option<u64>,
    pub(super) offers_made: usize,
    pub(super) rollbacks: usize,
}

impl SimPeer {
    pub(super) fn new(connection: u64) -> Self {
        Self {
            local: Generation { connection, restart: 0 },
            version: 0,
            keeps_ice: None,
            offered: None,
            agreed: None,
            heard: Vec::new(),
            busy: None,
            behind: VecDeque::new(),
            closed: false,
            media: MediaState::default(),
            dead: false,
            answer_failed: false,
            told: ConnectionState::Connecting,
            down_since: None,
            offers_made: 0,
            rollbacks: 0,
        }
    }

    /// Takes an action; true if it is one that reports later, by [`SimPeer::finish`].
    pub(super) fn act(&mut self, action: PeerAction) -> bool {
        assert!(!self.closed, "{action:?} after it was closed");
        match action {
            PeerAction::Create { .. } => panic!("created twice"),
            PeerAction::Close => self.closed = true,
            PeerAction::SetMedia(media) => self.media = media,
            PeerAction::AddCandidate(candidate) => {
                let coming = matches!(self.busy, Some(PeerAction::Answer { .. } | PeerAction::ApplyAnswer(_)));
                assert!(self.agreed.is_some() || coming, "a candidate before any remote description");
                self.behind.extend(candidate);
                self.add_candidates();
            }
            PeerAction::Offer { .. } | PeerAction::Answer { .. } | PeerAction::ApplyAnswer(_) => {
                assert!(self.busy.is_none(), "{action:?} while {:?} is not done", self.busy);
                self.check(&action);
                self.busy = Some(action);
                return true;
            }
        }
        false
    }

    fn check(&self, action: &PeerAction) {
        if let PeerAction::Answer { offer: remote, .. } | PeerAction::ApplyAnswer(remote) = action
            && let (Some(remote), Some((_, agreed))) = (Generation::read(&remote.sdp), self.agreed)
        {
            assert_eq!(remote.connection, agreed.connection, "DTLS cannot change its peer");
        }
        match action {
            PeerAction::Answer { offer, rollback } => {
                assert_eq!(offer.kind, SdpType::Offer);
                assert!(self.answer_failed || *rollback == self.offered.is_some(), "rollback {rollback} is wrong");
            }
            PeerAction::ApplyAnswer(answer) => {
                assert_eq!(answer.kind, SdpType::Answer);
                assert!(self.offered.is_some(), "an answer to no offer");
            }
            _ => {}
        }
    }

    /// The description action is done, or has failed: the reports of it.
    pub(super) fn finish(&mut self, fail: bool) -> Vec<PeerReport> {
        let Some(action) = self.busy.take() else { return Vec::new() };
        if self.closed {
            return Vec::new();
        }
        let reports = match action {
            _ if fail || self.dead => {
                self.answer_failed |= matches!(action, PeerAction::Answer { .. });
                vec![PeerReport::NegotiationFailed("as the story wants".into())]
            }
            PeerAction::Offer { ice_restart } => {
                let mut ours = self.offered.unwrap_or(self.local);
                let fresh = self.agreed.is_none() && self.offered.is_none();
                ours.restart += u64::from(ice_restart);
                self.offered = Some(ours);
                self.offers_made += 1;
                let mut reports = self.describe(SdpType::Offer, ours, fresh || ice_restart);
                if ice_restart {
                    reports.extend(self.check_anew());
                }
                reports
            }
            PeerAction::Answer { offer, rollback } => match Generation::read(&offer.sdp) {
                Some(theirs) => {
                    self.rollbacks += usize::from(rollback && self.offered.is_some());
                    self.offered = None;
                    self.answer_failed = false;
                    let before = self.agreed.map(|(_, theirs)| theirs);
                    let restarts = before.is_some_and(|before| before != theirs);
                    if restarts {
                        self.local.restart += 1_000;
                    }
                    self.agreed = Some((self.local, theirs));
                    let mut reports = self.describe(SdpType::Answer, self.local, before != Some(theirs));
                    if restarts {
                        reports.extend(self.check_anew());
                    }
                    reports
                }
                None => {
                    self.answer_failed = true;
                    vec![PeerReport::NegotiationFailed("nonsense".into())]
                }
            },
            PeerAction::ApplyAnswer(answer) => match (Generation::read(&answer.sdp), self.offered) {
                (Some(theirs), Some(ours)) => {
                    (self.local, self.offered) = (ours, None);
                    self.agreed = Some((ours, theirs));
                    vec![PeerReport::AnswerApplied]
                }
                _ => vec![PeerReport::NegotiationFailed("nonsense".into())],
            },
            _ => Vec::new(),
        };
        self.add_candidates();
        reports
    }

    fn describe(&mut self, kind: SdpType, ours: Generation, gather: bool) -> Vec<PeerReport> {
        self.version += 1;
        let sdp = ours.sdp(self.version);
        let mut reports = vec![PeerReport::LocalDescription(SessionDescription { kind, sdp })];
        if gather {
            reports.extend([PeerReport::Candidate(Some(ours.candidate())), PeerReport::Candidate(None)]);
        }
        reports
    }

    /// ICE starts anew: it was connected or lost, and now it checks.
    fn check_anew(&mut self) -> Option<PeerReport> {
        if self.told == ConnectionState::Connecting {
            return None;
        }
        self.told = ConnectionState::Connecting;
        Some(PeerReport::Connection(ConnectionState::Connecting))
    }

    fn add_candidates(&mut self) {
        if self.busy.is_none() {
            self.heard.extend(self.behind.drain(..).filter_map(|candidate| Generation::of_candidate(&candidate)));
        }
    }

    pub(super) fn candidates(&self) -> usize {
        self.heard.len()
    }

    pub(super) fn has_candidates(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Whether both mean each other, and one of them knows where the other is.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (Some((ours, theirs)), Some((other_ours, other_theirs))) = (self.agreed, other.agreed) else {
            return false;
        };
        let gone = self.closed || other.closed || self.dead || other.dead;
        let mean_each_other = ours == other_theirs && theirs == other_ours && !gone;
        mean_each_other && (self.heard.contains(&theirs) || other.heard.contains(&ours))
    }
}
