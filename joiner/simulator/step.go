package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Step is one thing that happens to a cluster, in words: a change of the
// membership or an event.
type Step struct {
	Just bool   // nobody waits for the cluster to come to rest
	Verb string // found, kill, freeze, cut, thaw, start, wait; add, remove, promote, update
	What string // add: voter, learner, or the member whose URL is asked for again
	N    int    // the member; found: how many; wait: seconds
	URL  int    // update: the member whose URL is asked for; 0: a new one
	Via  int    // the member that is asked, 0: the leader
}

func (s Step) String() string {
	words := []string{s.Verb}
	switch {
	case s.Verb == "add" && s.What != "":
		words = append(words, s.What)
	case s.Verb == "update" && s.URL == 0:
		words = append(words, strconv.Itoa(s.N), "new")
	case s.Verb == "update":
		words = append(words, strconv.Itoa(s.N), strconv.Itoa(s.URL))
	default:
		words = append(words, strconv.Itoa(s.N))
	}
	if s.Just {
		words = append([]string{"just"}, words...)
	}
	if s.Via != 0 {
		words = append(words, "via", strconv.Itoa(s.Via))
	}
	return strings.Join(words, " ")
}

// Steps gives several steps as a situation of testdata/verdicts.txt.
func Steps(steps []Step) string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = s.String()
	}
	return strings.Join(words, ", ")
}

// ParseSteps reads what Steps writes.
func ParseSteps(s string) (steps []Step, err error) {
	for _, words := range strings.Split(s, ",") {
		step, err := ParseStep(words)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// ParseStep reads one step. What cannot be written by String is no step.
func ParseStep(text string) (s Step, err error) {
	words := strings.Fields(text)
	if len(words) > 0 && words[0] == "just" {
		s.Just, words = true, words[1:]
	}
	if n := len(words); n > 2 && words[n-2] == "via" {
		s.Via, _ = strconv.Atoi(words[n-1])
		words = words[:n-2]
	}
	if len(words) < 2 {
		return s, fmt.Errorf("no step: %q", text)
	}
	s.Verb = words[0]
	if s.N, err = strconv.Atoi(words[1]); err != nil {
		s.What = words[1]
	}
	if len(words) == 3 {
		s.URL, _ = strconv.Atoi(words[2])
	}
	if s.String() != strings.Join(strings.Fields(text), " ") {
		return s, fmt.Errorf("no step: %q", text)
	}
	return s, nil
}

// Changes tells whether the step is a change of the membership that a client
// asks for.
func (s Step) Changes() bool {
	switch s.Verb {
	case "add", "remove", "promote", "update":
		return true
	}
	return false
}

// Play makes the step happen. An error is what etcd says to a change; the
// step "found" is New.
func (c *Cluster) Play(s Step) error {
	err := c.play(s)
	if !s.Just {
		c.Pass(HealthInterval)
	}
	return err
}

func (c *Cluster) play(s Step) (err error) {
	id, via := joiner.ID(s.N), joiner.ID(s.Via)
	switch s.Verb {
	case "kill":
		c.Kill(id)
	case "freeze":
		c.Freeze(id)
	case "cut":
		c.CutOff(id)
	case "thaw":
		c.Thaw(id)
	case "start":
		c.Start(id)
	case "wait":
		c.Pass(time.Duration(s.N) * time.Second)
	case "add":
		err = c.playAdd(via, s)
	case "remove":
		err = c.Remove(via, id)
	case "promote":
		err = c.Promote(via, id)
	case "update":
		err = c.Update(via, id, URL(c.urlOf(s.URL)))
	default:
		panic("no step: " + s.Verb)
	}
	return err
}

func (c *Cluster) playAdd(via joiner.ID, s Step) (err error) {
	if s.What == "learner" {
		_, err = c.AddLearner(via, URL(c.urlOf(0)))
	} else {
		_, err = c.AddVoter(via, URL(c.urlOf(s.N)))
	}
	return err
}

// urlOf is the number in the URL of member n; 0 is one that nobody has.
func (c *Cluster) urlOf(n int) int {
	if n == 0 {
		return int(c.last) + 1
	}
	return n
}

// Found is the cluster of a situation after its first step.
func Found(version Version, s Step) *Cluster {
	c := New(version, s.N)
	c.Strict = true
	if s.Just {
		for i := range c.Members {
			c.Members[i].Since, c.Members[i].Up = 0, 0
		}
	}
	return c
}

// Play sets up the situation of the row and carries out its operation: the
// cluster before it and after it, and the verdict.
func (r Row) Play(version Version) (before, after *Cluster, verdict string) {
	c := Found(version, r.Situation[0])
	for _, s := range r.Situation[1:] {
		if s.unknown(version) {
			return c, c, "-"
		}
		_ = c.Play(s)
	}
	before = c.Clone()
	return before, c, c.Ask(r.Operation)
}

// unknown tells whether etcd of this version has no such change.
func (s Step) unknown(version Version) bool {
	return (s.What == "learner" || s.Verb == "promote") && !version.learners()
}

// Ask carries out a change and gives the verdict on it.
func (c *Cluster) Ask(s Step) string {
	if s.unknown(c.Version) {
		return "-"
	}
	verdict := Verdict(c.play(s))
	if verdict == "ok" && !c.HasQuorum() {
		verdict = "ok lost"
	}
	return verdict
}
