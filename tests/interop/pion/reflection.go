package main

import (
	"sync"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
)

// Sends back what arrives, and counts it. Requests for keyframes go on to where the pictures come from.
type reflection struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
	lock  sync.Mutex
	from  webrtc.SSRC
	// Packets that came, and whole pictures that began with a keyframe.
	packets, complete atomic.Uint64
	sender            *webrtc.RTPSender
}

func newReflection(pc *webrtc.PeerConnection, mime string) (*reflection, error) {
	kind := "video"
	if mime == webrtc.MimeTypeOpus {
		kind = "audio"
	}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, kind, "reflection")
	return &reflection{pc: pc, track: track}, err
}

// Adds the track to the connection, which has to be negotiated then.
func (r *reflection) send() error {
	sender, err := r.pc.AddTrack(r.track)
	if err != nil {
		return err
	}
	r.sender = sender
	go func() {
		for {
			reports, _, err := sender.ReadRTCP()
			if err != nil {
				return
			}
			for _, report := range reports {
				switch report.(type) {
				case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
					r.wantKeyframe()
				}
			}
		}
	}()
	return nil
}

// Takes the track off the connection, which has to be negotiated then.
func (r *reflection) remove() error {
	return r.pc.RemoveTrack(r.sender)
}

func (r *reflection) wantKeyframe() {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.from != 0 {
		_ = r.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(r.from)}})
	}
}

// Runs until the track ends.
func (r *reflection) receive(track *webrtc.TrackRemote) {
	r.lock.Lock()
	r.from = track.SSRC()
	r.lock.Unlock()
	r.wantKeyframe()
	samples := builder(track.Codec().MimeType, track.Codec().ClockRate)
	decodable := false
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		r.packets.Add(1)
		_ = r.track.WriteRTP(packet)
		if samples == nil {
			continue
		}
		samples.Push(packet)
		for sample := samples.Pop(); sample != nil; sample = samples.Pop() {
			decodable = decodable || isKeyframe(track.Codec().MimeType, sample.Data)
			if decodable {
				r.complete.Add(1)
			}
		}
	}
}

func builder(mime string, clock uint32) *samplebuilder.SampleBuilder {
	var packets rtp.Depacketizer
	switch mime {
	case webrtc.MimeTypeVP8:
		packets = &codecs.VP8Packet{}
	case webrtc.MimeTypeH264:
		packets = &codecs.H264Packet{}
	default:
		return nil
	}
	return samplebuilder.New(64, packets, clock)
}

// VP8: RFC 6386 section 9.1, the lowest bit of the frame tag is 0 and the start code follows. H.264: there is a sequence parameter set
// (NAL unit type 7) in its Annex B stream.
func isKeyframe(mime string, picture []byte) bool {
	if mime == webrtc.MimeTypeVP8 {
		return len(picture) > 9 && picture[0]&1 == 0 && picture[3] == 0x9d && picture[4] == 0x01 && picture[5] == 0x2a
	}
	for i := 0; i+3 < len(picture); i++ {
		if picture[i] == 0 && picture[i+1] == 0 && picture[i+2] == 1 && picture[i+3]&0x1f == 7 {
			return true
		}
	}
	return false
}
