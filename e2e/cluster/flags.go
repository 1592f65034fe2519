package cluster

import "strings"

// MachineFlags is what an admin tells etcd about the machine and what no tool
// has to find out: where to listen, and the certificates.
func (h *Host) MachineFlags() []string {
	flags := []string{
		"--listen-client-urls=" + h.ClientURL(),
		"--advertise-client-urls=" + h.ClientURL(),
		"--listen-peer-urls=" + h.PeerURL(),
	}
	if h.certs == nil {
		return flags
	}
	return append(flags,
		"--cert-file="+h.certs.Cert, "--key-file="+h.certs.Key,
		"--trusted-ca-file="+h.certs.CA, "--client-cert-auth",
		"--peer-cert-file="+h.certs.Cert, "--peer-key-file="+h.certs.Key,
		"--peer-trusted-ca-file="+h.certs.CA, "--peer-client-cert-auth")
}

// IdentityFlags are the host's own name, disk and peer URL, spelled the way
// both etcd and elastic-etcd take them.
func (h *Host) IdentityFlags() []string {
	return []string{
		"--name=" + h.Name,
		"--data-dir=" + h.DataDir,
		"--initial-advertise-peer-urls=" + h.AdvertisedURL(),
	}
}

// InitialCluster is the hosts as etcd's --initial-cluster lists them.
func InitialCluster(hosts ...*Host) string {
	var list []string
	for _, h := range hosts {
		list = append(list, h.Name+"="+h.AdvertisedURL())
	}
	return strings.Join(list, ",")
}

// Found starts etcd on all hosts as a new cluster with static flags, without
// elastic-etcd, and waits until it is healthy.
func (l *Lab) Found(hosts ...*Host) {
	l.t.Helper()
	for _, h := range hosts {
		h.Start(append(h.IdentityFlags(),
			"--initial-cluster="+InitialCluster(hosts...),
			"--initial-cluster-state=new",
			"--initial-cluster-token=static")...)
	}
	l.WaitHealthy(len(hosts), hosts...)
}

// Resume starts etcd on a host that has its data, and nothing else told.
func (h *Host) Resume() {
	h.lab.t.Helper()
	h.Start(h.IdentityFlags()...)
}
