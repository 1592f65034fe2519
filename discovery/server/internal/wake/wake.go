// Package wake tells those who wait for a change of a token that there is one.
package wake

import "sync"

// Tokens wakes those who wait for a change of a token. The zero value is ready
// for use; a token nobody waits for takes no memory.
type Tokens struct {
	mu      sync.Mutex
	byToken map[string]map[chan struct{}]struct{}
}

// Subscribe returns a channel that gets a value after each change of the
// token, several changes may be one value, and a function that ends it.
func (w *Tokens) Subscribe(token string) (<-chan struct{}, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byToken == nil {
		w.byToken = map[string]map[chan struct{}]struct{}{}
	}
	if w.byToken[token] == nil {
		w.byToken[token] = map[chan struct{}]struct{}{}
	}
	ch := make(chan struct{}, 1)
	w.byToken[token][ch] = struct{}{}
	return ch, func() { w.unsubscribe(token, ch) }
}

func (w *Tokens) unsubscribe(token string, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byToken[token], ch)
	if len(w.byToken[token]) == 0 {
		delete(w.byToken, token)
	}
}

// Notify tells of a change. It never blocks: a subscriber that has not read
// the last value yet will look at the newest state anyway.
func (w *Tokens) Notify(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wakeUp(w.byToken[token])
}

// NotifyAll tells that there may be a change of any token.
func (w *Tokens) NotifyAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, waiting := range w.byToken {
		wakeUp(waiting)
	}
}

func wakeUp(waiting map[chan struct{}]struct{}) {
	for ch := range waiting {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Waiting is how many tokens somebody waits for.
func (w *Tokens) Waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.byToken)
}
