// Package etcds knows the real etcd servers that the tests and the demo run
// against: which versions, where their binaries are, how they are built.
//
// Each version is pinned in a small module of its own below this folder,
// because two etcd servers never fit into one module.
package etcds

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CacheEnv names the folder of the binaries where the default, .cache/etcd in
// the repository, is not wanted.
const CacheEnv = "ELASTIC_ETCD_TEST_CACHE"

// Versions are all etcd versions, the most wanted first: they are built in
// this order.
func Versions() []string {
	return []string{"3.6.16", "3.7.3", "3.5.35", "2.3.8", "3.4.34"}
}

// VersionsWithClock are those that are built a second time, with a clock that
// can be shifted.
func VersionsWithClock() []string { return []string{"3.6.16", "2.3.8"} }

// Minor is the first two numbers of a version: 3.6 of 3.6.16.
func Minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Full is the version of Versions that the given one, 3.6 or 3.6.16, names.
func Full(version string) (string, error) {
	for _, v := range Versions() {
		if v == version || Minor(v) == version {
			return v, nil
		}
	}
	return "", fmt.Errorf("find etcd version %q: there are %s", version, strings.Join(Versions(), ", "))
}

// Binary is the path of the etcd server of that version, and an error that
// says what to do where it has not been built.
func Binary(version string) (string, error) { return find(version, serverFile) }

// BinaryWithClock is the same for a server with a clock that ClockEnv shifts,
// of one of VersionsWithClock.
func BinaryWithClock(version string) (string, error) { return find(version, clockServerFile) }

const (
	serverFile      = "etcd"
	clockServerFile = "etcd-clock"
)

func find(version, file string) (string, error) {
	full, err := Full(version)
	if err != nil {
		return "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, full, file)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find etcd %s, run make etcd: %w", full, err)
	}
	return path, nil
}

// CacheDir is the folder of the binaries, <version>/etcd each.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	root, err := RepositoryRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, ".cache", "etcd"), nil
}

// RepositoryRoot is the folder of elastic-etcd's own sources, found from the
// working directory upwards.
func RepositoryRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "e2e", "etcds", "etcds.go"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the repository: %s is not in it", wd)
		}
	}
}
