package netns

import (
	"bufio"
	"os"
	"strings"
)

// sent are the states of a TCP socket that has nothing more to send, as
// /proc/net/tcp has them: FIN_WAIT2, TIME_WAIT, CLOSE, LISTEN.
const sent = "05 06 07 0A"

// Sending counts the TCP connections from the namespace that still have
// something to send: the kernel does so for processes that are gone, too.
func (p *Port) Sending() (n int, err error) {
	err = p.visit(func() error {
		table, err := os.Open("/proc/thread-self/net/tcp")
		if err != nil {
			return err
		}
		defer table.Close()
		lines := bufio.NewScanner(table)
		for lines.Scan() {
			if columns := strings.Fields(lines.Text()); len(columns) > 3 && columns[3] != "st" && !strings.Contains(sent, columns[3]) {
				n++
			}
		}
		return lines.Err()
	})
	return n, err
}
