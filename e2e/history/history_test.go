package history

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// fake is a store in memory; spoil may make an answer a lie.
type fake struct {
	mu    sync.Mutex
	data  map[string]string
	calls int
	spoil func(f *fake, key string) error
}

func (f *fake) dial() (Store, error) { return f, nil }

func (f *fake) Put(_ context.Context, key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.data[key] = value
	return f.spoil(f, key)
}

func (f *fake) Get(_ context.Context, key string) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, found := f.data[key]
	return value, found, nil
}

func (f *fake) CAS(_ context.Context, key, old, value string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.data[key] != old {
		return false, nil
	}
	f.data[key] = value
	return true, nil
}

func (f *fake) Close() error { return nil }

// TestCheck: an honest store passes, whatever it does not answer, and one that
// loses what it has acknowledged does not.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *fake, key string) error
		good  bool
	}{
		"honest": {func(*fake, string) error { return nil }, true},
		"in doubt": {func(f *fake, key string) error {
			if f.calls%5 > 0 {
				return nil
			}
			return errors.New("nobody knows")
		}, true},
		"lost": {func(f *fake, key string) error {
			if f.calls%5 == 0 {
				f.data[key] = "an old value"
			}
			return nil
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{data: map[string]string{}, spoil: c.spoil}
			client := Start(f.dial)
			waitAnswered(t, client, 200)
			if err := client.Check(t.TempDir()); (err == nil) != c.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

func waitAnswered(t *testing.T, c *Client, n int) {
	t.Helper()
	for end := time.After(time.Minute); ; {
		select {
		case <-time.After(pace):
			if answered, _ := c.Counts(); answered >= n {
				return
			}
		case <-end:
			t.Fatal("it does not work")
		}
	}
}
