package server

import "sync"

// waiters counts the long polls: each holds a connection and some memory.
type waiters struct {
	mu      sync.Mutex
	all     int
	byToken map[string]int
}

// enter counts one more, unless there are too many; leave counts it off again.
func (w *waiters) enter(token string, all, perToken int) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= all || w.byToken[token] >= perToken {
		return nil, false
	}
	if w.byToken == nil {
		w.byToken = map[string]int{}
	}
	w.all++
	w.byToken[token]++
	return func() { w.leave(token) }, true
}

func (w *waiters) leave(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.byToken[token]--; w.byToken[token] == 0 {
		delete(w.byToken, token)
	}
}

func (w *waiters) count() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return float64(w.all)
}
