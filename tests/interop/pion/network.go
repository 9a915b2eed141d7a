package main

import (
	"net"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// A socket whose path can be cut: then nothing leaves and nothing arrives.
type path struct {
	net.PacketConn
	cut atomic.Bool
}

func newPath() (*path, error) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &path{PacketConn: socket}, nil
}

func (p *path) ReadFrom(into []byte) (int, net.Addr, error) {
	for {
		length, from, err := p.PacketConn.ReadFrom(into)
		if err != nil || !p.cut.Load() {
			return length, from, err
		}
	}
}

func (p *path) WriteTo(packet []byte, to net.Addr) (int, error) {
	if p.cut.Load() {
		return len(packet), nil
	}
	return p.PacketConn.WriteTo(packet, to)
}

// Makes Pion send and receive on this path alone.
func (p *path) use(settings *webrtc.SettingEngine) {
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, p))
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIncludeLoopbackCandidate(true)
}
