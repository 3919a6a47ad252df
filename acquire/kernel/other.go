//go:build !linux

package kernel

import (
	"context"
	"errors"

	"telltale/acquire"
)

// Facts gives a step that says that it cannot look: the views are those of Linux.
func Facts(Options) acquire.Step { return unable("kernel") }

// Modules gives a step that says that it cannot look.
func Modules(Options) acquire.Step { return unable("modules") }

// Hooks gives a step that says that it cannot look.
func Hooks(Options) acquire.Step { return unable("hooks") }

func unable(name string) acquire.Step {
	return acquire.Step{Name: name, Doc: "is for Linux alone", Take: func(_ context.Context, _ *acquire.Box, out acquire.Out) error {
		out.Failed(name, errors.New("this system is not Linux"))
		return nil
	}}
}

// BPF gives a step that says that it cannot look.
func BPF(Options) acquire.Step { return unable("bpf") }

// Links gives a step that says that it cannot look.
func Links(Options) acquire.Step { return unable("links") }

// Memory gives a step that says that it cannot look.
func Memory(Options) acquire.Step { return unable("kernel-memory") }
