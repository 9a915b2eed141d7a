package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	calls    = "calls us"
	isCalled = "is called"
)

// Pictures and packets of sound that each side has to get, first and after whatever happens in the call.
const (
	pictures = 15
	packets  = 30
)

// A call with something special.
type callCase struct {
	what, way string
	// Codecs that Pion knows, the one that it sends first.
	codecs []string
	// Options of the command line.
	options []string
	// Pion begins with sound alone.
	soundFirst bool
	// Pion's part in the handshake where it answers.
	role webrtc.DTLSRole
	// What happens once pictures and sound have come both ways; they have to come again after it.
	then func(*call) error
	// The codec that the command line has received at last.
	expected string
}

var (
	vp8  = webrtc.MimeTypeVP8
	h264 = webrtc.MimeTypeH264
)

var cases = []callCase{
	{what: "as it is", way: calls, codecs: []string{vp8, h264}, expected: "vp8"},
	{what: "as it is", way: isCalled, codecs: []string{vp8, h264}, expected: "vp8"},
	{what: "H.264 alone", way: calls, codecs: []string{h264}, expected: "h264"},
	{what: "H.264 alone", way: isCalled, codecs: []string{h264}, expected: "h264"},
	{what: "VP8 alone, where we prefer H.264", way: calls, codecs: []string{vp8}, options: []string{"--codec", "h264"}, expected: "vp8"},
	{what: "VP8 alone, where we prefer H.264", way: isCalled, codecs: []string{vp8}, options: []string{"--codec", "h264"}, expected: "vp8"},
	{what: "waits for the handshake (`a=setup:passive`)", way: isCalled, codecs: []string{vp8}, role: webrtc.DTLSRoleServer, expected: "vp8"},
	{what: "restarts ICE", way: calls, codecs: []string{vp8}, then: restartICE, expected: "vp8"},
	{what: "restarts ICE", way: isCalled, codecs: []string{h264}, then: restartICE, expected: "h264"},
	{what: "the path is lost and we restart ICE", way: calls, codecs: []string{vp8}, then: losePath, expected: "vp8"},
	{what: "the path is lost and we restart ICE", way: isCalled, codecs: []string{h264}, then: losePath, expected: "h264"},
	{what: "the picture is added in the call", way: calls, codecs: []string{vp8}, soundFirst: true, then: addPicture, expected: "vp8"},
	{what: "the picture is taken away and comes back", way: calls, codecs: []string{vp8}, then: removeAndAddPicture, expected: "vp8"},
	{what: "the picture is taken away and comes back", way: isCalled, codecs: []string{vp8}, then: removeAndAddPicture, expected: "vp8"},
}

// A call that is going on, and the command line's end of it.
type call struct {
	*peer
	line *commandLine
}

func (one callCase) run(chamada, url string, number int) (figures string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	us, them := fmt.Sprintf("rui%d", number), fmt.Sprintf("pion%d", number)
	words := []string{"call", them}
	if one.way == calls {
		words = []string{"answer", "--from", them}
	}
	words = append(words, "--server", url, "--name", us, "--video", "test:320x240@15", "--wait", "20", "--json")
	line, err := startLine(ctx, exec.CommandContext(ctx, chamada, append(words, one.options...)...))
	if err != nil {
		return "", err
	}
	defer line.stop()
	peer, err := newPeer(one, url, them, us)
	if err != nil {
		return "", err
	}
	defer peer.close()
	going := &call{peer, line}
	defer func() { figures = going.figures() }()
	if err := going.flows(ctx, !one.soundFirst); err != nil {
		return "", err
	}
	if one.then != nil {
		if err := one.then(going); err != nil {
			return "", err
		}
		if err := going.flows(ctx, true); err != nil {
			return "", fmt.Errorf("afterwards %w", err)
		}
	}
	if err := peer.opensChannel(ctx); err != nil {
		return "", err
	}
	if err := peer.hangUp(); err != nil {
		return "", err
	}
	return "", line.ended(ctx, one.expected)
}

// Waits until pictures and sound have come from now on, at both ends; without pictures, sound.
func (c *call) flows(ctx context.Context, withPictures bool) error {
	video, audio, shown := c.peer.video.complete.Load(), c.peer.audio.packets.Load(), c.line.pictures()
	for {
		seen, heard, back := c.peer.video.complete.Load()-video, c.peer.audio.packets.Load()-audio, c.line.pictures()-shown
		if heard >= packets && (!withPictures || seen >= pictures && back >= pictures) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d pictures and %d packets came, and %d pictures came back", seen, heard, back)
		case <-c.peer.failed:
			return c.peer.failure
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *call) figures() string {
	return fmt.Sprintf("%d pictures here, %d and %d packets there", c.line.pictures(), c.peer.video.complete.Load(), c.peer.audio.packets.Load())
}

// The command line with --json: one event a line, the last is the summary.
type commandLine struct {
	command *exec.Cmd
	lock    sync.Mutex
	states  []string
	// Pictures decoded of the video that goes on, and of those before it.
	shown, before uint64
	last          map[string]any
	done          chan struct{}
}

func startLine(ctx context.Context, command *exec.Cmd) (*commandLine, error) {
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line := &commandLine{command: command, done: make(chan struct{})}
	go func() {
		defer close(line.done)
		lines := bufio.NewScanner(output)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line.read(lines.Bytes())
		}
	}()
	return line, nil
}

func (l *commandLine) read(text []byte) {
	var event map[string]any
	if json.Unmarshal(text, &event) != nil {
		return
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.last = event
	switch event["event"] {
	case "state":
		if state, ok := event["state"].(string); ok {
			l.states = append(l.states, state)
		}
	case "stats":
		if received, ok := event["received"].(map[string]any); ok {
			if frames, ok := received["frames"].(float64); ok {
				if uint64(frames) < l.shown {
					l.before += l.shown
				}
				l.shown = uint64(frames)
			}
		}
	}
}

// Pictures that it has decoded.
func (l *commandLine) pictures() uint64 {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.before + l.shown
}

// Whether it has been in this state after the first `from` of its states.
func (l *commandLine) was(state string, from int) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, one := range l.states[from:] {
		if one == state {
			return true
		}
	}
	return false
}

func (l *commandLine) stop() {
	_ = l.command.Process.Kill()
	<-l.done
	_ = l.command.Wait()
}

// Waits for its end, and looks at its summary.
func (l *commandLine) ended(ctx context.Context, codec string) error {
	select {
	case <-l.done:
	case <-ctx.Done():
		return fmt.Errorf("the command line does not end")
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.last["event"] != "summary" || l.last["ended"] != "hung-up-there" {
		return fmt.Errorf("the call ended as %v", l.last)
	}
	received, _ := l.last["video_received"].(map[string]any)
	heard, _ := l.last["audio_received"].(map[string]any)
	if got, _ := received["codec"].(string); !strings.EqualFold(got, codec) {
		return fmt.Errorf("the picture came as %q, not %q", got, codec)
	}
	if energy, _ := heard["energy"].(float64); energy <= 0 {
		return fmt.Errorf("the sound that came back is silent")
	}
	return nil
}
