// Package smallfile reads the files that a command line or a unit names:
// certificates, keys, passwords, configuration. Whatever they are, it comes
// back soon and with little.
package smallfile

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// Limit is the size of the largest file that is read, in bytes.
const Limit = 1 << 20

// patience is how long the other end of a pipe gets to say all: a shell's
// <(command) is one.
const patience = 5 * time.Second

// Read reads a whole file, or what comes through a pipe. A pipe that nobody
// writes to is empty, one that does not end is an error (os.ErrDeadlineExceeded),
// and so is what is longer than Limit. Errors name the path.
func Read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO without a writer would hold up the open
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(patience)) // what is no pipe has none
	b, err := io.ReadAll(io.LimitReader(f, Limit+1))
	if err == nil && len(b) > Limit {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("longer than %d bytes", Limit)}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
