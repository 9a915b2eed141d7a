//! Calls between two cores over real sockets: the real server, ICE, DTLS-SRTP, codecs.

use chamada::FacingMode;
use chamada::call::{CallError, CallEvent, CallState, EndReason};
use chamada::client::{CallStats, ClientError, ClientEvent, PhotoOf};
use chamada::media::dtmf::{DtmfError, DtmfTones};
use chamada::media::photo::{PhotoFormat, encode_photo};
use chamada::media::video::VideoBounds;
use chamada::media::video::codec::VideoCodec;
use chamada_tests::phone::{Phone, PhoneSetup, must};
use chamada_tests::real_server::RealServer;

async fn phone_with(url: &str, name: &str, codec: VideoCodec) -> Phone {
    let mut setup = PhoneSetup::new(url, name);
    setup.config.codecs = vec![codec];
    setup.login().await
}

async fn pictures_and_sound_go_both_ways(codec: VideoCodec) {
    let server = RealServer::start().await;
    let mut ana = phone_with(server.url(), "ana", codec).await;
    let mut rui = phone_with(server.url(), "rui", codec).await;
    ana.talks_with(&mut rui, "rui").await;
    let (seen_by_ana, seen_by_rui) = (ana.view.clone(), rui.view.clone());
    tokio::join!(seen_by_ana.frames(60), seen_by_rui.frames(60), ana.hears(), rui.hears());
    for (phone, who) in [(&mut ana, "ana"), (&mut rui, "rui")] {
        let stats = phone.measures("statistics with a path", |stats| stats.peer.pair.is_some()).await;
        let Some(received) = stats.video_received else { panic!("{who} has no picture") };
        assert_eq!(received.codec, Some(codec), "{who}");
        assert_eq!((received.width, received.height), (320, 240), "{who}");
        assert!(stats.peer.rtt.is_some(), "{who}");
        let lost = phone.view.look(|seen| seen.delay.report().frames_lost);
        assert!(lost <= 2, "{who} lost {lost} pictures on a loopback call");
    }
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_vp8_carries_pictures_and_sound_both_ways_until_one_hangs_up() {
    pictures_and_sound_go_both_ways(VideoCodec::Vp8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_h264_carries_pictures_and_sound_both_ways_until_one_hangs_up() {
    pictures_and_sound_go_both_ways(VideoCodec::H264).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_flip_shows_the_other_camera_without_a_new_negotiation() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    rui.view.until("front camera", |seen| seen.facing == Some(FacingMode::User)).await;
    assert_eq!(must(ana.client.flip_camera().await), Some(FacingMode::Environment));
    rui.view.until("rear camera", |seen| seen.facing == Some(FacingMode::Environment)).await;
    rui.until("word of the flip", |event| match event {
        ClientEvent::Call(CallEvent::Changed(now)) => {
            (now.remote.facing == Some(FacingMode::Environment)).then_some(())
        }
        _ => None,
    })
    .await;
    assert_eq!(must(ana.client.snapshot().await).local.facing, Some(FacingMode::Environment));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_of_the_bitrate_holds_in_the_call_that_is_going_on_and_in_the_next() {
    let bounds = VideoBounds { max_bitrate_bps: 100_000, ..VideoBounds::default() };
    let target = |stats: &CallStats| stats.video_sent.as_ref().map_or(0, |sent| sent.bitrate_bps);
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    ana.measures("a target above the bound", |stats| target(stats) > bounds.max_bitrate_bps).await;
    must(ana.client.set_video_bounds(bounds).await);
    let stats = ana.measures("a target within the bound", |stats| target(stats) <= bounds.max_bitrate_bps).await;
    assert_eq!(stats.max_video_bps, bounds.max_bitrate_bps);
    assert!(stats.rates.video_sent_bps.is_some() && stats.camera.is_some());
    must(ana.client.hang_up().await);
    ana.ends().await;
    rui.ends().await;
    ana.talks_with_known(&mut rui, "rui").await;
    let stats = ana.measures("statistics", |stats| target(stats) > 0).await;
    assert!(target(&stats) <= bounds.max_bitrate_bps);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_camera_chosen_by_a_flip_is_kept_for_the_next_call() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    assert_eq!(must(ana.client.flip_camera().await), Some(FacingMode::Environment));
    ana.talks_with(&mut rui, "rui").await;
    rui.view.until("rear camera", |seen| seen.facing == Some(FacingMode::Environment)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_call_ends_for_both_and_they_can_call_again() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    assert_eq!(rui.rings().await, "ana");
    ana.reaches(CallState::RingingRemotely).await;
    must(rui.client.decline().await);
    assert_eq!(ana.ends().await, EndReason::DeclinedRemotely);
    assert_eq!(rui.ends().await, EndReason::DeclinedLocally);
    must(rui.client.call("ana").await);
    ana.rings().await;
    must(ana.client.accept().await);
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_caller_is_told_busy_and_the_call_goes_on() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    let mut eva = Phone::login(server.url(), "eva").await;
    eva.sees(&["rui"]).await;
    must(eva.client.call("rui").await);
    assert_eq!(eva.ends().await, EndReason::Busy);
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    assert_eq!(must(rui.client.snapshot().await).with.as_deref(), Some("ana"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_stops_the_ringing() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    rui.rings().await;
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::CancelledLocally);
    assert_eq!(rui.ends().await, EndReason::CancelledRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_answers_times_out_at_both_ends() {
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.ring_timeout = std::time::Duration::from_secs(2);
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    rui.rings().await;
    assert_eq!(ana.ends().await, EndReason::Timeout);
    assert_eq!(rui.ends().await, EndReason::Timeout);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_call_each_other_at_once_end_up_in_one_call() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    rui.sees(&["ana"]).await;
    let (one, other) = tokio::join!(ana.client.call("rui"), rui.client.call("ana"));
    let one = must(one);
    let other = match other {
        Ok(other) => other,
        // The second to be asked may already ring, and then it is the first one's call.
        Err(error) => {
            assert!(matches!(error, ClientError::Call(CallError::InCall { .. })), "{error}");
            must(rui.client.accept().await);
            one
        }
    };
    let (a, b) = tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    // Each app knows the call by the name that it was given first, whichever call went on.
    assert_eq!((a.call, b.call), (Some(one), Some(other)));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn calling_oneself_a_stranger_or_nobody_is_refused() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    ana.sees(&["ana"]).await;
    let refused = ana.client.call("ana").await.unwrap_err();
    assert!(matches!(refused, ClientError::Call(CallError::SelfCall)), "{refused}");
    must(ana.client.call("nobody").await);
    assert_eq!(ana.ends().await, EndReason::Unreachable);
    let refused = ana.client.hang_up().await.unwrap_err();
    assert!(matches!(refused, ClientError::Call(CallError::NoCall)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_established_call_outlives_the_server() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    server.stop().await;
    tokio::join!(ana.loses_server(), rui.loses_server());
    tokio::join!(ana.view.frames(60), rui.view.frames(60));
    assert_eq!(must(ana.client.snapshot().await).state, CallState::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_camera_on_one_side_still_shows_the_other() {
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.cameras = None;
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(ana.view.frames(20), rui.hears());
    assert_eq!(rui.view.look(|seen| seen.frames), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_off_sends_black_and_comes_back() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    rui.view.until("picture", |seen| seen.facing.is_some()).await;
    must(ana.client.set_camera(false).await);
    let dark = |seen: &chamada_tests::phone::Seen| {
        seen.newest.as_ref().is_some_and(|frame| frame.y().iter().all(|luma| *luma < 40))
    };
    rui.view.until("black picture", dark).await;
    must(ana.client.set_camera(true).await);
    rui.view.until("picture again", |seen| !dark(seen)).await;
}

/// How often the picture froze as the path was gone for a while.
async fn freezes_without_a_path(ana: &mut Phone) -> u64 {
    let before = ana.measures("pictures", |stats| stats.video_received.is_some()).await;
    ana.client.drop_media(true);
    ana.reaches(CallState::Reconnecting).await;
    ana.client.drop_media(false);
    ana.reaches(CallState::Connected).await;
    let after = ana.measures("pictures", |stats| stats.video_received.is_some()).await;
    after.video_received.unwrap().freezes - before.video_received.unwrap().freezes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_freezes_without_a_path_but_not_while_the_other_sides_camera_is_off() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    ana.view.frames(20).await;
    assert_ne!(freezes_without_a_path(&mut ana).await, 0);
    must(rui.client.set_camera(false).await);
    ana.until("word of the camera", |event| {
        matches!(event, ClientEvent::Call(CallEvent::Changed(call)) if !call.remote.video).then_some(())
    })
    .await;
    assert_eq!(freezes_without_a_path(&mut ana).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_of_the_remote_picture_is_a_png_of_its_size() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    let none = ana.client.picture(PhotoOf::Remote).await.unwrap_err();
    assert!(matches!(none, ClientError::NoPicture));
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(ana.view.frames(5), rui.view.frames(5));
    for of in [PhotoOf::Remote, PhotoOf::Local] {
        let frame = must(ana.client.picture(of).await);
        let png = encode_photo(&frame, PhotoFormat::Png).unwrap();
        assert_eq!(&png[1..4], b"PNG");
        assert_eq!((&png[16..20], &png[20..24]), (&320u32.to_be_bytes()[..], &240u32.to_be_bytes()[..]));
    }
}

/// The keys that the other side pressed.
async fn pressed(phone: &mut Phone, count: usize) -> String {
    let mut keys = String::new();
    while keys.len() < count {
        keys.push(
            phone
                .until("tone", |event| match event {
                    ClientEvent::Dtmf(tone) => Some(tone.key()),
                    _ => None,
                })
                .await,
        );
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_pressed_are_heard_at_the_other_side_each_once_and_sound_goes_on() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    // Without a microphone, there is no sound whose place they take.
    let mut rui = PhoneSetup { audio: None, ..PhoneSetup::new(server.url(), "rui") }.login().await;
    let tones = |keys: &str| DtmfTones::new(keys, DtmfTones::DURATION, DtmfTones::GAP).unwrap();
    assert!(matches!(ana.client.send_dtmf(tones("1")).await, Err(ClientError::Dtmf(DtmfError::NotAgreed))));
    ana.talks_with(&mut rui, "rui").await;
    must(ana.client.send_dtmf(tones("0123456789*#")).await);
    must(rui.client.send_dtmf(tones("A,A")).await);
    assert_eq!(pressed(&mut rui, 12).await, "0123456789*#");
    assert_eq!(pressed(&mut ana, 2).await, "AA");
}
