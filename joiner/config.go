package joiner

import "strings"

// States of a cluster as etcd's --initial-cluster-state spells them.
const (
	StateNew      = "new"
	StateExisting = "existing"
)

// EtcdConfig is what etcd is told: the result of a decision, before it is
// rendered for a shell, a unit or a command line.
type EtcdConfig struct {
	Name                     string
	DataDir                  string
	WALDir                   string // "" = below the data dir
	InitialAdvertisePeerURLs []string
	InitialCluster           []Peer // empty when etcd resumes from its data dir
	InitialClusterState      string // StateNew or StateExisting
	InitialClusterToken      string // only when founding
}

// Peer is one "name=url[,name=url]" entry of an initial cluster.
type Peer struct {
	Name string   `json:"name"`
	URLs []string `json:"urls"`
}

// String gives the peer as etcd writes it into --initial-cluster.
func (p Peer) String() string {
	pairs := make([]string, len(p.URLs))
	for i, u := range p.URLs {
		pairs[i] = p.Name + "=" + u
	}
	return strings.Join(pairs, ",")
}

// Setting is one etcd setting under the name of its flag, such as "data-dir".
type Setting struct{ Flag, Value string }

// Settings lists what is set, in a fixed order. A setting that etcd is not
// told is absent: since etcd 3.4 even an empty variable is a setting.
func (c EtcdConfig) Settings() []Setting {
	all := []Setting{
		{"name", c.Name},
		{"data-dir", c.DataDir},
		{"wal-dir", c.WALDir},
		{"initial-advertise-peer-urls", strings.Join(c.InitialAdvertisePeerURLs, ",")},
		{"initial-cluster", initialCluster(c.InitialCluster)},
		{"initial-cluster-state", c.InitialClusterState},
		{"initial-cluster-token", c.InitialClusterToken},
	}
	set := all[:0]
	for _, s := range all {
		if s.Value != "" {
			set = append(set, s)
		}
	}
	return set
}

func initialCluster(peers []Peer) string {
	entries := make([]string, len(peers))
	for i, p := range peers {
		entries[i] = p.String()
	}
	return strings.Join(entries, ",")
}
