package netns

import (
	"io"
	"net"
	"time"
)

// dialTimeout is shorter than any wait of a test.
const dialTimeout = 3 * time.Second

// Dial connects from inside the namespace.
func (p *Port) Dial(addr string) (net.Conn, error) {
	var c net.Conn
	err := p.visit(func() (err error) {
		c, err = net.DialTimeout("tcp", addr, dialTimeout)
		return err
	})
	return c, err
}

// Forward lets the rest of this process connect to a host in the network: what
// it accepts goes, from the port, to the same address inside.
func (p *Port) Forward(l net.Listener) {
	for {
		outside, err := l.Accept()
		if err != nil {
			return
		}
		go p.join(outside, l.Addr().String())
	}
}

func (p *Port) join(outside net.Conn, addr string) {
	defer outside.Close()
	inside, err := p.Dial(addr)
	if err != nil {
		return
	}
	defer inside.Close()
	ended := make(chan struct{}, 2)
	go pump(inside, outside, ended)
	go pump(outside, inside, ended)
	<-ended
}

func pump(to, from net.Conn, ended chan<- struct{}) {
	_, _ = io.Copy(to, from)
	ended <- struct{}{}
}
