//go:build !linux

package views

import (
	"context"
	"errors"

	"telltale/acquire"
)

// Processes gives a step that says that it cannot look: the views are those of Linux.
func Processes(Options) acquire.Step { return unable("hidden-processes") }

func unable(name string) acquire.Step {
	return acquire.Step{Name: name, Doc: "is for Linux alone", Take: func(_ context.Context, _ *acquire.Box, out acquire.Out) error {
		out.Failed(name, errors.New("this system is not Linux"))
		return nil
	}}
}

// Mounts gives a step that says that it cannot look.
func Mounts(Options) acquire.Step { return unable("mounts") }

// Ports gives a step that says that it cannot look.
func Ports(Options) acquire.Step { return unable("hidden-ports") }
