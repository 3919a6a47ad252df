package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version that is worked on; a build from a tagged module says its own.
const release = "0.1.0-dev"

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return release
}

func versionCommand(out io.Writer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "version", Short: "Say which version this is", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		if asJSON {
			return json.NewEncoder(out).Encode(map[string]string{"version": version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
		}
		_, err := fmt.Fprintf(out, "telltale %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
