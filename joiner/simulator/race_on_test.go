//go:build race

package simulator

// underRace: the campaigns share nothing, and the race detector makes
// them ten times as long.
const underRace = true
