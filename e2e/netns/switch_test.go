package netns

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestSwitch: what is cut is silent, in the direction that is cut.
func TestSwitch(t *testing.T) {
	Need(t)
	s := NewSwitch()
	t.Cleanup(s.Close)
	a, b := plug(t, s, "127.9.9.1"), plug(t, s, "127.9.9.2")
	for _, l := range []Link{{}, {Delay: 50 * time.Millisecond}, {Loss: 0.1}} {
		s.Both(a, b, l)
		if took := roundTrip(t, a, b); took < 2*l.Delay {
			t.Errorf("%+v: took %v", l, took)
		}
	}
	for _, from := range []*Port{a, b} {
		s.Heal()
		s.Set(from, other(from, a, b), Cut)
		if err := tryRoundTrip(a, b); !isTimeout(err) {
			t.Errorf("cut from %s: %v", from.Addr, err)
		}
	}
}

// TestInspect: what is not to pass does not.
func TestInspect(t *testing.T) {
	Need(t)
	s := NewSwitch()
	t.Cleanup(s.Close)
	a, b := plug(t, s, "127.9.9.1"), plug(t, s, "127.9.9.2")
	var sent []string
	s.Inspect(a, func(payload []byte) bool {
		sent = append(sent, string(payload))
		return len(sent) > 1 // it is sent again
	})
	if roundTrip(t, a, b); len(sent) != 2 || sent[0] != "x" || sent[1] != "x" {
		t.Errorf("it sent %q", sent)
	}
}

// TestSending: what nobody acknowledges is sent for ever, and then is not.
func TestSending(t *testing.T) {
	Need(t)
	s := NewSwitch()
	t.Cleanup(s.Close)
	a, b := plug(t, s, "127.9.9.1"), plug(t, s, "127.9.9.2")
	c, err := a.Dial(b.Addr + ":1")
	if err != nil {
		t.Fatal(err)
	}
	s.Both(a, b, Cut)
	_, _ = c.Write([]byte("x"))
	c.Close()
	if n, err := a.Sending(); n != 1 || err != nil {
		t.Errorf("cut off, %d connections send, %v", n, err)
	}
	s.Heal()
	for end := time.Now().Add(10 * time.Second); ; {
		if n, err := a.Sending(); n == 0 && err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatalf("healed, %d connections send, %v", n, err)
		}
	}
}

func other(p, a, b *Port) *Port {
	if p == a {
		return b
	}
	return a
}

func plug(t *testing.T, s *Switch, addr string) *Port {
	t.Helper()
	p, err := s.Plug(addr)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, p)
	go echo(l)
	return p
}

func listen(t *testing.T, p *Port) (l net.Listener) {
	t.Helper()
	err := p.Do(func() (err error) {
		l, err = net.Listen("tcp", p.Addr+":1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(c, c); c.Close() }()
	}
}

func roundTrip(t *testing.T, a, b *Port) time.Duration {
	t.Helper()
	start := time.Now()
	if err := tryRoundTrip(a, b); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func tryRoundTrip(a, b *Port) error {
	c, err := a.Dial(b.Addr + ":1")
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Write([]byte("x")); err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
