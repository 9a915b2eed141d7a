package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"
)

// A message of docs/protocol.md, as far as a peer needs it.
type message struct {
	Type      string                     `json:"type"`
	ID        uint64                     `json:"id,omitempty"`
	Date      *int64                     `json:"date,omitempty"`
	Name      string                     `json:"name,omitempty"`
	Target    string                     `json:"target,omitempty"`
	Users     []string                   `json:"users,omitempty"`
	Call      string                     `json:"call,omitempty"`
	SDP       *webrtc.SessionDescription `json:"sdp,omitempty"`
	Candidate *webrtc.ICECandidateInit   `json:"candidate,omitempty"`
}

// A name at the server.
type signaling struct {
	socket *websocket.Conn
	name   string
}

func logIn(ctx context.Context, url, name string) (*signaling, error) {
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"json"}})
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(1 << 20)
	s := &signaling{socket, name}
	first, err := s.receive(ctx)
	if err != nil {
		return nil, err
	}
	return s, s.send(message{Type: "username", Name: name, ID: first.ID, Date: new(int64)})
}

func (s *signaling) receive(ctx context.Context) (message, error) {
	var received message
	_, text, err := s.socket.Read(ctx)
	if err != nil {
		return received, err
	}
	return received, json.Unmarshal(text, &received)
}

func (s *signaling) send(told message) error {
	text, err := json.Marshal(told)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.socket.Write(ctx, websocket.MessageText, text)
}
