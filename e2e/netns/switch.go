package netns

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// Switch connects ports. What it does to the frames from one to another is a
// Link; there are none at first.
type Switch struct {
	mu    sync.Mutex
	ports []*Port
	links map[[2]*Port]Link
}

// Link is what happens to frames in one direction; the zero value is a good
// connection.
type Link struct {
	Loss  float64 // 1 is a cut: silence, not a refused connection
	Delay time.Duration
}

// Cut lets nothing through.
var Cut = Link{Loss: 1}

// Port is a host's namespace, and its card in the switch.
type Port struct {
	*Namespace
	Addr string

	tap     *os.File
	mac     net.HardwareAddr
	inspect func(payload []byte) (pass bool) // with the switch's lock
}

// NewSwitch makes a switch without ports.
func NewSwitch() *Switch { return &Switch{links: map[[2]*Port]Link{}} }

// Plug makes a namespace with this address in a /24. Loopback addresses can be
// used, too: those of the namespace's own loopback end with 127.0.0.1.
func (s *Switch) Plug(addr string) (*Port, error) {
	n, err := newNamespace()
	if err != nil {
		return nil, err
	}
	p := &Port{Namespace: n, Addr: addr}
	if err := p.wire(); err != nil {
		n.close()
		return nil, err
	}
	s.mu.Lock()
	s.ports = append(s.ports, p)
	s.mu.Unlock()
	go s.serve(p)
	return p, nil
}

func (p *Port) wire() (err error) {
	if p.tap, p.mac, err = openTap(p.Namespace); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"ipv4/conf/all/route_localnet": "1", // let 127.0.0.0/8 out to the switch
		"ipv6/conf/all/disable_ipv6":   "1",
	} {
		if err := p.sysctl(key, value); err != nil {
			return err
		}
	}
	return p.ip(
		"addr add 127.0.0.1/32 dev lo", // and not /8, which the kernel would give it
		"link set lo up",
		"addr add "+p.Addr+"/24 dev "+device,
		fmt.Sprintf("link set %s mtu %d up", device, mtu))
}

// Set changes one direction.
func (s *Switch) Set(from, to *Port, l Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[[2]*Port{from, to}] = l
}

// Both changes both directions.
func (s *Switch) Both(a, b *Port, l Link) {
	s.Set(a, b, l)
	s.Set(b, a, l)
}

// Around changes everything to and from a port, except with some.
func (s *Switch) Around(p *Port, l Link, except ...*Port) {
	s.Into(p, l, except...)
	s.OutOf(p, l, except...)
}

// Into changes everything to a port, except from some.
func (s *Switch) Into(p *Port, l Link, except ...*Port) {
	for _, other := range s.others(p, except) {
		s.Set(other, p, l)
	}
}

// OutOf changes everything from a port, except to some.
func (s *Switch) OutOf(p *Port, l Link, except ...*Port) {
	for _, other := range s.others(p, except) {
		s.Set(p, other, l)
	}
}

func (s *Switch) others(p *Port, except []*Port) []*Port {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*Port
	for _, other := range s.ports {
		if other != p && !slices.Contains(except, other) {
			list = append(list, other)
		}
	}
	return list
}

// Inspect calls f, unless it is nil, with what the port sends over TCP, and
// loses what f does not want to pass.
func (s *Switch) Inspect(p *Port, f func(payload []byte) (pass bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.inspect = f
}

// Heal makes all links good again.
func (s *Switch) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.links)
}

// Close ends the network, after the processes in it.
func (s *Switch) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		p.tap.Close()
		p.Namespace.close()
	}
}

// serve forwards what a port sends until its card is closed.
func (s *Switch) serve(from *Port) {
	buffer := make([]byte, 65536)
	for {
		n, err := from.tap.Read(buffer)
		if err != nil {
			return
		}
		for _, h := range s.route(from, buffer[:n]) {
			h.deliver(buffer[:n])
		}
	}
}

// hop is one delivery of a frame.
type hop struct {
	to    *Port
	delay time.Duration
}

func (s *Switch) route(from *Port, frame []byte) []hop {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data := payload(frame); from.inspect != nil && len(data) > 0 && !from.inspect(data) {
		return nil
	}
	var hops []hop
	for _, to := range s.ports {
		l := s.links[[2]*Port{from, to}]
		if to == from || !to.wants(frame) || l.loses(frame) {
			continue
		}
		hops = append(hops, hop{to, l.Delay})
	}
	return hops
}

// payload is what a frame carries over TCP.
func payload(frame []byte) []byte {
	const ethernet, tcp = 14, 6
	if len(frame) < 54 || frame[12] != 0x08 || frame[13] != 0 || frame[ethernet+9] != tcp {
		return nil
	}
	packet := frame[ethernet:]
	packet = packet[:min(len(packet), int(packet[2])<<8|int(packet[3]))]
	segment := packet[min(len(packet), int(packet[0]&15)*4):]
	if len(segment) < 20 {
		return nil
	}
	return segment[min(len(segment), int(segment[12]>>4)*4):]
}

// loses rolls the dice. ARP is answered in any case: a host that nobody finds
// is "no route to host" soon, and a cut is silence, as behind a firewall.
func (l Link) loses(frame []byte) bool {
	arp := frame[12] == 0x08 && frame[13] == 0x06
	return l.Loss > 0 && !arp && rand.Float64() < l.Loss
}

// wants says whether the frame is for the port, or for all.
func (p *Port) wants(frame []byte) bool {
	return len(frame) >= 14 && (frame[0]&1 == 1 || bytes.Equal(frame[:6], p.mac))
}

// deliver may lose the frame where the host does not keep up, as a card does.
func (h hop) deliver(frame []byte) {
	if h.delay == 0 {
		_, _ = h.to.tap.Write(frame)
		return
	}
	late := bytes.Clone(frame)
	time.AfterFunc(h.delay, func() { _, _ = h.to.tap.Write(late) })
}
