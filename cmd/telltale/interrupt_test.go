package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"telltale/examine"
)

// TestInterruptedLive: whenever it is interrupted, it answers with what it has seen, marked as unfinished, and never says that a machine is clean.
func TestInterruptedLive(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(after, cancel)
		var out, errs bytes.Buffer
		began := time.Now()
		status := run(ctx, []string{"live", "--quick", "--fast", "-q", "--json"}, &out, &errs)
		took := time.Since(began)
		var d struct {
			Verdict struct{ Status, Summary string }
			Sources []struct{ Notes []string }
		}
		if err := json.Unmarshal(out.Bytes(), &d); err != nil {
			t.Fatalf("after %v: %v: %s", after, err, errs.String())
		}
		if ctx.Err() == nil || status != exitInterrupt || !strings.HasPrefix(d.Verdict.Summary, examine.Unfinished) || d.Verdict.Status == "clean" || d.Verdict.Status == "attacked" || took > after+goingOn {
			t.Errorf("after %v: status %d in %v, %+v", after, status, took, d.Verdict)
		}
		cancel()
	}
}
