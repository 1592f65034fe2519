package server_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/discovery/server"
	"github.com/sttts/elastic-etcd/discovery/server/storetest"
)

func TestFileStore(t *testing.T) {
	store, err := server.Open(filepath.Join(t.TempDir(), "d.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	storetest.Run(t, store)
}

func TestExpireEvery(t *testing.T) {
	store, err := server.Open(filepath.Join(t.TempDir(), "d.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	told := make(chan int)
	go server.ExpireEvery(t.Context(), store, -time.Hour, time.Millisecond, func(n int, err error) {
		if err != nil {
			t.Error(err)
		}
		told <- n
	})
	for _, token := range []string{"a", "b"} { // the second is seen by a later round
		if err := store.Create(t.Context(), token, 1); err != nil {
			t.Fatal(err)
		}
		if n := <-told; n != 1 {
			t.Errorf("%d are gone", n)
		}
	}
}
