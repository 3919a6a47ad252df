//go:build !linux

package main

import (
	"os"
	"runtime"
)

// machine gives the name of this machine and its system.
func machine() (name, kernel string) {
	name, _ = os.Hostname()
	return name, runtime.GOOS
}
