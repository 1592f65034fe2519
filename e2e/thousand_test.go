package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/discovery"
	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/joiner"
)

// A thousand hosts, in clusters of ten that share a token of five.
const (
	thousand     = 1000
	thousandSize = 5
	perToken     = 10
)

// TestThousandHosts boots a thousand hosts at once: the real service, the real
// client, the real decision; only disk and etcd are left out. Every token has
// exactly its founders with one list, and the surplus is told to wait.
func TestThousandHosts(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	disco := lab.StartDiscovery()
	meter := newMeter(t, strings.TrimPrefix(disco.URL, "http://"))
	var boots sync.WaitGroup
	start := time.Now()
	for i := range thousand / perToken {
		token := strings.Replace(disco.NewToken(thousandSize), disco.URL, "http://"+meter.addr, 1)
		boots.Go(func() { bootTogether(t, i, token) })
	}
	boots.Wait()
	t.Logf("%d hosts, %d founders: %s in all, %d bytes a host", thousand, thousand/perToken*thousandSize, time.Since(start).Round(time.Millisecond), meter.bytes.Load()/thousand)
}

// bootTogether boots the hosts of one token. One of the surplus ends when it
// is told that it has to wait.
func bootTogether(t *testing.T, nth int, token string) {
	plans := make(chan joiner.Plan, perToken)
	for i := range perToken {
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			plan, err := joiner.Run(ctx, thousandPolicy(nth, i), newThousandHost(t, token, cancel))
			if err != nil {
				t.Error(err)
			}
			plans <- plan
		}()
	}
	var founded []joiner.Plan
	for range perToken {
		switch plan := <-plans; plan.Reason {
		case joiner.Found:
			founded = append(founded, plan)
		case joiner.ClusterUnreachable: // its founders have registered, none answers yet
		default:
			t.Errorf("%s: a host ends with %s: %s", token, plan.Reason, plan.Text)
		}
	}
	wantOneList(t, token, founded)
}

func wantOneList(t *testing.T, token string, founded []joiner.Plan) {
	if len(founded) != thousandSize {
		t.Errorf("%s: %d founders", token, len(founded))
		return
	}
	for _, plan := range founded {
		c, first := plan.Config, founded[0].Config
		if c.InitialClusterState != joiner.StateNew || c.InitialClusterToken != token || len(c.InitialCluster) != thousandSize ||
			!reflect.DeepEqual(c.InitialCluster, first.InitialCluster) {
			t.Errorf("%s: two founders are told %v and %v", token, c, first)
		}
	}
}

func thousandPolicy(nth, i int) joiner.Policy {
	return joiner.Policy{
		Name: fmt.Sprintf("n%d", i), PeerURLs: []string{fmt.Sprintf("http://10.%d.0.%d:2380", nth, i+1)}, DataDir: "data",
		Strategy: joiner.Replace, Size: joiner.SizeOfDiscovery, DeadAfter: joiner.Duration(time.Minute),
	}
}

// thousandHost is a host whose disk is in memory and which nobody's etcd answers.
type thousandHost struct {
	source *discovery.V2
	disk   joiner.Disk
	told   func() // to wait
}

func newThousandHost(t *testing.T, token string, told func()) *thousandHost {
	source, err := discovery.NewV2(token, discovery.Config{})
	if err != nil {
		t.Error(err)
	}
	return &thousandHost{source: source, disk: joiner.Disk{State: joiner.DiskFresh}, told: told}
}

func (h *thousandHost) Observe(ctx context.Context) (joiner.Observation, error) {
	return joiner.Observation{Disk: h.disk, Discovery: h.source.Look(ctx)}, nil
}

func (h *thousandHost) Do(ctx context.Context, plan joiner.Plan) error {
	switch plan.Step {
	case joiner.StepRecord:
		id, err := joiner.ParseID(plan.Entry.Key)
		h.disk.Record = &joiner.Record{Token: h.source.Look(ctx).Token, MemberID: id}
		return err
	case joiner.StepRegister:
		return h.source.Register(ctx, *plan.Entry)
	}
	return fmt.Errorf("step %s before there is a cluster", plan.Step)
}

func (h *thousandHost) Report(plan joiner.Plan) {
	if plan.Reason == joiner.ClusterUnreachable {
		h.told()
	}
}

// Write counts.
func (m *meter) Write(b []byte) (int, error) {
	m.bytes.Add(int64(len(b)))
	return len(b), nil
}

// meter passes connections on and counts what goes through them.
type meter struct {
	addr  string
	bytes atomic.Int64
}

func newMeter(t *testing.T, to string) *meter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := &meter{addr: l.Addr().String()}
	go m.serve(l, to)
	return m
}

func (m *meter) serve(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go m.pass(in, to)
	}
}

func (m *meter) pass(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(io.MultiWriter(pair[1], m), pair[0])
			done <- struct{}{}
		}()
	}
	<-done
}
