package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// node is a host that does what its units tell it to, whatever happens:
// elastic-etcd, then etcd with the promotion beside it, and again when one of
// them has ended. It is moved on by its step, on the test's goroutine.
type node struct {
	s     *site
	h     *cluster.Host
	flags func() []string

	run, promotion *cluster.Running
	again          time.Time // when it is tried again
	said           string    // the last refusal
	starts         int       // of etcd
}

const restartAfter = 3 * time.Second

func (m *node) step() {
	m.s.Helper()
	switch {
	case m.h.Running():
		m.beside()
	case m.run == nil && time.Now().After(m.again):
		m.run = m.s.start(m.h, m.flags()...)
	case m.run != nil && !m.run.Running():
		m.decided(m.run.Wait())
		m.run = nil
	}
}

func (m *node) decided(r cluster.Result) {
	m.s.Helper()
	if strings.Contains(r.Stderr, "panic") || r.Code != 0 && r.Code != 75 && r.Code != -1 {
		m.s.Fatalf("%s needs a human: %s", m.h.Name, r)
	}
	if r.Code != 0 {
		m.said, m.again = r.Stderr, time.Now().Add(restartAfter)
		return
	}
	m.starts++
	m.h.StartWith(r.Stdout)
	m.promotion = nil
}

// beside runs the promotion until it has succeeded.
func (m *node) beside() {
	m.s.Helper()
	if strings.HasPrefix(m.h.Version, "2.") || m.promotion != nil && m.promotion.Running() {
		return
	}
	if m.promotion == nil || m.promotion.Wait().Code != 0 && time.Now().After(m.again) {
		m.again = time.Now().Add(restartAfter)
		m.promotion = m.promote()
	}
}

func (m *node) promote() *cluster.Running {
	m.s.Helper()
	return m.s.command("promote", m.h, m.flags()...)
}

// String is for the message of a failed test.
func (m *node) String() string {
	state := "waits"
	switch {
	case m.h.Running():
		state = "runs etcd"
	case m.run != nil:
		state = "decides: " + endOf(m.run.Log())
	case m.said != "":
		state = "was refused: " + endOf(m.said)
	}
	return fmt.Sprintf("%s, etcd started %d times: %s", m.h.Name, m.starts, state)
}

func endOf(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-2):], " / ")
}
