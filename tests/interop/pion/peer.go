package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// What the core calls the data channel that it opens where it offers.
const channelLabel = "chamada"

// Pion's end of a call.
type peer struct {
	*signaling
	path         *path
	pc           *webrtc.PeerConnection
	calls        bool
	target, id   string
	video, audio *reflection
	// The state of offer and answer, and what waits for it.
	lock       sync.Mutex
	early      []webrtc.ICECandidateInit
	offers     int
	answered   chan struct{}
	stop       context.CancelFunc
	channel    chan struct{}
	opened     sync.Once
	failed     chan struct{}
	failedOnce sync.Once
	failure    error
}

func newPeer(one callCase, url, name, target string) (*peer, error) {
	path, err := newPath()
	if err != nil {
		return nil, err
	}
	pc, err := connection(one, path)
	if err != nil {
		return nil, err
	}
	p := &peer{
		path: path, pc: pc, calls: one.way == calls, target: target, id: uuid(),
		answered: make(chan struct{}, 8), channel: make(chan struct{}), failed: make(chan struct{}),
	}
	if p.audio, err = newReflection(pc, webrtc.MimeTypeOpus); err != nil {
		return nil, err
	}
	if p.video, err = newReflection(pc, one.codecs[0]); err != nil {
		return nil, err
	}
	if err := p.audio.send(); err != nil {
		return nil, err
	}
	if !one.soundFirst {
		if err := p.video.send(); err != nil {
			return nil, err
		}
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			p.video.receive(track)
		} else {
			p.audio.receive(track)
		}
	})
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate != nil {
			told := candidate.ToJSON()
			p.check(p.send(message{Type: "new-ice-candidate", Name: name, Target: target, Call: p.id, Candidate: &told}))
		}
	})
	opened := func() { p.opened.Do(func() { close(p.channel) }) }
	if p.calls {
		channel, err := pc.CreateDataChannel(channelLabel, nil)
		if err != nil {
			return nil, err
		}
		channel.OnOpen(opened)
	} else {
		pc.OnDataChannel(func(channel *webrtc.DataChannel) {
			if channel.Label() == channelLabel {
				channel.OnOpen(opened)
			}
		})
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	if p.signaling, err = logIn(ctx, url, name); err != nil {
		return nil, err
	}
	go p.listen(ctx)
	return p, nil
}

func connection(one callCase, path *path) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48_000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		},
		PayloadType: 111,
	}
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	for i, mime := range one.codecs {
		number := webrtc.PayloadType(96 + 2*i)
		format := ""
		if mime == h264 {
			format = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
		}
		feedback := []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
		codec := webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90_000, SDPFmtpLine: format, RTCPFeedback: feedback},
			PayloadType:        number,
		}
		rtx := webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90_000, SDPFmtpLine: fmt.Sprintf("apt=%d", number)},
			PayloadType:        number + 1,
		}
		for _, each := range []webrtc.RTPCodecParameters{codec, rtx} {
			if err := media.RegisterCodec(each, webrtc.RTPCodecTypeVideo); err != nil {
				return nil, err
			}
		}
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, interceptors); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	path.use(&settings)
	// It is the command line that has to notice a lost path first.
	settings.SetICETimeouts(20*time.Second, 40*time.Second, time.Second)
	if one.role != 0 {
		if err := settings.SetAnsweringDTLSRole(one.role); err != nil {
			return nil, err
		}
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{})
}

func (p *peer) listen(ctx context.Context) {
	called := false
	for {
		received, err := p.receive(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.check(err)
			}
			return
		}
		switch received.Type {
		case "userlist":
			for _, user := range received.Users {
				if p.calls && !called && user == p.target {
					called = true
					p.check(p.offer(nil))
				}
			}
		case "video-offer":
			p.check(p.answer(received))
		case "video-answer":
			p.check(p.apply(*received.SDP))
			p.answered <- struct{}{}
		case "new-ice-candidate":
			if received.Candidate != nil {
				p.check(p.add(*received.Candidate))
			}
		case "hang-up":
			p.check(errors.New("the command line hung up"))
		}
	}
}

// Offers, first or again.
func (p *peer) offer(options *webrtc.OfferOptions) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	offer, err := p.pc.CreateOffer(options)
	if err != nil {
		return err
	}
	return p.describe("video-offer", offer)
}

func (p *peer) answer(received message) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.offers++
	p.id = received.Call
	if err := p.take(*received.SDP); err != nil {
		return err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	return p.describe("video-answer", answer)
}

func (p *peer) apply(answer webrtc.SessionDescription) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.take(answer)
}

func (p *peer) describe(kind string, own webrtc.SessionDescription) error {
	// The description goes before the candidates that it makes Pion gather: these wait for the lock of the socket only.
	if err := p.send(message{Type: kind, Name: p.name, Target: p.target, Call: p.id, SDP: &own}); err != nil {
		return err
	}
	return p.pc.SetLocalDescription(own)
}

func (p *peer) take(description webrtc.SessionDescription) error {
	if err := p.pc.SetRemoteDescription(description); err != nil {
		return err
	}
	for _, candidate := range p.early {
		if err := p.pc.AddICECandidate(candidate); err != nil {
			return err
		}
	}
	p.early = nil
	return nil
}

func (p *peer) add(candidate webrtc.ICECandidateInit) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.pc.RemoteDescription() == nil {
		p.early = append(p.early, candidate)
		return nil
	}
	return p.pc.AddICECandidate(candidate)
}

// Offers the other side has made.
func (p *peer) offersTaken() int {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.offers
}

func (p *peer) opensChannel(ctx context.Context) error {
	select {
	case <-p.channel:
		return nil
	case <-ctx.Done():
		return errors.New("the data channel does not open")
	}
}

func (p *peer) hangUp() error {
	return p.send(message{Type: "hang-up", Name: p.name, Target: p.target, Call: p.id})
}

// Keeps the first error that happens beside the case's own steps.
func (p *peer) check(err error) {
	if err != nil {
		p.failedOnce.Do(func() {
			p.failure = err
			close(p.failed)
		})
	}
}

func (p *peer) close() {
	p.stop()
	_ = p.pc.Close()
	_ = p.path.Close()
}

// A random UUID (RFC 9562 section 5.4), as calls have.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
