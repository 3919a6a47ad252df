package main

import (
	"io"

	"github.com/spf13/cobra"
)

func labPractise(in io.Reader, out, errs io.Writer) *cobra.Command {
	return &cobra.Command{Use: "practise SCENARIO"}
}
