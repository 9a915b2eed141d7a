//! Calls through the bindings, and what an app may do in a callback.

use super::support::{Mute, Plain, Reaction, Screen, config, kind, login, nothing, observer, wait};
use crate::{AppError, CallState, Client, Devices, EndReason, ErrorKind, Event, PhotoKind, PhotoOf};
use chamada_tests::real_server::RealServer;
use std::sync::{Arc, Mutex, OnceLock};

/// One server for all tests of this file; each uses names of its own.
fn server() -> &'static str {
    static SERVER: OnceLock<(tokio::runtime::Runtime, RealServer)> = OnceLock::new();
    let (_, server) = SERVER.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(RealServer::start());
        (runtime, server)
    });
    server.url()
}

/// Accepts every call, in the callback.
fn accepting() -> Reaction {
    Box::new(|event| {
        if let Event::IncomingCall { call, .. } = event {
            wait(call.accept()).unwrap();
        }
        Ok(())
    })
}

struct App {
    cameras: Arc<Plain>,
    audio: Arc<Mute>,
    remote: Arc<Screen>,
}

fn devices() -> (App, Devices) {
    let app = App { cameras: Arc::default(), audio: Arc::default(), remote: Arc::default() };
    let devices = Devices {
        cameras: Some(app.cameras.clone()),
        audio: Some(app.audio.clone()),
        remote: Some(app.remote.clone()),
        preview: None,
    };
    (app, devices)
}

fn reason(heard: &super::support::ObservedEvents) -> EndReason {
    heard.until("end", |event| match event {
        Event::CallEnded { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn a_call_accepted_in_a_callback_shows_pictures_both_ways_and_releases_every_device() {
    let ((ana, to_ana), (rui, to_rui)) = (devices(), devices());
    let (caller, caller_hears) = login(server(), "ana1", to_ana, nothing());
    let (callee, callee_hears) = login(server(), "rui1", to_rui, accepting());
    caller_hears.users("rui1");
    let call = wait(caller.call("rui1".into())).unwrap();
    assert_eq!(call.with(), "rui1");
    caller_hears.state(CallState::Connected);
    callee_hears.state(CallState::Connected);
    ana.remote.shows(320);
    rui.remote.shows(320);
    assert!(wait(call.photo(PhotoOf::Remote, PhotoKind::Png)).unwrap().starts_with(b"\x89PNG"));
    let picture = wait(call.picture(PhotoOf::Local)).unwrap();
    assert_eq!(picture.layout().unwrap().width, 320);
    wait(call.flip_camera()).unwrap();
    assert_eq!(ana.cameras.opened.all(), ["front", "rear"]);
    wait(call.hang_up()).unwrap();
    assert_eq!(reason(&caller_hears), EndReason::HungUpLocally);
    assert_eq!(reason(&callee_hears), EndReason::HungUpRemotely);
    for app in [&ana, &rui] {
        let cameras = &app.cameras;
        assert_eq!(cameras.opened.all(), cameras.closed.all(), "each was closed once");
        assert_eq!(*app.audio.open.lock().unwrap(), (0, 0), "microphone and speaker are closed");
    }
    let sink = rui.audio.sinks.lock().unwrap()[0].clone();
    assert_eq!(kind(sink.push(&[0; 960])), ErrorKind::Closed, "the app's thread may still be at it");
    assert_eq!(kind(wait(call.hang_up())), ErrorKind::Call);
    drop((caller, callee));
}

#[test]
fn a_late_hang_up_of_an_earlier_call_does_not_end_the_next() {
    let (caller, heard) = login(server(), "ana2", Devices::default(), nothing());
    let (_callee, _) = login(server(), "rui2", Devices::default(), nothing());
    heard.users("rui2");
    let first = wait(caller.call("rui2".into())).unwrap();
    wait(first.hang_up()).unwrap();
    reason(&heard);
    let second = wait(caller.call("rui2".into())).unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(kind(wait(first.hang_up())), ErrorKind::Call);
    assert_eq!(wait(caller.snapshot()).unwrap().call_id, Some(second.id()), "it goes on");
    wait(second.hang_up()).unwrap();
}

#[test]
fn declining_in_a_callback_is_told_to_the_caller() {
    let decline: Reaction = Box::new(|event| {
        if let Event::IncomingCall { call, .. } = event {
            wait(call.decline()).unwrap();
        }
        Ok(())
    });
    let (caller, heard) = login(server(), "ana3", Devices::default(), nothing());
    let (_callee, _) = login(server(), "rui3", Devices::default(), decline);
    heard.users("rui3");
    wait(caller.call("rui3".into())).unwrap();
    assert_eq!(reason(&heard), EndReason::DeclinedRemotely);
}

#[test]
fn the_client_may_be_dropped_in_a_callback_of_its_own() {
    let held: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let theirs = Arc::clone(&held);
    let drop_at_chat: Reaction = Box::new(move |event| {
        if matches!(event, Event::Chat { .. }) {
            theirs.lock().unwrap().take();
        }
        Ok(())
    });
    let (client, heard) = login(server(), "ana4", Devices::default(), drop_at_chat);
    *held.lock().unwrap() = Some(client.clone());
    wait(client.say("now".into())).unwrap();
    drop(client);
    let rest = heard.end();
    assert!(matches!(rest.last(), Some(Event::Closed { why: None })), "and is told to the end");
}

#[test]
fn a_client_dropped_in_mid_call_in_a_callback_ends_the_call_on_both_sides() {
    let (ana, to_ana) = devices();
    let held: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let theirs = Arc::clone(&held);
    let drop_when_connected: Reaction = Box::new(move |event| {
        if let Event::CallChanged { now } = event
            && now.state == CallState::Connected
        {
            theirs.lock().unwrap().take();
        }
        Ok(())
    });
    let (caller, caller_hears) = login(server(), "ana5", to_ana, drop_when_connected);
    let (_callee, callee_hears) = login(server(), "rui5", Devices::default(), accepting());
    caller_hears.users("rui5");
    *held.lock().unwrap() = Some(caller.clone());
    let call = wait(caller.call("rui5".into())).unwrap();
    drop(caller);
    assert_eq!(reason(&callee_hears), EndReason::HungUpRemotely);
    caller_hears.end();
    assert_eq!(ana.cameras.opened.all(), ana.cameras.closed.all());
    assert_eq!(kind(wait(call.hang_up())), ErrorKind::Closed, "a call does not keep its client");
}

#[test]
fn logging_out_in_a_callback_and_waiting_for_it_does_not_deadlock() {
    let held: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let theirs = Arc::clone(&held);
    let logout_at_chat: Reaction = Box::new(move |event| {
        if matches!(event, Event::Chat { .. })
            && let Some(client) = theirs.lock().unwrap().take()
        {
            wait(client.logout());
            wait(client.logout());
            assert_eq!(kind(wait(client.say("gone".into()))), ErrorKind::Closed);
        }
        Ok(())
    });
    let (client, heard) = login(server(), "ana6", Devices::default(), logout_at_chat);
    *held.lock().unwrap() = Some(client.clone());
    wait(client.say("now".into())).unwrap();
    drop(client);
    assert!(matches!(heard.end().last(), Some(Event::Closed { why: None })));
}

#[test]
fn an_observer_that_throws_hears_the_next_event_all_the_same() {
    let throw: Reaction = Box::new(|_| Err(AppError::NotReadable { reason: "a bug of the app's".into() }));
    let (client, heard) = login(server(), "ana7", Devices::default(), throw);
    heard.users("ana7");
    wait(client.say("still here?".into())).unwrap();
    heard.until("own chat line", |event| matches!(event, Event::Chat { .. }).then_some(()));
}

#[test]
fn the_background_closes_the_camera_and_the_foreground_opens_it_unless_it_was_switched_off_meanwhile() {
    let (ana, to_ana) = devices();
    let (caller, caller_hears) = login(server(), "ana8", to_ana, nothing());
    let (_callee, callee_hears) = login(server(), "rui8", Devices::default(), accepting());
    caller_hears.users("rui8");
    wait(caller.call("rui8".into())).unwrap();
    caller_hears.state(CallState::Connected);
    let told = |video: bool| {
        callee_hears.until("media state", |event| match event {
            Event::CallChanged { now } => (now.remote.video == video).then_some(()),
            _ => None,
        });
    };
    caller.background();
    told(false);
    ana.cameras.closed.become_these(&["front"]);
    caller.foreground();
    told(true);
    ana.cameras.opened.become_these(&["front", "front"]);
    caller.background();
    told(false);
    wait(caller.set_camera(false)).unwrap();
    caller.foreground();
    wait(caller.set_microphone(false)).unwrap();
    assert!(!wait(caller.snapshot()).unwrap().local.video);
    wait(caller.set_camera(true)).unwrap();
    told(true);
    assert_eq!(ana.cameras.opened.all(), ["front", "front", "front"], "once more, and not while it was switched off");
    caller.network_changed();
    caller.low_memory();
}

#[test]
fn why_one_cannot_log_in_is_a_kind_and_a_sentence() {
    let login = |url: &str, name: &str| {
        let (observer, _) = observer(nothing());
        wait(Client::connect(config(url, name), Devices::default(), observer)).map(drop)
    };
    assert_eq!(kind(login("ws://127.0.0.1:1", "ana9")), ErrorKind::Server);
    assert_eq!(kind(login("not an address", "ana9")), ErrorKind::InvalidArgument);
    assert_eq!(kind(login("ws://198.51.100.1:1", "ana9")), ErrorKind::InvalidArgument, "unencrypted to elsewhere");
    assert_eq!(kind(login(server(), "")), ErrorKind::InvalidArgument);
    assert_eq!(kind(login(server(), &"x".repeat(33))), ErrorKind::InvalidArgument);
}

#[test]
fn what_no_camera_satisfies_is_named() {
    let (_, to_ana) = devices();
    let (client, _heard) = login(server(), "ana10", to_ana, nothing());
    let json = r#"{"video": {"facingMode": {"exact": "left"}}}"#;
    let left = crate::parse_constraints(json).unwrap().video.unwrap();
    let Err(crate::ChamadaError::Failure { kind, detail, .. }) = wait(client.set_constraints(left)) else {
        panic!("it was taken");
    };
    assert_eq!((kind, detail.as_deref()), (ErrorKind::Overconstrained, Some("facingMode")));
    let rear = crate::parse_constraints(r#"{"video": {"facingMode": "environment"}}"#).unwrap().video.unwrap();
    let cameras = crate::devices::Cameras::list_cameras(&Plain::default()).unwrap();
    assert_eq!(crate::select_camera(rear, cameras).unwrap().device_id, "rear");
}
