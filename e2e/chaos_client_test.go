package e2e

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/history"
)

// load is a client that writes all the time, through hosts that come and go.
type load struct {
	*history.Client
	s *site

	mu    sync.Mutex
	hosts []*cluster.Host
}

func (s *site) startLoad(hosts []*cluster.Host) *load {
	l := &load{s: s}
	l.use(hosts)
	l.Client = history.Start(l.dial)
	s.Cleanup(l.Stop)
	return l
}

// use says which hosts are there now.
func (l *load) use(hosts []*cluster.Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts = slices.Clone(hosts)
}

func (l *load) dial() (history.Store, error) {
	l.mu.Lock()
	h := l.hosts[rand.IntN(len(l.hosts))]
	l.mu.Unlock()
	return h.Store()
}

// end checks what the client was told, and that the members agree on it.
func (l *load) end(hosts ...*cluster.Host) {
	l.s.Helper()
	if err := l.Check(l.s.TempDir()); err != nil {
		l.s.Fatal(err)
	}
	answered, unknown := l.Counts()
	if answered < 20 {
		l.s.Fatalf("only %d operations were answered: this proves nothing", answered)
	}
	l.s.lab.WaitSame(hosts...)
	l.s.Logf("history: %d operations, %d more in doubt", answered, unknown)
}
