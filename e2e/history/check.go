package history

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

type kind string

const (
	put kind = "put"
	get kind = "get"
	cas kind = "cas"
)

var kinds = []kind{put, get, cas}

type input struct {
	kind            kind
	key, old, value string
}

type output struct {
	value   string // of get; "" is no such key
	ok      bool   // of cas
	unknown bool
}

func perform(ctx context.Context, s Store, in input) (out output, err error) {
	switch in.kind {
	case put:
		err = s.Put(ctx, in.key, in.value)
	case get:
		out.value, _, err = s.Get(ctx, in.key)
	case cas:
		out.ok, err = s.CAS(ctx, in.key, in.old, in.value)
	}
	return out, err
}

// register is one key. An operation of which the outcome is unknown ends at
// the end of time, so one that never happened is one that comes last.
var register = porcupine.Model{
	Partition: partition,
	Init:      func() any { return "" },
	Step: func(state, in, out any) (bool, any) {
		return step(state.(string), in.(input), out.(output))
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

func step(state string, in input, out output) (bool, any) {
	switch {
	case in.kind == put:
		return true, in.value
	case in.kind == get:
		return out.value == state, state
	case out.unknown:
		return true, swapped(state, in)
	default:
		return out.ok == (state == in.old), swapped(state, in)
	}
}

func swapped(state string, in input) string {
	if state == in.old {
		return in.value
	}
	return state
}

func partition(ops []porcupine.Operation) [][]porcupine.Operation {
	byKey := map[string][]porcupine.Operation{}
	for _, op := range ops {
		key := op.Input.(input).key
		byKey[key] = append(byKey[key], op)
	}
	var parts [][]porcupine.Operation
	for _, part := range byKey {
		parts = append(parts, part)
	}
	return parts
}

// checkTimeout is enough by far: see next.
const checkTimeout = 30 * time.Second

// Check stops the client and checks its history. Where it cannot be, a picture
// of it is left in the folder.
func (c *Client) Check(dir string) error {
	c.Stop()
	result, info := porcupine.CheckOperationsVerbose(register, c.ops, checkTimeout)
	if result == porcupine.Ok {
		return nil
	}
	file, err := os.CreateTemp(dir, "history-*.html")
	if err != nil {
		return fmt.Errorf("the history is %s, and cannot be drawn: %w", result, err)
	}
	defer file.Close()
	err = porcupine.Visualize(register, info, file)
	return fmt.Errorf("the history is %s: %s (%v)", result, file.Name(), err)
}
