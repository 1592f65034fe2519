package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/datadir"
	"github.com/sttts/elastic-etcd/discovery"
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/preflight"
)

// forgetter is a source that can delete what is registered.
type forgetter interface {
	Forget(ctx context.Context, e joiner.Entry) error
	Forgettable(e joiner.Entry) error
}

// world is the joiner's World: the disk, the discovery service and the
// cluster behind one set of settings.
type world struct {
	s        settings
	sources  discovery.Several
	api      *etcdapi.API
	etcd     ownEtcd
	reporter *reporter
	last     joiner.Observation
	warned   map[string]string // of each that failed, why
}

// open makes the world of a command line, with its log.
func (a *app) open(c *cli.Command, s settings) (*world, error) {
	log, err := newLogger(c, a.stderr)
	if err != nil {
		return nil, err
	}
	return newWorld(s, log)
}

func newWorld(s settings, log *logrus.Logger) (*world, error) {
	w := &world{s: s, etcd: ownEtcd{localEtcd: s.etcd}, reporter: newReporter(log), warned: map[string]string{}}
	var err error
	if w.sources, err = s.sources.connect(); err != nil {
		return nil, err
	}
	w.api, err = etcdapi.New(etcdapi.Config{Endpoints: s.endpoints, ClientPort: s.clientPort, Client: s.client, Peer: s.peer, As: s.as, Own: s.policy.PeerURLs, Thorough: s.thorough})
	if err != nil {
		return nil, usagef("%w", err)
	}
	return w, nil
}

func (w *world) close() {
	w.sources.Close()
	w.api.Close()
}

// decision is what a command has the joiner decide, and act upon.
type decision func(context.Context, joiner.Policy, joiner.World) (joiner.Plan, error)

// run decides and acts until the time is up; a standby host has no hurry.
func (w *world) run(ctx context.Context, decide decision) (joiner.Plan, error) {
	limited := ctx
	if !w.s.policy.Standby {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, w.s.timeout)
		defer cancel()
	}
	plan, err := decide(limited, w.s.policy, w)
	if err != nil {
		return plan, unexpected(err)
	}
	return interrupted(ctx, plan), nil
}

// finish tells how a run ended, and with what the command ends.
func (w *world) finish(plan joiner.Plan) error {
	w.reporter.end(plan)
	if plan.Exit != joiner.ExitDone {
		return &failure{code: plan.Exit}
	}
	return nil
}

// interrupted says so of a plan that a signal cut short.
func interrupted(ctx context.Context, plan joiner.Plan) joiner.Plan {
	if ctx.Err() != nil && !plan.Final() {
		plan.Text, plan.Exit = "interrupted: "+plan.Text, joiner.ExitNotNow
	}
	return plan
}

// Observe looks at the disk, the discovery service and every member that
// either leads to.
func (w *world) Observe(ctx context.Context) (joiner.Observation, error) {
	var o joiner.Observation
	var err error
	if o.Disk, err = datadir.Read(w.s.policy.DataDir, w.s.policy.WALDir); err != nil {
		return o, &joiner.Refusal{Err: err, Hint: "make the path readable and a directory, or give another -data-dir"}
	}
	o.Discovery, o.Hints = w.sources.Look(ctx)
	o.Discovery = o.Discovery.After(w.last.Discovery)
	w.warn(o.Hints)
	selfCheck := w.preflight(ctx)
	at := where(o.Discovery, o.Hints)
	at.Data = o.Disk.ClusterID
	sight := w.api.Look(ctx, at)
	o.Clusters, o.Views, o.Failures, o.Contacts, o.Named = sight.Clusters, sight.Views, sight.Failures, sight.Contacts, sight.Named
	o.Preflight = <-selfCheck
	o.EtcdVersion = w.etcdVersion(ctx)
	o.EtcdMissing = w.etcd.missing(o.EtcdVersion)
	w.last = o
	return o, nil
}

// etcdVersion is that of the etcd that would be started now.
func (w *world) etcdVersion(ctx context.Context) joiner.Version {
	v, err := w.etcd.look(ctx)
	if why := fmt.Sprint(err); err != nil && ctx.Err() == nil && why != w.warned[etcdUnknown] {
		w.reporter.log.Warnf("%s: %s", etcdUnknown, why)
		w.warned[etcdUnknown] = why
	}
	return v
}

const etcdUnknown = "the version of this host's etcd is not known"

// warn tells people of hints that fail, once each time that they fail anew.
func (w *world) warn(hints []joiner.Hint) {
	for _, h := range hints {
		if h.Error != "" && h.Error != w.warned[h.Source] {
			w.reporter.log.Warnf("%s: %s", h.Source, h.Error)
		}
		w.warned[h.Source] = h.Error
	}
}

// preflight checks this host's own side while the members are asked.
func (w *world) preflight(ctx context.Context) <-chan joiner.Preflight {
	found := make(chan joiner.Preflight, 1)
	go func() {
		found <- joiner.Preflight{
			Unresolved:  preflight.Unresolved(ctx, net.DefaultResolver, w.s.policy.PeerURLs),
			Certificate: preflight.Certificate(w.s.own, w.s.policy.PeerURLs, time.Now()),
		}
	}()
	return found
}

// maxContacts bounds the registrations that are followed: whoever knows the
// token can write as many as the service takes.
const maxContacts = 64

// where is where members may be. The admin vouches for a list, and for hints.
func where(d joiner.Discovery, hints []joiner.Hint) (at etcdapi.Where) {
	at.Peers, at.Clients = hinted(hints)
	if d.Listed() {
		at.Peers = append(at.Peers, contacts(d)...)
	} else {
		at.Registered = contacts(d)
	}
	return at
}

// contacts are the peer URLs that the discovery leads to. Of too many, the
// founders and the latest count.
func contacts(d joiner.Discovery) []string {
	entries := d.Entries
	if len(entries) > maxContacts {
		founders := min(max(d.Size, 0), maxContacts/2)
		entries = append(entries[:founders:founders], entries[len(entries)-maxContacts+founders:]...)
	}
	var urls []string
	for _, e := range entries {
		if p, err := e.Peer(); err == nil {
			urls = append(urls, p.URLs...)
		}
	}
	return urls
}

// Do carries out one step.
func (w *world) Do(ctx context.Context, plan joiner.Plan) error {
	switch p := w.s.policy; plan.Step {
	case joiner.StepRecord:
		return w.record(*plan.Entry)
	case joiner.StepArchive:
		return w.archive()
	case joiner.StepRegister:
		return w.sources.Founding.Register(ctx, *plan.Entry)
	case joiner.StepClaim:
		return w.api.Claim(ctx, plan.Cluster, *plan.Intent)
	case joiner.StepRelease:
		return w.api.Release(ctx, plan.Cluster, *plan.Intent)
	case joiner.StepForget:
		return w.api.Forget(ctx, plan.Cluster, *plan.Intent)
	case joiner.StepRemove:
		return w.remove(ctx, plan)
	case joiner.StepUpdate:
		return w.api.Update(ctx, plan.Cluster, *plan.Member, p.PeerURLs, under(plan))
	case joiner.StepAdd:
		return w.add(ctx, plan)
	case joiner.StepMoveLeader:
		return w.api.MoveLeader(ctx, plan.Cluster, *plan.Member)
	case joiner.StepPromote:
		return w.api.Promote(ctx, plan.Cluster, *plan.Member, under(plan))
	}
	return fmt.Errorf("step %q is not one that is done", plan.Step)
}

// add asks this host's etcd once more: the members die of a wrong one.
func (w *world) add(ctx context.Context, plan joiner.Plan) error {
	if err := w.sameEtcd(ctx); err != nil {
		return err
	}
	return w.api.Add(ctx, plan.Cluster, w.s.policy.PeerURLs, plan.Learner, under(plan))
}

// sameEtcd asks in any case: a script does not look other when what it starts
// does.
func (w *world) sameEtcd(ctx context.Context) error {
	if v, _ := w.etcd.ask(ctx); v != w.last.EtcdVersion {
		return fmt.Errorf("this host's etcd is %s, and was %s when the change was decided", v, w.last.EtcdVersion)
	}
	return nil
}

// remove removes a member, and its registrations after that. It may be for a
// host that could not join then.
func (w *world) remove(ctx context.Context, plan joiner.Plan) error {
	if err := w.sameEtcd(ctx); err != nil {
		return err
	}
	if err := w.api.Remove(ctx, plan.Cluster, *plan.Member, under(plan)); err != nil {
		return err
	}
	f, can := w.sources.Founding.(forgetter)
	if !can {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, e := range w.last.Discovery.Gone(*plan.Member) {
		if err := f.Forget(ctx, e); err != nil {
			w.reporter.log.Warnf("the discovery service still leads to the removed member: %v", err)
		}
	}
	return nil
}

// under are the conditions of a change.
func under(plan joiner.Plan) etcdapi.Under {
	return etcdapi.Under{Seen: plan.Seen, Intent: plan.Intent}
}

func (w *world) record(e joiner.Entry) error {
	id, err := joiner.ParseID(e.Key)
	if err != nil {
		return err
	}
	err = datadir.WriteRecord(w.s.policy.DataDir, w.s.policy.WALDir, joiner.Record{
		Token: w.last.Discovery.Token, MemberID: id,
		WALMarker: w.last.EtcdVersion.Major >= 3, // an etcd 2 would take it for a WAL
	})
	if err != nil {
		return &joiner.Refusal{Err: err, Hint: recordHint(err)}
	}
	return nil
}

func recordHint(err error) string {
	if errors.Is(err, datadir.ErrLink) {
		return "have the whole data dir on that disk (-data-dir, or a data dir that is the link itself), or only the WAL (-wal-dir)"
	}
	return "make the data dir writable for this user, or give another -data-dir"
}

func (w *world) archive() error {
	paths, err := datadir.Archive(w.s.policy.DataDir, w.s.policy.WALDir, time.Now())
	for _, path := range paths {
		w.reporter.log.Infof("archived the data of the removed member as %s", path)
	}
	if err != nil {
		return &joiner.Refusal{Err: err, Hint: "move the old archives or the data itself elsewhere"}
	}
	return nil
}

// Report tells people what goes on.
func (w *world) Report(plan joiner.Plan) { w.reporter.report(plan) }

// settle does what follows a decision and must never fail it: a founder
// record that is spent is marked so, and the discovery service is told of a
// member that joined.
func (w *world) settle(ctx context.Context, plan joiner.Plan) {
	for _, warning := range joiner.Warnings(w.s.policy, w.last) {
		w.reporter.log.Warn(warning)
	}
	if r := w.last.Disk.Record; r != nil && w.last.Disk.State == joiner.DiskData {
		if err := datadir.MarkSpent(w.s.policy.DataDir); err != nil {
			w.reporter.log.Warnf("%v", err)
		}
	}
	if plan.Entry == nil || w.sources.Founding == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := w.sources.Founding.Register(ctx, *plan.Entry); err != nil {
		w.reporter.log.Warnf("the discovery service was not told of this member, so later hosts may not find the cluster: %v", err)
	}
}
