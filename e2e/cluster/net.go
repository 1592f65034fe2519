package cluster

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/sttts/elastic-etcd/e2e/netns"
)

// Net is a Lab in which each host is in a network namespace of its own, at the
// same loopback address that it has in any Lab, behind a switch that cuts,
// drops and delays. The test itself, and the discovery service, look at the
// hosts from a port that nobody cuts by accident.
type Net struct {
	*Lab
	*netns.Switch
	Observer *netns.Port

	ports     map[string]*netns.Port // by the host's name
	wanted    chan portRequest
	listeners []net.Listener
}

type portRequest struct {
	name string
	port chan *netns.Port
	err  chan error
}

// NewNet makes such a Lab; see netns.Need. The discovery service has to be the
// first thing started in it.
func NewNet(t T) *Net {
	t.Helper()
	n := &Net{Lab: &Lab{}, Switch: netns.NewSwitch(), ports: map[string]*netns.Port{}, wanted: make(chan portRequest)}
	t.Cleanup(n.closeNet) // runs after the Lab's own, when all processes are gone
	n.Lab = New(t)
	n.Lab.launcher.close()
	n.Lab.launcher = &launcher{starts: make(chan launch)}
	var err error
	if n.Observer, err = n.plug(n.subnet.addr(1), discoveryPort); err != nil {
		t.Fatalf("make a network: %v", err)
	}
	go n.launch(n.Lab.launcher.starts)
	return n
}

// closeNet ends the network.
func (n *Net) closeNet() {
	for _, l := range n.listeners {
		l.Close()
	}
	n.Switch.Close()
}

// Port is the host's place in the network.
func (n *Net) Port(h *Host) *netns.Port {
	n.t.Helper()
	r := portRequest{h.Name, make(chan *netns.Port, 1), make(chan error, 1)}
	n.wanted <- r
	if err := <-r.err; err != nil {
		n.t.Fatalf("connect %s: %v", h.Name, err)
	}
	return <-r.port
}

// launch does everything with ports, so that they need no lock. A process is
// started where the folder that it runs in says.
func (n *Net) launch(starts chan launch) {
	for {
		select {
		case s, more := <-starts:
			if !more {
				return
			}
			s.err <- n.start(s)
		case r := <-n.wanted:
			port, err := n.port(r.name)
			r.port <- port
			r.err <- err
		}
	}
}

func (n *Net) start(s launch) error {
	port, err := n.port(filepath.Base(s.cmd.Dir))
	if err != nil {
		return err
	}
	return port.Do(s.cmd.Start)
}

// port connects a host when it is used for the first time.
func (n *Net) port(name string) (*netns.Port, error) {
	number, isHost := strings.CutPrefix(name, "host")
	if !isHost {
		return n.Observer, nil
	}
	if port := n.ports[name]; port != nil {
		return port, nil
	}
	var host int
	if _, err := fmt.Sscan(number, &host); err != nil {
		return nil, fmt.Errorf("find the address of %s: %w", name, err)
	}
	port, err := n.plug(n.subnet.addr(host), fmt.Sprint(clientPort), fmt.Sprint(peerPort))
	n.ports[name] = port
	return port, err
}

// plug makes a port, and lets this process reach its TCP ports at the same
// address outside.
func (n *Net) plug(addr string, tcp ...string) (*netns.Port, error) {
	port, err := n.Plug(addr)
	if err != nil {
		return nil, err
	}
	if n.Observer == nil {
		n.Observer = port
	}
	for _, p := range tcp {
		l, err := net.Listen("tcp", net.JoinHostPort(addr, p))
		if err != nil {
			return nil, fmt.Errorf("connect %s to the test: %w", addr, err)
		}
		n.listeners = append(n.listeners, l)
		go n.Observer.Forward(l)
	}
	return port, nil
}
