package machine

import (
	"fmt"
	"os/exec"
	"strings"
)

// network is a private network namespace with a switch in it. The machines'
// links hang on it; nothing leads out.
type network struct{ holder *exec.Cmd }

func newNetwork(s *starter) (*network, error) {
	holder := exec.Command("unshare", "--net", "--", "sleep", "infinity")
	if err := s.start(holder); err != nil {
		return nil, fmt.Errorf("make a network: %w", err)
	}
	n := &network{holder}
	if err := waitFor("the network namespace", func() error { return differs(holder.Process.Pid, "net") }); err != nil {
		return nil, err
	}
	return n, n.run("ip link add switch type bridge && ip link set switch up && ip link set lo up")
}

// plug connects a machine by its PID 1, with an address.
func (n *network) plug(pid int, name, addr string) error {
	if err := n.run(fmt.Sprintf("ip link add %s type veth peer name eth0 netns %d && ip link set %s master switch up", name, pid, name)); err != nil {
		return err
	}
	return nsenter(pid, "-n").run("ip link set lo up && ip addr add " + addr + "/24 dev eth0 && ip link set eth0 up && ip route add default via 10.99.0.254")
}

func (n *network) run(script string) error { return nsenter(n.holder.Process.Pid, "-n").run(script) }

func (n *network) close() {
	_ = n.holder.Process.Kill()
	_ = n.holder.Wait()
}

// inside is a way into the namespaces of a process.
type inside []string

func nsenter(pid int, namespaces ...string) inside {
	return append(append(inside{"nsenter", "-t", fmt.Sprint(pid)}, namespaces...), "--")
}

func (in inside) command(argv ...string) *exec.Cmd {
	all := append(append([]string{}, in...), argv...)
	return exec.Command(all[0], all[1:]...)
}

func (in inside) run(script string) error {
	out, err := in.command("sh", "-ec", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, strings.TrimSpace(string(out)))
	}
	return nil
}
