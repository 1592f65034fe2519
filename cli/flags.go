package cli

import (
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) text(name, value, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Value: value, Usage: usage, Sources: a.env(name)}
}

// printFlags are those of the default command alone.
func (a *app) printFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "o", Value: "env", Usage: "the output `format` out of: env, dropin, flags, json", Local: true},
		&cli.BoolFlag{Name: "export", Usage: "with -o env: put export before each line", Sources: a.env("export"), Local: true},
		&cli.StringFlag{Name: "requires", Value: "yes", Usage: "with -o dropin: require elastic-etcd.service, `yes|no`", Sources: a.env("requires"), Local: true},
	}
}

// defaultPeerURL is etcd's own default: it tells nothing of this host.
const defaultPeerURL = "http://localhost:2380"

// decisionFlags are what a decision depends on. The first ones, with their
// defaults and variables, are those of the tool of 2016.
func (a *app) decisionFlags() []cli.Flag {
	return append(a.sourceFlags(), []cli.Flag{
		a.text("join-strategy", string(joiner.Replace), "the `strategy` to join: prepare, add, replace, prune"),
		&cli.IntFlag{Name: "client-port", Value: 2379, Usage: "the etcd client `port` of peers of which only the peer URL is known", Sources: a.env("client-port")},
		&cli.IntFlag{Name: "cluster-size", Value: joiner.SizeOfDiscovery, Usage: "the maximum `number` of voters; -1: the size of the discovery url, 0: no limit", Sources: a.env("cluster-size")},
		a.text("data-dir", "", "the etcd data `directory` (default: NAME.etcd)"),
		a.text("name", "", "the cluster-unique node `name`"),
		a.text("initial-advertise-peer-urls", defaultPeerURL, "the advertised peer `urls` of this instance, separated by commas"),

		a.text("wal-dir", "", "the etcd WAL `directory`, if etcd is given one"),
		a.text("endpoints", "", "client `urls` of running members, separated by commas"),
		a.text("cacert", "", "CA `file` to verify https client urls and the discovery service with"),
		a.text("cert", "", "certificate `file` to show to https client urls and the discovery service"),
		a.text("key", "", "key `file` of -cert"),
		a.text("peer-trusted-ca-file", "", "CA `file` for https peer urls (default: -cacert)"),
		a.text("peer-cert-file", "", "certificate `file` for https peer urls (default: -cert)"),
		a.text("peer-key-file", "", "key `file` of -peer-cert-file (default: -key)"),
		a.text("user", "", "`name` of an etcd user with the role root, where the cluster has auth on"),
		a.text("password-file", "", "`file` with the password of -user (or the variable ELASTIC_ETCD_PASSWORD)"),
		a.text("etcd-binary", "", "the etcd `file` of this host, asked for its version (default: the program that the unit starts, or etcd or etcd2 on PATH)"),
		a.text("etcd-version", "", "the `version` of this host's etcd, or any to join without knowing it"),
		a.text("learner", string(joiner.LearnerAuto), "join as a learner first: `auto|always|never`; auto: where elastic-etcd promote follows, and as the second member"),
		a.text("stale-data", "archive", "what to do with the data of a member that the cluster removed: `archive|refuse`"),
		&cli.DurationFlag{Name: "dead-after", Value: time.Minute, Usage: "how long a member must be silent and stalled to be dead", Sources: a.env("dead-after")},
		&cli.DurationFlag{Name: "timeout", Value: 5 * time.Minute, Usage: "how long to wait for others in all", Sources: a.env("timeout")},
	}...)
}

// loggingFlags are glog's, which the tool of 2016 had. Those without a
// meaning any more are accepted and hidden.
func loggingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "v", Usage: "log `level`: 0 decisions, 2 what was seen, 6 everything"},
		&cli.StringFlag{Name: "log_dir", Usage: "write the log to elastic-etcd.log in this `directory` as well"},
		&cli.StringFlag{Name: "stderrthreshold", Value: "INFO", Hidden: true},
		&cli.BoolFlag{Name: "logtostderr", Hidden: true},
		&cli.BoolFlag{Name: "alsologtostderr", Hidden: true},
		&cli.StringFlag{Name: "vmodule", Hidden: true},
		&cli.StringFlag{Name: "log_backtrace_at", Value: ":0", Hidden: true},
	}
}
