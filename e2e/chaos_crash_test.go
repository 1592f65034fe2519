package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"golang.org/x/net/http2/hpack"
)

// boundary is a point in a run of elastic-etcd: it sends some request, or some
// packets after it.
type boundary struct {
	request string
	after   int
	arrive  bool // the packet still arrives, and its answer finds nobody
}

// requests are those that change something.
var requests = []string{"claim", "remove", "add"}

// packet is how to know them, in plain HTTP and in the compressed headers of
// gRPC.
func packet(request, version string) []byte {
	if strings.HasPrefix(version, "2.") {
		return []byte(map[string]string{
			"claim": "PUT /v2/keys/_elastic-etcd", "remove": "DELETE /v2/members", "add": "POST /v2/members",
		}[request])
	}
	return hpack.AppendHuffmanString(nil, map[string]string{
		"claim": "/etcdserverpb.Lease/LeaseGrant", "remove": "/etcdserverpb.Cluster/MemberRemove", "add": "/etcdserverpb.Cluster/MemberAdd",
	}[request])
}

func boundaries() []boundary {
	packets := 3
	if long() {
		packets = 12
	}
	var list []boundary
	for _, request := range requests {
		list = append(list, boundary{request, 0, false})
		for after := range packets {
			list = append(list, boundary{request, after, true})
		}
	}
	return list
}

// TestCrash kills elastic-etcd (kill -9) at all boundaries of a join that also
// removes a member, and runs it again: on the same host, or on another one. It
// ends as if nothing had happened.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		for _, sameHost := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/same host %t", version, sameHost), func(t *testing.T) {
				s, n := newNetSite(t, 3)
				c := &crash{site: s, n: n, hosts: s.lab.Hosts(2, version), sameHost: sameHost}
				s.lab.Found(c.hosts...)
				for _, b := range boundaries() {
					c.at(b)
				}
				t.Logf("killed at %d boundaries: %d when the old entry was removed and the new one not there, %d when it was", c.killed, c.removed, c.added)
				if c.killed < 6 || c.removed == 0 || c.added == 0 {
					t.Fatal("this proves nothing")
				}
			})
		}
	}
}

type crash struct {
	*site
	n        *cluster.Net
	hosts    []*cluster.Host // the two members that stay
	sameHost bool

	killed, removed, added int // how far the killed ones came
}

func (c *crash) at(b boundary) {
	c.Helper()
	gone := c.lab.Host(c.hosts[0].Version) // never starts: there is always somebody to remove
	c.n.Port(gone)                         // refuses connections
	c.hosts[0].Add(gone.PeerURL())
	fresh := c.lab.Host(c.hosts[0].Version)
	first := c.killedAt(fresh, b)
	c.wantQuorum(c.hosts...)
	c.count(first, fresh, gone)
	if first.Code >= 0 && first.Code != 75 { // it sends no such packet
		c.want(first, 0, "join-listed")
	}
	if c.sameHost {
		// What the kernel still sends for a dead process arrives, too.
		c.n.Inspect(c.n.Port(fresh), nil)
	} else {
		c.intentRunsOut(c.hosts[0])
		fresh = c.lab.Host(fresh.Version)
	}
	c.want(c.joined(fresh), 0, "join-listed")
	c.allSent(fresh)
	c.endsWell(fresh, b)
}

// allSent waits until nothing more can come of the killed run. That takes
// seconds, in which an intent stands against anybody else's change, and nobody
// but this test removes a member that has just been added.
func (c *crash) allSent(h *cluster.Host) {
	c.Helper()
	c.lab.WaitFor("the kernel to have sent all", func(context.Context) error {
		n, err := c.n.Port(h).Sending()
		if err == nil && n > 0 {
			err = fmt.Errorf("%d connections of %s have more to send", n, h.Name)
		}
		return err
	})
}

func (c *crash) join(h *cluster.Host) *cluster.Running {
	c.Helper()
	return c.start(h, at(c.hosts), "-discovery=", "-dead-after=1s") // nobody says how many members there are to be
}

// joined tries again where there is reason to, as systemd does: a busy machine
// keeps its leader for no second.
func (c *crash) joined(h *cluster.Host) (r cluster.Result) {
	c.Helper()
	for range 5 {
		if r = c.join(h).Wait(); r.Code != 75 {
			break
		}
	}
	return r
}

// killedAt runs elastic-etcd and kills it at the boundary.
func (c *crash) killedAt(h *cluster.Host, b boundary) cluster.Result {
	c.Helper()
	ready := make(chan struct{})
	var run *cluster.Running
	wanted, passed := packet(b.request, h.Version), -1
	c.n.Inspect(c.n.Port(h), func(payload []byte) bool {
		if passed < 0 && !bytes.Contains(payload, wanted) {
			return true
		}
		if passed++; passed >= b.after {
			<-ready
			_ = syscall.Kill(run.Pid(), syscall.SIGKILL)
		}
		return passed < b.after || passed == b.after && b.arrive
	})
	run = c.join(h)
	close(ready)
	return run.Wait()
}

func (c *crash) count(r cluster.Result, fresh, gone *cluster.Host) {
	c.Helper()
	list := c.hosts[0].Membership()
	_, old := list.Of(gone)
	_, listed := list.Of(fresh)
	switch {
	case r.Code >= 0:
		return
	case listed:
		c.added++
	case !old:
		c.removed++
	}
	c.killed++
}

// endsWell checks the members, and takes the newcomer away again.
func (c *crash) endsWell(fresh *cluster.Host, b boundary) {
	c.Helper()
	list := c.hosts[0].Membership()
	m, listed := list.Of(fresh)
	if !listed || len(list.Members) != 3 {
		c.Fatalf("after %+v the members are %+v", b, list.Members)
	}
	c.wantQuorum(c.hosts...)
	c.hosts[0].Remove(m.ID)
	c.intentRunsOut(c.hosts[0])
}

// intentRunsOut deletes the intent, as the end of its lease does.
func (s *site) intentRunsOut(h *cluster.Host) {
	s.Helper()
	const key = "_elastic-etcd/intent"
	s.lab.WaitFor("the intent to go", func(ctx context.Context) error {
		if !strings.HasPrefix(h.Version, "2.") {
			_, err := h.Client().Delete(ctx, key)
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.ClientURL()+"/v2/keys/"+key, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return err
	})
}
