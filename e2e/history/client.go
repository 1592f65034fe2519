// Package history is a client that writes to a cluster while it breaks, and
// the proof that what it was told is what a single register for each key could
// have told it: that the cluster is linearizable and lost nothing.
package history

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Store is a connection to one server.
type Store interface {
	Put(ctx context.Context, key, value string) error
	Get(ctx context.Context, key string) (value string, found bool, err error)
	// CAS puts a value where the key has the old one, and says whether it had.
	CAS(ctx context.Context, key, old, value string) (bool, error)
	Close() error
}

// Dial connects to some server, another one each time.
type Dial func() (Store, error)

const (
	workers = 3
	keys    = 4
	// opTimeout is several elections.
	opTimeout = 3 * time.Second
	// pace leaves the machine to the servers.
	pace = 15 * time.Millisecond
)

// Client reads and writes all the time until Stop.
type Client struct {
	dial  Dial
	start time.Time
	stop  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex // of what follows
	process int
	ops     []porcupine.Operation
	lost    int
}

// Start starts a client's workers.
func Start(dial Dial) *Client {
	c := &Client{dial: dial, start: time.Now(), stop: make(chan struct{})}
	for i := range workers {
		c.ended.Add(1)
		go c.work(&worker{client: c, name: fmt.Sprint("w", i), process: c.newProcess(), last: map[string]string{}})
	}
	return c
}

// Stop ends the workers. It may be called again.
func (c *Client) Stop() {
	c.mu.Lock()
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.mu.Unlock()
	c.ended.Wait()
}

// Counts are the operations that were answered, and the writes that were not:
// nobody knows whether those happened.
func (c *Client) Counts() (answered, unknown int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ops) - c.lost, c.lost
}

func (c *Client) newProcess() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process++
	return c.process
}

func (c *Client) work(w *worker) {
	defer c.ended.Done()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			w.hangUp()
			return
		case <-tick.C:
			w.step()
		}
	}
}

// worker does one operation after the other.
type worker struct {
	client  *Client
	name    string
	process int
	store   Store
	writes  int
	unwell  bool // the last operation failed
	last    map[string]string
}

func (w *worker) step() {
	if w.store == nil {
		var err error
		if w.store, err = w.client.dial(); err != nil {
			return
		}
	}
	if !w.do(w.next()) {
		// Another server next time, as another process: the old one may
		// still have a write under way.
		w.hangUp()
		w.process = w.client.newProcess()
	}
}

// next reads where the last operation failed: in an outage each worker leaves
// one write in doubt, and not hundreds that no checker sorts out.
func (w *worker) next() input {
	key := fmt.Sprint("history-", rand.IntN(keys))
	kind := kinds[rand.IntN(len(kinds))]
	if w.unwell || kind == get {
		return input{kind: get, key: key}
	}
	w.writes++
	return input{kind: kind, key: key, old: w.last[key], value: fmt.Sprintf("%s-%d", w.name, w.writes)}
}

// do does one operation and says whether it was answered.
func (w *worker) do(in input) bool {
	ctx, cancel := context.WithTimeout(context.Background(), opTimeout)
	defer cancel()
	call := w.client.now()
	out, err := perform(ctx, w.store, in)
	w.unwell = err != nil
	if err != nil {
		w.client.unanswered(w.process, in, call)
		return false
	}
	w.client.record(porcupine.Operation{ClientId: w.process, Input: in, Call: call, Output: out, Return: w.client.now()})
	if in.kind == get {
		w.last[in.key] = out.value
	}
	return true
}

func (w *worker) hangUp() {
	if w.store != nil {
		w.store.Close()
	}
	w.store = nil
}

func (c *Client) now() int64 { return int64(time.Since(c.start)) }

func (c *Client) record(op porcupine.Operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops = append(c.ops, op)
}

// unanswered: a write may happen at any time from now on, or never; a read
// does not matter.
func (c *Client) unanswered(process int, in input, call int64) {
	if in.kind == get {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost++
	c.ops = append(c.ops, porcupine.Operation{
		ClientId: process, Input: in, Call: call, Output: output{unknown: true}, Return: math.MaxInt64,
	})
}
