package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// differs fails until a process has a namespace of its own.
func differs(pid int, kind string) error {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil {
		return err
	}
	ours, err := os.Readlink("/proc/self/ns/" + kind)
	if err == nil && ours == theirs {
		err = errors.New("it is still ours")
	}
	return err
}

func childOf(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("find the child of %d: %w", pid, err)
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// newCgroup makes a group below the root of the unified hierarchy, wherever
// that is mounted.
func newCgroup(name string) (string, error) {
	root, err := unified()
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(root, "elastic-etcd-"+name+"-")
}

func unified() (string, error) {
	f, err := os.Open("/proc/mounts")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 2 && fields[2] == "cgroup2" {
			return fields[1], nil
		}
	}
	return "", errors.New("no cgroup2 file system is mounted")
}

// removeCgroup removes a group and those below it, from the bottom.
func removeCgroup(group string) {
	_ = os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0)
	var dirs []string
	_ = filepath.WalkDir(group, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		_ = waitFor("the end of "+dirs[i], func() error {
			err := os.Remove(dirs[i])
			if errors.Is(err, syscall.EBUSY) {
				return err
			}
			return nil
		})
	}
}
