package discovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	commandTimeout = 10 * time.Second
	// commandEvery spares what the command asks, such as a cloud's API.
	commandEvery  = 10 * time.Second
	maxOutput     = 64 << 10
	maxErrors     = 4 << 10
	maxAddresses  = 256
	commandSource = "-discovery-command"
)

// Command runs a program that prints where members may be.
type Command struct {
	words  []string
	scheme string

	mu   sync.Mutex // of what follows
	last joiner.Hint
	next time.Time // when to run again
}

// NewCommand splits a command line; nothing is run yet. Addresses without a
// scheme get the given one.
func NewCommand(line, scheme string) (*Command, error) {
	words, err := splitWords(line)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", quote(line), err)
	case len(words) == 0:
		return nil, errors.New("the command is empty")
	}
	return &Command{words: words, scheme: scheme}, nil
}

// Hint runs the command, or gives what it said a moment ago. A failure is told
// in Error.
func (c *Command) Hint(ctx context.Context) joiner.Hint {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.next) {
		return c.last
	}
	c.last = joiner.Hint{Source: commandSource}
	out, said, err := c.run(ctx)
	if err == nil {
		c.last.PeerURLs, err = peerAddresses(out, c.scheme)
	}
	if err == nil && len(c.last.PeerURLs) == 0 {
		err = fmt.Errorf("%s printed no addresses%s", quote(c.words[0]), said)
	}
	if err != nil {
		c.last.Error = err.Error()
	}
	c.next = time.Now().Add(commandEvery)
	return c.last
}

// run gives the output of a run that ended well, and what to say of its errors.
func (c *Command) run(ctx context.Context) (output, said string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(commandTimeout, func() { cancel(fmt.Errorf("it did not end within %s", commandTimeout)) })
	defer timer.Stop()
	out := &limited{most: maxOutput, full: func() { cancel(fmt.Errorf("its output has more than %d bytes", maxOutput)) }}
	errs := &tail{most: maxErrors}
	cmd := exec.CommandContext(ctx, c.words[0], c.words[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, errs, withoutPasswords(os.Environ())
	cmd.WaitDelay = time.Second // for who inherited its output and lives on
	ownGroup(cmd)
	err = cmd.Run()
	endGroup(cmd)
	if errors.Is(err, exec.ErrWaitDelay) { // it ended well, and a child of it lives on
		err = nil
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.DeadlineExceeded):
		err = errors.New("it did not end in time")
	case cause != nil:
		err = cause
	}
	if err != nil {
		err = fmt.Errorf("%s: %s%s", quote(c.words[0]), plain(err), errs.said())
	}
	return out.kept.String(), errs.said(), err
}

// withoutPasswords keeps our own secrets from the command.
func withoutPasswords(environ []string) []string {
	var kept []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "ELASTIC_ETCD_") || !strings.HasSuffix(name, "PASSWORD") {
			kept = append(kept, kv)
		}
	}
	return kept
}

// limited keeps the first bytes, and tells once when there are more.
type limited struct {
	kept bytes.Buffer
	most int
	full func()
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.most - l.kept.Len()
	if len(p) > room {
		l.full()
	}
	l.kept.Write(p[:min(len(p), room)])
	return len(p), nil
}

// tail keeps the last bytes: programs log what they do first, and say at the
// end why they failed.
type tail struct {
	kept []byte
	most int
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if more := len(t.kept) - t.most; more > 0 {
		t.kept, t.cut = slices.Delete(t.kept, 0, more), true
	}
	return len(p), nil
}

// said is the last lines with something in them, for the end of a sentence. The
// first word that is left after a cut may be half a URL, with a password.
func (t *tail) said() string {
	const lines = 3
	text := string(t.kept)
	if t.cut {
		text = text[max(0, strings.IndexAny(text+"\n", " \t\r\n")):]
	}
	var said []string
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			said = append(said, quote(line))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said[max(0, len(said)-lines):], " ")
}

// peerAddresses reads addresses, host:port or URLs, separated by white space.
// What is none is an error besides those that are.
func peerAddresses(text, scheme string) (urls []string, err error) {
	words := strings.Fields(text)
	if len(words) > maxAddresses {
		return nil, fmt.Errorf("its output has %d addresses (at most %d)", len(words), maxAddresses)
	}
	for _, word := range words {
		u, bad := peerAddress(word, scheme)
		if bad != nil && err == nil {
			err = fmt.Errorf("its output has %s, which is not an address", quote(joiner.ShownURL(word)))
		}
		if bad == nil {
			urls = append(urls, u)
		}
	}
	return urls, err
}

// peerAddress makes a peer URL of one word: an address alone is at etcd's own
// peer port.
func peerAddress(word, scheme string) (string, error) {
	const peerPort = "2380"
	if !strings.Contains(word, "://") {
		if ip, err := netip.ParseAddr(strings.Trim(word, "[]")); err == nil {
			word = net.JoinHostPort(ip.String(), peerPort)
		}
		word = scheme + "://" + word
	}
	u, err := url.Parse(word)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(u.Host, ":") {
		return "", errors.New("no port")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), peerPort)
	}
	if !isHost(u.Hostname()) {
		return "", errors.New("no host")
	}
	list, err := joiner.PeerURLs([]string{strings.TrimSuffix(u.String(), "/")})
	if err != nil {
		return "", err
	}
	return list[0], nil
}

func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || domainName.MatchString(s)
}
