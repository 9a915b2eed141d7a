//! The task between a [`CustomSession`] and the app's transport.

use super::session::{CustomSession, Output};
use super::{Arrival, SignalingReceiver, SignalingTransport, State, WAITING};
use crate::signaling::client::Command;
use crate::signaling::events::Events;
use crate::signaling::session::SignalingEvent;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Has the transport for as long as the client lives.
pub(in crate::signaling) struct CustomDriver {
    session: CustomSession,
    transport: Arc<dyn SignalingTransport>,
    state: watch::Receiver<State>,
    arrivals: mpsc::Receiver<Arrival>,
    events: Events,
}

/// However the task ends, be it by the client that is dropped.
impl Drop for CustomDriver {
    fn drop(&mut self) {
        self.transport.disconnect();
    }
}

impl CustomDriver {
    /// Opens the transport.
    pub(in crate::signaling) fn open(
        session: CustomSession,
        transport: Arc<dyn SignalingTransport>,
        events: Events,
    ) -> Self {
        let (state, states) = watch::channel(State::Opening);
        let (arrived, arrivals) = mpsc::channel(WAITING);
        transport.connect(SignalingReceiver { state: Arc::new(state), arrivals: arrived });
        Self { session, transport, state: states, arrivals, events }
    }

    pub(in crate::signaling) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let (mut told, mut silent) = (true, false);
        // A transport that was open before this ran has told so.
        self.follow_state();
        while self.carry_out().await {
            tokio::select! {
                biased;
                changed = self.state.changed(), if told => match changed {
                    Ok(()) => self.follow_state(),
                    Err(_) => {
                        told = false;
                        self.session.lost("the app has let go of it".into());
                    }
                },
                command = commands.recv() => self.command(command),
                arrival = self.arrivals.recv(), if !silent => match arrival {
                    Some(Arrival::Message { from, text }) => self.session.received(&from, &text),
                    Some(Arrival::NoSuchUser(name)) => self.session.unknown(name),
                    None => silent = true,
                },
            }
        }
    }

    fn follow_state(&mut self) {
        let state = self.state.borrow_and_update().clone();
        match state {
            State::Opening => {}
            State::Open { ice_servers } => self.session.opened(ice_servers),
            State::Lost { reason } => self.session.lost(reason),
        }
    }

    fn command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Send(message)) => self.session.send(message),
            Some(Command::SetBlocked(name, block)) => self.session.set_blocked(name, block),
            Some(Command::ReconnectNow | Command::Hurry(true)) => self.transport.reconnect(),
            // The client refuses what is a matter of a Chamada server.
            Some(
                Command::Probe
                | Command::Hurry(false)
                | Command::Rename(_)
                | Command::SetToken(_)
                | Command::SetPush(_),
            ) => {}
            Some(Command::Logout) | None => self.session.logout(),
        }
    }

    /// Does what the session wants; false when it is over.
    async fn carry_out(&mut self) -> bool {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Carry { to, message } => {
                    if let Err(why) = self.transport.send(&to, &message.to_json()) {
                        self.session.refused(message, why);
                    }
                }
                Output::Event(event) => {
                    let last = matches!(event, SignalingEvent::Closed { .. });
                    if !self.events.tell(event).await || last {
                        return false;
                    }
                }
            }
        }
        true
    }
}
