package discovery

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// zone are the SRV records of a fake DNS server, as "target port", by their
// names. One of which it has "broken" is answered with SERVFAIL, "refused" with
// REFUSED, and "empty" with no records.
type zone map[string][]string

// serve answers on a UDP port until the test is over.
func (z zone) serve(t *testing.T) (addr string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			conn.WriteTo(z.answer(query[:n]), from)
		}
	}()
	return conn.LocalAddr().String()
}

// answer is a reply with the question and the records (RFC 1035, RFC 2782).
func (z zone) answer(query []byte) []byte {
	const header = 12
	end := header
	var labels []string
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	end += 5 // the root, the type and the class
	records, exists := z[strings.ToLower(strings.Join(labels, "."))]
	m := append([]byte{query[0], query[1], 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end]...)
	switch {
	case !exists:
		m[3] = 3 // NXDOMAIN
	case records[0] == "broken":
		m[3] = 2 // SERVFAIL
	case records[0] == "refused":
		m[3] = 5 // REFUSED
	case records[0] == "empty": // NODATA
	default:
		m[7] = byte(len(records))
		for _, r := range records {
			m = append(m, srvRecord(r)...)
		}
	}
	return m
}

func srvRecord(text string) []byte {
	target, port, _ := strings.Cut(text, " ")
	n, _ := net.LookupPort("udp", port)
	data := binary.BigEndian.AppendUint16([]byte{0, 0, 0, 0}, uint16(n))
	for _, label := range strings.FieldsFunc(target, func(r rune) bool { return r == '.' }) {
		data = append(append(data, byte(len(label))), label...)
	}
	data = append(data, 0)
	m := []byte{0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 1} // of the name in the question
	return append(binary.BigEndian.AppendUint16(m, uint16(len(data))), data...)
}

// newZoned are the records of x.test.
func newZoned(t *testing.T, z zone) *SRV {
	t.Helper()
	s, err := NewSRV(SRVConfig{Domain: "x.test", Server: z.serve(t), Token: "t", Name: "n1", PeerURLs: []string{"http://n1.x.test:2380"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
