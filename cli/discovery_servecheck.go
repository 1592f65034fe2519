package cli

import (
	"github.com/urfave/cli/v3"
)

const (
	// mostRate is more than any machine serves, mostMegabytes than any disk has.
	mostRate      = 1e9
	mostMegabytes = 1 << 40
)

// checkServe refuses what would be served in another way than it was meant.
func (a *app) checkServe(c *cli.Command) error {
	for _, name := range []string{"rate", "new-rate"} {
		if rate := c.Float(name); !(rate >= 0 && rate <= mostRate) { // NaN is neither
			return usagef("--%s=%v: want a number from 0 (no limit) to %d", name, rate, int(mostRate))
		}
	}
	if limit := c.Int("data-limit"); limit < 0 || limit > mostMegabytes {
		return usagef("--data-limit=%d: want a number of megabytes, or 0 (no limit)", limit)
	}
	if age := c.Duration("expire"); age < 0 {
		return usagef("--expire=%v: want a duration, or 0 (for ever)", age)
	}
	return a.checkStore(c)
}

// checkStore: an empty variable names nothing, as systemd passes it on; an empty
// flag is a mistake. The variable of --data is in the unit, and so no mistake.
func (a *app) checkStore(c *cli.Command) error {
	endpoints := c.String("endpoints")
	if len(list(endpoints)) > 0 {
		if a.isFlag(c, "data", "discovery-data") {
			return usagef("--data and --endpoints: want one of them")
		}
		return nil
	}
	if endpoints != "" || a.isFlag(c, "endpoints", "discovery-store-endpoints") {
		return usagef("--endpoints=%q: want client urls of an etcd, or --data", endpoints)
	}
	return nil
}

// isFlag tells whether the value of a flag is not that of its variable.
func (a *app) isFlag(c *cli.Command, name, variable string) bool {
	source := a.env(variable)
	value, found := source.Lookup()
	return c.IsSet(name) && !(found && value == c.String(name))
}
