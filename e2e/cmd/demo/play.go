package main

import (
	"fmt"
	"strings"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// stage is the lab of the demo and the discovery URL all hosts share.
type stage struct {
	cluster.T
	lab    *cluster.Lab
	token  string
	binary string // etcd
}

func newStage(t cluster.T) *stage {
	binary, err := etcds.Binary(version)
	if err != nil {
		t.Fatalf("%w", err)
	}
	return &stage{T: t, lab: cluster.New(t), binary: binary}
}

func (s *stage) play() {
	s.discover()
	hosts := s.found(s.lab.Hosts(3, version))
	s.write(hosts[0])
	fresh := s.replace(hosts)
	s.surplus()
	s.read(fresh)
	s.table(fresh)
	title("that was it: everything that was started is stopped, its files are gone")
}

func (s *stage) discover() {
	title("1. a discovery service of our own, one process and one file")
	d := s.lab.StartDiscovery()
	host := strings.TrimPrefix(d.URL, "http://")
	command("elastic-etcd discovery serve --listen %s --data discovery.db &", host)
	command("elastic-etcd discovery new --server %s --size 3", d.URL)
	r := s.lab.Elastic("discovery", "new", "--server", d.URL, "--size", "3")
	s.must(r)
	s.token = strings.TrimSpace(r.Stdout)
	output(s.token)
}

// found boots three hosts at the same time.
func (s *stage) found(hosts []*cluster.Host) []*cluster.Host {
	title("2. three hosts boot at once and found a cluster of etcd %s", version)
	var runs []*cluster.Running
	for _, h := range hosts {
		s.showCommand(h)
		runs = append(runs, h.ElasticStart(s.flags()...))
	}
	for i, run := range runs {
		r := run.Wait()
		s.must(r)
		hosts[i].StartWith(r.Stdout)
		decided(r)
		output(r.Stdout)
	}
	s.lab.WaitHealthy(len(hosts), hosts...)
	return hosts
}

func (s *stage) write(h *cluster.Host) {
	title("3. a key is written")
	command("etcdctl --endpoints=%s put city Heidelberg", h.ClientURL())
	h.Put("city", "Heidelberg")
}

// replace loses one host for good and boots a fresh one.
func (s *stage) replace(hosts []*cluster.Host) *cluster.Host {
	victim := hosts[1]
	title("4. %s is lost for good, a fresh host boots with the same discovery URL", victim.Name)
	command("kill -9 %d  # etcd on %s", victim.Etcd().Pid(), victim.Name)
	victim.Kill()
	fresh := s.lab.Host(version)
	command("elastic-etcd plan %s", strings.Join(s.shown(fresh), " "))
	plan := s.lab.Elastic(append(append([]string{"plan"}, fresh.IdentityFlags()...), s.flags()[1:]...)...)
	s.must(plan)
	output(plan.Stdout)
	s.showCommand(fresh)
	r := fresh.Elastic(s.flags()...)
	s.must(r)
	decided(r)
	output(r.Stdout)
	fresh.StartWith(r.Stdout)
	s.lab.WaitHealthy(3, hosts[0], hosts[2], fresh)
	return fresh
}

// surplus shows a refusal.
func (s *stage) surplus() {
	title("5. one more host boots: the cluster is full and nobody is dead, so it is refused")
	h := s.lab.Host(version)
	s.showCommand(h)
	r := h.Elastic(s.flags()...)
	decided(r)
	fmt.Printf("    exit code %d\n", r.Code)
	if r.Code != 75 {
		s.Fatalf("a full cluster is refused with 75: %s", r)
	}
}

func (s *stage) read(h *cluster.Host) {
	title("6. the key is there, on the fresh host too")
	command("etcdctl --endpoints=%s get city", h.ClientURL())
	if got := h.Get("city"); got != "Heidelberg" {
		s.Fatalf("the key is lost: %q", got)
	}
	output("city\nHeidelberg")
}

func (s *stage) table(h *cluster.Host) {
	title("7. the members")
	fmt.Printf("    %-16s  %-8s  %-26s  %s\n", "ID", "NAME", "PEER URL", "CLIENT URL")
	for _, m := range h.Members() {
		fmt.Printf("    %-16x  %-8s  %-26s  %s\n", m.ID, m.Name, strings.Join(m.PeerURLs, " "), strings.Join(m.ClientURLs, " "))
	}
}

// flags are what each host is given besides its own name, disk and address.
func (s *stage) flags() []string {
	return []string{"-o=flags", "-discovery=" + s.token, "-etcd-binary=" + s.binary, window}
}

func (s *stage) must(r cluster.Result) {
	if r.Code != 0 {
		s.Fatalf("elastic-etcd failed: %s", r)
	}
}
