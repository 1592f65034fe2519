package server

import "sync"

// watchers wakes those who wait for a change of a token. The zero value is
// ready for use; a token nobody waits for takes no memory.
type watchers struct {
	mu      sync.Mutex
	byToken map[string]map[chan struct{}]struct{}
}

// subscribe returns a channel that gets a value after each change of the
// token, several changes may be one value, and a function that ends it.
func (w *watchers) subscribe(token string) (<-chan struct{}, func()) {
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

func (w *watchers) unsubscribe(token string, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byToken[token], ch)
	if len(w.byToken[token]) == 0 {
		delete(w.byToken, token)
	}
}

// notify never blocks: a subscriber that has not read the last value yet will
// look at the newest state anyway.
func (w *watchers) notify(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.byToken[token] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
