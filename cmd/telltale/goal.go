package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

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

// again gives a report of a case the form of another goal. For a court the case then has its exhibits as if it had been made for one, and the record of what
// was done tells of it.
func again(d *report.Document, goal string, k *casefile.Case, started time.Time) error {
	d.Goal = goal
	if goal != report.Legal {
		return nil
	}
	list := repall.Exhibits(d)
	there, err := k.HasExhibits(list)
	if err == nil && !there {
		c := custodyOf(started, append([]string{"report"}, os.Args[min(2, len(os.Args)):]...))
		c.SHA256, c.Ended = ownDigest(), time.Now().UTC().Format(time.RFC3339)
		err = errors.Join(k.WriteExhibits(list), k.Handled(c))
	}
	if all := k.Manifest().Custody; len(all) > len(d.Custody) {
		d.Custody = append(d.Custody, all[len(d.Custody):]...)
	}
	return err
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
