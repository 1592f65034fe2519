package smallfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, size := range []int{0, 1, Limit} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := Read(path); err != nil || len(b) != size {
			t.Errorf("of %d bytes: %d, %v", size, len(b), err)
		}
	}
	if err := os.WriteFile(path, make([]byte, Limit+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{path, "/dev/zero", t.TempDir(), path + "x"} {
		var where *os.PathError
		if b, err := Read(bad); !errors.As(err, &where) || where.Path != bad || b != nil {
			t.Errorf("%s: %d bytes, %v", bad, len(b), err)
		}
	}
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A pipe is read like a file, and nobody is waited for without end.
func TestReadPipe(t *testing.T) {
	t.Parallel()
	path := fifo(t)
	if b, err := Read(path); err != nil || len(b) != 0 {
		t.Errorf("nobody writes: %q, %v", b, err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := Read(path); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it does not end: %v", err)
	}
}

func TestReadAcrossPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		_, _ = w.WriteString("secret\n")
		w.Close()
	}()
	if b, err := Read(fmt.Sprintf("/dev/fd/%d", r.Fd())); err != nil || string(b) != "secret\n" {
		t.Errorf("%q, %v", b, err)
	}
}
