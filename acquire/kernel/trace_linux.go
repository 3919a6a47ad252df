package kernel

import (
	"errors"
	"os"
	"path/filepath"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/namespace"
)

// tracefs gives the folder of the kernel's tracer: where it is mounted, or else in a mount of our own. Looking beneath
// /sys/kernel/debug could make the kernel mount it there, so that only what is mounted already is looked at.
func tracefs(b *acquire.Box) (dir string, shut func() error, err error) {
	nothing := func() error { return nil }
	dir = filepath.Join(b.Sys, "kernel/tracing")
	if _, err := os.Lstat(filepath.Join(dir, "README")); err == nil {
		return dir, nothing, nil
	}
	path, shut, err := namespace.Mount("tracefs", dir)
	if err != nil {
		return "", nothing, err
	}
	if _, err := os.Lstat(filepath.Join(path, "README")); err != nil {
		shut()
		return "", nothing, errors.New("a tracefs of our own shows nothing")
	}
	return path, shut, nil
}

// debugfs gives the folder of debugfs in the same way.
func debugfs(b *acquire.Box) (dir string, shut func() error, err error) {
	dir = filepath.Join(b.Sys, "kernel/debug")
	if names, err := bounded.List(dir, maxEntries); err == nil && len(names) > 0 {
		return dir, func() error { return nil }, nil
	}
	path, shut, err := namespace.Mount("debugfs", dir)
	if err != nil {
		return "", func() error { return nil }, err
	}
	return path, shut, nil
}
