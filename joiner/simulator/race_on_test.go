//go:build race

package simulator

// underRace: the campaigns have no goroutines, and the race detector makes
// them ten times as long.
const underRace = true
