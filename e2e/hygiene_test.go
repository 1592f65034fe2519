package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

const abandonEnv = "E2E_ABANDON"

// TestAbandon is not a test of its own: TestNothingLeftBehind runs it in
// another process, which then dies in the middle of it.
func TestAbandon(t *testing.T) {
	if os.Getenv(abandonEnv) == "" {
		return
	}
	lab := cluster.New(t)
	host := lab.Host("3.6")
	lab.Found(host)
	host.Freeze() // not even this one may survive
	fmt.Printf("\nABANDON %s %s\n", strings.TrimPrefix(host.PeerURL(), "http://"), lab.Dir())
	select {}
}

// TestNothingLeftBehind ends a test process in the middle of a test, as a
// Ctrl-C, a crash or an impatient CI does.
func TestNothingLeftBehind(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			peer, dir := abandon(t, sig)
			err := cluster.TryWaitFor(time.Minute, "etcd to die", func(context.Context) error {
				return refuses(peer)
			})
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir); err == nil && sig != syscall.SIGKILL {
				t.Errorf("%s is still there", dir)
			}
		})
	}
}

func abandon(t *testing.T, sig syscall.Signal) (peer, dir string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAbandon$", "-test.v")
	// Where SIGKILL leaves temporary files, they go with this test.
	cmd.Env = append(os.Environ(), abandonEnv+"=yes", "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	peer, dir = readAbandoned(t, out)
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	return peer, dir
}

func readAbandoned(t *testing.T, out io.Reader) (peer, dir string) {
	t.Helper()
	var seen bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(out, &seen))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "ABANDON" {
			return fields[1], fields[2]
		}
	}
	t.Fatalf("the other process did not come that far: %s", seen.String())
	return "", ""
}

// refuses wants the port closed: of a frozen process it is open.
func refuses(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%s still accepts connections", addr)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}
