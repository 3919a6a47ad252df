package main
import ("io"; "github.com/spf13/cobra")
func acquireMemoryCommand(out, errs io.Writer, open opener) *cobra.Command { return &cobra.Command{Use: "memory"} }
