// Package joiner decides what a booting host does about etcd: found a cluster,
// join one, resume, or refuse. It looks at nothing and changes nothing itself.
//
// Decide maps a Policy (what the admin asked for) and an Observation (what the
// disk, the discovery service and the cluster showed) to a Plan: one step, with
// its reason. Run observes, decides and has the step done, until a plan is
// final; Foresee predicts those steps. The rules are in docs/decision-table.md.
//
// Start at decide.go; then decide_data.go (this host has data), decide_join.go
// and strategy.go (a cluster has a quorum), decide_found.go (none has).
package joiner
