package simulator_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/joiner/simulator"
)

const deadAfter = time.Minute

func policy(change ...func(*joiner.Policy)) joiner.Policy {
	p := joiner.Policy{DataDir: "data", Strategy: joiner.Replace, Size: 3, DeadAfter: joiner.Duration(deadAfter)}
	for _, f := range change {
		f(&p)
	}
	return p
}

// drive lets a host run until its plan is final, and its etcd start: the steps
// that it took. Time goes by while it watches or waits.
func drive(t *testing.T, c *simulator.Cluster, h *simulator.Host) (steps []string, last joiner.Plan) {
	t.Helper()
	for range 50 {
		plan := joiner.Decide(h.Policy, c.Observe(h))
		steps = append(steps, string(plan.Step))
		switch {
		case plan.Final():
			return slices.Compact(steps), plan
		case plan.Step.Changes():
			if err := c.Do(plan, h); err != nil {
				t.Fatalf("%s: %v", plan.Text, err)
			}
		default:
			c.Watch(10*time.Second, h)
		}
	}
	t.Fatalf("it does not end: %q", steps)
	return nil, joiner.Plan{}
}

// A host replaces a dead member, on every version, and a frozen one.
func TestDrive(t *testing.T) {
	for _, version := range []string{"2.3.8", "3.4.34", "3.5.29", "3.5.35", "3.6.16", "3.7.3"} {
		for what, lose := range map[string]func(*simulator.Cluster, joiner.ID){
			"kill": (*simulator.Cluster).Kill, "freeze": (*simulator.Cluster).Freeze, "cut off": (*simulator.Cluster).CutOff,
		} {
			v, err := simulator.ParseVersion(version)
			if err != nil {
				t.Fatal(err)
			}
			c := simulator.New(v, 3)
			lose(c, 3)
			h := c.NewHost(4, policy())
			steps, last := drive(t, c, h)
			if got, want := strings.Join(steps, " "), "watch claim remove add forget emit"; got != want {
				t.Errorf("%s, %s: %s, want %s", version, what, got, want)
				continue
			}
			if err := c.Join(h, *last.Config); err != nil {
				t.Errorf("%s, %s: join: %v", version, what, err)
			}
			if all, healthy := c.Voters(); all != 3 || healthy != 3 || c.Member(3) != nil {
				t.Errorf("%s, %s: %d of %d voters are healthy", version, what, healthy, all)
			}
		}
	}
}

// What the observer sees of each state: dead is who was silent and stalled.
func TestObserve(t *testing.T) {
	for _, c := range []struct {
		name   string
		happen func(*simulator.Cluster, *simulator.Host)
		want   joiner.Health // of member 3 after a minute
	}{
		{"healthy", func(*simulator.Cluster, *simulator.Host) {},
			joiner.Health{Reached: "http://10.0.0.3:2379", Proven: true, Match: simulator.Newest, Following: true}},
		{"killed", func(c *simulator.Cluster, _ *simulator.Host) { c.Kill(3) },
			joiner.Health{Refused: true, Match: simulator.Newest - 10, Silent: minute, Stalled: minute}},
		{"frozen", func(c *simulator.Cluster, _ *simulator.Host) { c.Freeze(3) },
			joiner.Health{Match: simulator.Newest - 10, Silent: minute, Stalled: minute}},
		{"cut off", func(c *simulator.Cluster, _ *simulator.Host) { c.CutOff(3) },
			joiner.Health{Match: simulator.Newest - 10, Silent: minute, Stalled: minute}},
		{"cut off from the others only", func(c *simulator.Cluster, _ *simulator.Host) { c.Part(3) },
			joiner.Health{Reached: "http://10.0.0.3:2379", Match: simulator.Newest - 10, Stalled: minute}},
		{"out of this host's reach", func(_ *simulator.Cluster, h *simulator.Host) { h.Unreached = []joiner.ID{3} },
			joiner.Health{Match: simulator.Newest, Following: true, Silent: minute}},
		{"dead and no proof", func(c *simulator.Cluster, h *simulator.Host) { c.Kill(3); h.NoProof = "403" },
			joiner.Health{Refused: true, Silent: minute}},
		{"the leader out of reach", func(c *simulator.Cluster, h *simulator.Host) { c.Kill(3); h.Unreached = []joiner.ID{1} },
			joiner.Health{Refused: true, Silent: minute}},
		{"a new leader", func(c *simulator.Cluster, h *simulator.Host) { c.Kill(3); c.Watch(deadAfter/2, h); c.Elect(2) },
			joiner.Health{Refused: true, Match: simulator.Newest - 10, Silent: minute + minute/2, Stalled: minute}},
		{"thawed", func(c *simulator.Cluster, h *simulator.Host) { c.Freeze(3); c.Watch(deadAfter, h); c.Thaw(3) },
			joiner.Health{Reached: "http://10.0.0.3:2379", Proven: true, Match: simulator.Newest, Following: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim := simulator.New(simulator.Version{Major: 3, Minor: 6, Patch: 16}, 3)
			h := sim.NewHost(4, policy())
			c.happen(sim, h)
			sim.Watch(time.Duration(minute), h)
			if got := sim.Observe(h).Clusters[0].Members[2].Health; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

const minute = joiner.Duration(deadAfter)

// Nothing but tests may import the simulator.
func TestForTestsOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-f", "{{.ImportPath}} {{.Imports}}", "../../...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		importer, imports, _ := strings.Cut(line, " ")
		if strings.Contains(imports, "joiner/simulator") {
			t.Errorf("%s imports the simulator", importer)
		}
	}
}
