package main

import (
	"errors"
	"time"

	"github.com/pion/webrtc/v4"
)

// Pion offers new ICE credentials, and media goes on.
func restartICE(c *call) error {
	before := c.remoteUfrag()
	if err := c.renegotiate(&webrtc.OfferOptions{ICERestart: true}); err != nil {
		return err
	}
	if after := c.remoteUfrag(); before == "" || after == before {
		return errors.New("the answer has the ICE credentials of before")
	}
	return nil
}

// Nothing passes any more, until the command line restarts ICE.
func losePath(c *call) error {
	offers := c.offersTaken()
	c.path.cut.Store(true)
	if err := c.wait(func() bool { return c.offersTaken() > offers }, "the command line does not restart ICE"); err != nil {
		return err
	}
	if !c.line.was("reconnecting", 0) {
		return errors.New("the command line does not say that it reconnects")
	}
	c.path.cut.Store(false)
	return nil
}

func addPicture(c *call) error {
	if err := c.video.send(); err != nil {
		return err
	}
	return c.renegotiate(nil)
}

func removeAndAddPicture(c *call) error {
	if err := c.video.remove(); err != nil {
		return err
	}
	if err := c.renegotiate(nil); err != nil {
		return err
	}
	return addPicture(c)
}

// Offers again and waits for the answer.
func (c *call) renegotiate(options *webrtc.OfferOptions) error {
	for len(c.answered) > 0 {
		<-c.answered
	}
	if err := c.offer(options); err != nil {
		return err
	}
	select {
	case <-c.answered:
		return nil
	case <-c.failed:
		return c.failure
	case <-time.After(5 * time.Second):
		return errors.New("the command line does not answer")
	}
}

func (c *call) wait(holds func() bool, complaint string) error {
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return errors.New(complaint)
		}
	}
	return nil
}

// The ICE user name fragment of the other side.
func (c *call) remoteUfrag() string {
	parsed, err := c.pc.RemoteDescription().Unmarshal()
	if err != nil {
		return ""
	}
	for _, section := range parsed.MediaDescriptions {
		if value, found := section.Attribute("ice-ufrag"); found {
			return value
		}
	}
	value, _ := parsed.Attribute("ice-ufrag")
	return value
}
