package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"telltale/casefile"
	"telltale/report"
	repall "telltale/report/all"
)

const goalUsage = "what the answer is for: restart (the shortest), root-cause, or legal (with custody and exhibits)"

// goalOf checks a --goal; other is what none means.
func goalOf(s, other string) (string, error) {
	if s == "" {
		return other, nil
	}
	if !slices.Contains(report.Goals(), s) {
		return "", fmt.Errorf("%w: --goal %q: give one of %s", errUsage, s, strings.Join(report.Goals(), ", "))
	}
	return s, nil
}

// forGoal says what the answer is for. One for a court has the exhibits beside it, as files.
func forGoal(d *report.Document, goal string, k *casefile.Case) error {
	d.Goal = goal
	if goal != report.Legal {
		return nil
	}
	return k.WriteExhibits(repall.Exhibits(d))
}

// ownDigest gives the SHA-256 of the program's own file, "" where it cannot be read: then the report says that it was not computed.
func ownDigest() string {
	p, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(p)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
