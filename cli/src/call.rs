//! `chamada call` and `chamada answer`.

use crate::args::{AnswerArgs, CallArgs, PeerArgs, VideoSource};
use crate::exit::{self, Failure};
use crate::files::{self, Files};
use crate::output::Output;
use crate::serve::stop_signal;
use crate::sources;
use crate::summary::Summary;
use crate::typed::{self, Typed};
use crate::verify;
use crate::view::{RemoteView, Seen};
use chamada::call::{CallError, CallEvent, CallState, EndReason};
use chamada::client::{Client, ClientError, ClientEvent};
use chamada::media::capture::CaptureError;
use chamada::media::file::{PlaybackFailure, check_output};
use chamada::media::photo::{check_photo, save_photo};
use chamada::media::wav::WavWriter;
use chamada::media::y4m::Y4mCamera;
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::message::{CallId, ErrorCode, MAX_TEXT_CHARS};
use chamada::signaling::{SignalingError, SignalingEvent};
use chamada::text::{TextError, TextEvent};
use chamada_server::clean_name;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What to do about calls.
enum Plan {
    Call(String),
    Answer { from: Option<String>, decline: bool, forever: bool },
}

pub(crate) async fn call(args: CallArgs) -> Result<(), Failure> {
    run(Plan::Call(args.user), args.common).await
}

pub(crate) async fn answer(args: AnswerArgs) -> Result<(), Failure> {
    run(Plan::Answer { from: args.from, decline: args.decline, forever: args.forever }, args.common).await
}

async fn run(plan: Plan, args: PeerArgs) -> Result<(), Failure> {
    let output = Output::new(args.json);
    let mut summary = Summary::new();
    let mut seen = Seen::default();
    let result = attend(plan, args, output, &mut summary, &mut seen).await;
    summary.print(output, &seen, result.as_ref().err());
    result
}

/// Logs in, calls or waits, and saves what there is to save, however it went.
async fn attend(
    plan: Plan,
    args: PeerArgs,
    output: Output,
    summary: &mut Summary,
    seen: &mut Seen,
) -> Result<(), Failure> {
    check(&args)?;
    let view = RemoteView::new(args.save_video.as_deref())?;
    let sound = match &args.save_audio {
        Some(path) => Some(Arc::new(WavWriter::create(path).map_err(|error| Failure::BadArgument(error.to_string()))?)),
        None => None,
    };
    let (devices, mut played) = sources::devices(&args, Arc::clone(&view), sound.clone())?;
    let screen = args.screen.as_deref().map(sources::screen).transpose()?;
    played.extend(screen.as_ref().map(|film| film.failure()));
    let (client, events) = Client::connect(sources::config(&args)?, devices, Arc::new(WebrtcPeers)).await?;
    let mut peer = Peer {
        plan,
        args,
        client,
        output,
        summary,
        view: Arc::clone(&view),
        played,
        called: false,
        stopping: false,
        trouble: None,
        closed: None,
        timers: Timers::default(),
        texts_sent: 0,
        files: Files::default(),
        front: None,
        has_other: false,
        screen,
    };
    let result = peer.live(events).await;
    let photo = peer.save_photo();
    let pictures = view.finish();
    peer.client.logout().await;
    *seen = view.seen();
    let heard = match sound {
        Some(sound) => match sound.finish() {
            Ok(0) => Err(Failure::Failed("no sound came, so none is saved".into())),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Failed(error.to_string())),
        },
        None => Ok(()),
    };
    result.and(photo).and(pictures).and(heard)
}

/// What can be refused before a file is touched.
fn check(args: &PeerArgs) -> Result<(), Failure> {
    let bad = |text: String| Err(Failure::BadArgument(text));
    if let Some(path) = &args.photo
        && let Err(error) = check_photo(path)
    {
        return bad(error.to_string());
    }
    for saved in [&args.save_video, &args.save_audio].into_iter().flatten() {
        check_output(saved).map_err(|error| Failure::BadArgument(error.to_string()))?;
    }
    if args.flip_after.is_some() && !matches!(args.video, VideoSource::Test(_)) {
        return bad("--flip-after needs two cameras, which only '--video test' has".into());
    }
    if let Some(text) = &args.say
        && !(1..=MAX_TEXT_CHARS).contains(&text.chars().count())
    {
        return bad(SignalingError::BadText.to_string());
    }
    files::check(&args.send_file, args.receive_dir.as_deref())?;
    let played = [args.video.file(), args.audio.file(), args.screen.as_deref()].into_iter().flatten();
    let mut used: Vec<&Path> = played.collect();
    for saved in [&args.save_video, &args.save_audio, &args.photo].into_iter().flatten() {
        if used.iter().any(|path| same_file(path, saved)) {
            return bad(format!("{}: named for two things, of which one would overwrite the other", saved.display()));
        }
        used.push(saved);
    }
    Ok(())
}

/// Whether two paths lead to one file, which need not be there yet.
fn same_file(one: &Path, other: &Path) -> bool {
    // Of one that is not there the folder is.
    let real = |path: &Path| {
        std::fs::canonicalize(path).ok().or_else(|| {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(std::fs::canonicalize(parent).ok()?.join(path.file_name()?))
        })
    };
    one == other || real(one).is_some_and(|one| Some(one) == real(other))
}

/// When to do what, once the call is connected.
#[derive(Default)]
struct Timers {
    hang_up: Option<Instant>,
    flip: Option<Instant>,
}

struct Peer<'a> {
    plan: Plan,
    args: PeerArgs,
    client: Client,
    output: Output,
    summary: &'a mut Summary,
    view: Arc<RemoteView>,
    /// What the files that are sent have to say.
    played: Vec<PlaybackFailure>,
    called: bool,
    /// Nothing more is waited for: the call that is ending is the last.
    stopping: bool,
    /// What else went wrong in a call that goes on: it ends as failed.
    trouble: Option<String>,
    /// Why there is no server any more, learnt in a call.
    closed: Option<String>,
    timers: Timers,
    /// How many of the private texts were sent: one after the other's mark.
    texts_sent: usize,
    files: Files,
    /// The call that the other side of is heard, and whether there is another one.
    front: Option<CallId>,
    has_other: bool,
    /// What is shared as a screen.
    screen: Option<Arc<Y4mCamera>>,
}

impl Peer<'_> {
    /// Until the call is over, or none came.
    async fn live(&mut self, mut events: mpsc::Receiver<ClientEvent>) -> Result<(), Failure> {
        if let Some(text) = &self.args.say {
            self.client.say(text).await?;
        }
        let give_up = Instant::now() + self.args.wait;
        let mut typed = typed::lines(self.args.verify, self.args.commands);
        let stop = stop_signal();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        self.output.client(&event);
                        if let ClientEvent::Call(CallEvent::Changed(now)) = &event {
                            (self.front, self.has_other) = (now.call, now.other.is_some());
                        }
                        if let Some(result) = self.on_event(event).await? {
                            match self.is_forever() {
                                false => return result,
                                true if self.stopping => return Ok(()),
                                true => self.next_call(result)?,
                            }
                        }
                    }
                    None => return Err(Failure::Failed("the client stopped".into())),
                },
                () = at(Some(give_up)), if !self.is_forever() && !self.summary.is_connected() && !self.stopping => {
                    self.stopping = true;
                    self.give_up().await?;
                }
                wanted = typed::next(&mut typed) => self.on_typed(wanted).await?,
                () = at(self.timers.hang_up) => {
                    self.timers.hang_up = None;
                    self.hang_up().await?;
                }
                () = at(self.timers.flip) => {
                    self.timers.flip = None;
                    if let Err(error) = self.client.flip_camera().await {
                        self.output.flip_failed(&error);
                        // The call may have ended just now.
                        if !matches!(error, ClientError::Call(_)) {
                            self.trouble.get_or_insert(format!("the other camera could not be used: {error}"));
                        }
                    }
                }
                () = &mut stop, if !self.stopping => {
                    self.stopping = true;
                    if !self.hang_up().await? {
                        return if self.is_forever() { Ok(()) } else { Err(Failure::NotAnswered("stopped before a call came about".into())) };
                    }
                }
            }
        }
    }

    /// `Some` when all is over.
    async fn on_event(&mut self, event: ClientEvent) -> Result<Option<Result<(), Failure>>, Failure> {
        match event {
            ClientEvent::Signaling(SignalingEvent::Users(users)) => self.maybe_call(&users).await?,
            ClientEvent::Signaling(SignalingEvent::Away(names)) if matches!(&self.plan, Plan::Call(user) if names.contains(user)) =>
            {
                self.maybe_call(&names).await?;
            }
            ClientEvent::Signaling(SignalingEvent::Refused(error))
                if matches!(error.code, ErrorCode::TokenExpired | ErrorCode::Unauthorized) =>
            {
                // Somebody may have put a fresh one there meanwhile.
                if let Some(file) = &self.args.token_file {
                    self.client.set_token(sources::token(file)?).await?;
                }
            }
            ClientEvent::Signaling(SignalingEvent::Closed { why }) => {
                let why = why.map_or_else(|| "logged out".to_owned(), |why| why.to_string());
                if !self.summary.is_connected() {
                    return Err(Failure::Unreachable(why));
                }
                self.closed = Some(why);
            }
            ClientEvent::ScreenShareEnded { why: Some(why) } => {
                self.trouble.get_or_insert(why.to_string());
            }
            ClientEvent::DeviceFailed { device, why } => {
                self.trouble.get_or_insert(format!("the {} could not be used: {why}", device.as_str()));
            }
            ClientEvent::Call(CallEvent::Incoming { from, .. }) => self.on_incoming(&from).await?,
            ClientEvent::Call(CallEvent::Changed(snapshot))
                if snapshot.state == CallState::Connected && !self.summary.is_connected() =>
            {
                self.summary.connected();
                let now = Instant::now();
                self.timers.hang_up = self.args.seconds.map(|after| now + after);
                self.timers.flip = self.args.flip_after.map(|after| now + after);
                if let Some(tones) = &self.args.dtmf
                    && let Err(error) = self.client.send_dtmf(tones.clone()).await
                {
                    self.trouble.get_or_insert(format!("the keys could not be pressed: {error}"));
                }
                if !self.args.commands
                    && self.screen.is_some()
                    && let Err(error) = self.share_screen().await
                {
                    self.trouble.get_or_insert(format!("the screen could not be shared: {error}"));
                }
                self.send_next_text().await?;
                self.files.send(&self.client, self.output, &self.args.send_file).await?;
            }
            ClientEvent::File(event) => {
                let folder = self.args.receive_dir.as_deref();
                if let Some(trouble) = self.files.on_event(&self.client, self.output, folder, event).await {
                    self.trouble.get_or_insert(trouble);
                }
                if self.files.is_through() && self.args.seconds.is_none() {
                    self.hang_up().await?;
                }
            }
            ClientEvent::Text(TextEvent::Delivered { .. }) => self.send_next_text().await?,
            ClientEvent::Text(TextEvent::Refused { why, .. }) => {
                self.trouble.get_or_insert(format!("a private text was not taken: {}", why.as_str()));
                self.send_next_text().await?;
            }
            ClientEvent::Verification(verification) if self.args.verify => verify::print(self.output, &verification),
            ClientEvent::Remember(person) => {
                if let Some(path) = &self.args.remember
                    && let Err(failure) = verify::remember(path, person)
                {
                    self.trouble.get_or_insert(failure.to_string());
                }
            }
            ClientEvent::Stats(stats) if stats.call == self.front || !self.has_other => self.summary.stats(&stats),
            // The other call goes on.
            ClientEvent::Call(CallEvent::Ended { .. }) if self.has_other => {}
            ClientEvent::Call(CallEvent::Ended { with, reason, .. }) => return Ok(self.on_ended(&with, reason)),
            _ => {}
        }
        Ok(None)
    }

    async fn on_typed(&mut self, wanted: Typed) -> Result<(), Failure> {
        let done = match wanted {
            Typed::Same(same) => self.client.confirm_verification(same).await,
            Typed::Hold => self.client.set_held(true).await,
            Typed::Resume => self.client.set_held(false).await,
            Typed::HangUp => self.client.hang_up().await,
            Typed::HoldAndAccept => self.client.hold_and_accept().await,
            Typed::EndAndAccept => self.client.end_and_accept().await,
            Typed::Decline => self.client.decline().await,
            Typed::Swap => self.client.swap_calls().await,
            Typed::ShareScreen => self.share_screen().await,
            Typed::StopScreen => self.client.stop_screen_share().await,
        };
        match done {
            Err(ClientError::NoWords) => self.output.no_words(),
            // The call may have ended just now.
            Err(why @ (ClientError::Call(_) | ClientError::Screen(_) | ClientError::Capture(_))) => {
                self.output.not_done(wanted.word(), &why);
            }
            done => done?,
        }
        Ok(())
    }

    /// Without `--screen` there is none.
    async fn share_screen(&self) -> Result<(), ClientError> {
        let Some(film) = &self.screen else { return Err(CaptureError::NotFound("there is no --screen".into()).into()) };
        self.client.start_screen_share(Arc::clone(film) as _, self.args.content_hint).await
    }

    async fn maybe_call(&mut self, users: &[String]) -> Result<(), Failure> {
        let Plan::Call(user) = &self.plan else { return Ok(()) };
        if self.called {
            return Ok(());
        }
        let Some(user) = users.iter().find(|one| is_name(user, one)) else {
            self.output.event("waiting", serde_json::json!({ "for": user }), Some(format!("waiting for {user}")));
            return Ok(());
        };
        self.called = true;
        self.summary.asked();
        self.client.call(user).await?;
        Ok(())
    }

    async fn send_next_text(&mut self) -> Result<(), Failure> {
        let Some(text) = self.args.text.get(self.texts_sent) else { return Ok(()) };
        match self.client.send_text(text).await {
            Ok(id) => {
                self.texts_sent += 1;
                self.output.text_sent(id, text);
                Ok(())
            }
            // The call may have ended just now, which is told.
            Err(ClientError::Text(TextError::NoCall)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn on_incoming(&mut self, caller: &str) -> Result<(), Failure> {
        let result = match &self.plan {
            Plan::Answer { decline: true, .. } => self.client.decline().await,
            Plan::Answer { from: Some(from), .. } if !is_name(from, caller) => self.client.decline().await,
            Plan::Answer { .. } => {
                self.summary.asked();
                self.client.accept().await
            }
            // Both had the same idea.
            Plan::Call(user) if is_name(user, caller) && !self.called => {
                self.called = true;
                self.summary.asked();
                self.client.accept().await
            }
            Plan::Call(_) => self.client.decline().await,
        };
        match result {
            // The caller gave up at the same moment: its end is an event of its own.
            Err(ClientError::Call(CallError::NoCall | CallError::WrongState(_))) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn on_ended(&mut self, with: &str, reason: EndReason) -> Option<Result<(), Failure>> {
        match (&self.plan, reason) {
            (Plan::Answer { decline: true, .. }, EndReason::DeclinedLocally) => {
                self.summary.ended(reason);
                return Some(Ok(()));
            }
            // Somebody else, or somebody who gave up: go on waiting.
            (Plan::Answer { .. }, _) if is_before_answer(reason) && !self.stopping => return None,
            (Plan::Call(_), EndReason::DeclinedLocally) if !self.called && !self.stopping => return None,
            _ => {}
        }
        self.summary.ended(reason);
        if self.summary.is_connected()
            && let Some(trouble) = self.files.unfinished()
        {
            self.trouble.get_or_insert(trouble);
        }
        let played = self.played.iter().find_map(PlaybackFailure::take).map(|failure| failure.to_string());
        let trouble = self.trouble.take().or(played).map_or(Ok(()), |trouble| Err(Failure::Failed(trouble)));
        Some(exit::of_call(with, reason, self.summary.is_connected()).and(trouble))
    }

    fn is_forever(&self) -> bool {
        matches!(self.plan, Plan::Answer { forever: true, .. })
    }

    /// Tells of the call that is over, and makes everything ready for the next.
    fn next_call(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(failure) = &result {
            eprintln!("chamada: {failure}");
        }
        self.summary.print(self.output, &self.view.seen(), result.as_ref().err());
        *self.summary = Summary::new();
        self.view.reset();
        self.trouble = None;
        self.timers = Timers::default();
        self.texts_sent = 0;
        self.files = Files::default();
        self.closed.take().map_or(Ok(()), |why| Err(Failure::Unreachable(why)))
    }

    async fn give_up(&mut self) -> Result<(), Failure> {
        if self.hang_up().await? {
            return Ok(());
        }
        let seconds = self.args.wait.as_secs_f64();
        Err(Failure::NotAnswered(match &self.plan {
            Plan::Call(user) => format!("{user} did not log in within {seconds} s"),
            Plan::Answer { .. } => format!("nobody called within {seconds} s"),
        }))
    }

    /// Whether there was a call to end.
    async fn hang_up(&mut self) -> Result<bool, Failure> {
        match self.client.hang_up().await {
            Ok(()) => Ok(true),
            Err(ClientError::Call(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn save_photo(&self) -> Result<(), Failure> {
        let Some(path) = &self.args.photo else { return Ok(()) };
        let frame =
            self.view.newest().ok_or_else(|| Failure::Failed("no picture came, so there is no photo".into()))?;
        save_photo(&frame, path).map_err(|error| Failure::Failed(error.to_string()))?;
        let path = path.display().to_string();
        self.output.event("photo", serde_json::json!({ "file": path }), Some(format!("photo saved: {path}")));
        Ok(())
    }
}

/// Whether this is how a server writes the name that was asked for.
fn is_name(wanted: &str, name: &str) -> bool {
    wanted == name || clean_name(wanted).is_some_and(|wanted| wanted == name)
}

/// Whether this is the end of a call that rang here and was never taken.
fn is_before_answer(reason: EndReason) -> bool {
    use EndReason::{AnsweredElsewhere, CancelledRemotely, DeclinedLocally, Timeout};
    matches!(reason, DeclinedLocally | CancelledRemotely | Timeout | AnsweredElsewhere)
}

pub(crate) async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending::<()>().await,
    }
}

/// How long a self-check may take to connect.
pub(crate) const CONNECT_BOUND: Duration = Duration::from_secs(20);

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
