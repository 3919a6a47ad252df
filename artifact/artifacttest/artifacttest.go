// Package artifacttest is the test kit of the members of family artifact: it runs a
// member over bytes as the runner would, prints what it yields one event per line, and
// compares that with the golden file beside the sample.
package artifacttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/golden"
	"telltale/internal/lines"
	"telltale/internal/logclock"
	"telltale/internal/syslog"
)

// Year is the year of yearless stamps in samples; their zone is UTC.
const Year = 2024

// Input gives a fresh Input over b.
func Input(b []byte) *artifact.Input {
	return &artifact.Input{
		Ref:   evidence.Ref{Source: "s1", Path: "sample"},
		R:     bytes.NewReader(b),
		At:    bytes.NewReader(b),
		Size:  int64(len(b)),
		Meta:  filesystem.Meta{Size: int64(len(b))},
		Path:  "/sample",
		Clock: &logclock.Clock{Year: Year, Basis: "the test"},
		Host:  &artifact.HostFacts{Name: "sample"},
		Seen:  &artifact.Seen{},
	}
}

// Golden runs a over every file testdata/*.log and compares what it yields with the
// file of the same name that ends in ".golden".
func Golden(t *testing.T, a *artifact.Artifact) {
	t.Helper()
	samples, err := filepath.Glob("testdata/*.log")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples in testdata: %v", err)
	}
	for _, name := range samples {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, strings.TrimSuffix(name, ".log")+".golden", Run(t, a, Input(b)))
		})
	}
}

// GoldenAs runs a over one sample as if it stood at path on a host with the accounts root, alice and www-data, and
// compares with the golden file beside the sample. format is the access format configured for the path, if any.
func GoldenAs(t *testing.T, a *artifact.Artifact, sample, path, format string) {
	t.Helper()
	t.Run(sample, func(t *testing.T) {
		b, err := os.ReadFile(filepath.Join("testdata", sample))
		if err != nil {
			t.Fatal(err)
		}
		in := Input(b)
		in.Path = path
		in.Host.Users = []artifact.User{{Name: "root", Home: "/root", Shell: "/bin/bash"}, {Name: "alice", Home: "/home/alice", Shell: "/bin/bash", UID: 1000, GID: 1000},
			{Name: "www-data", Home: "/var/www", Shell: "/usr/sbin/nologin", UID: 33, GID: 33}}
		if format != "" {
			in.Host.AccessFormats = map[string]artifact.AccessFormat{path: {Server: "apache", Format: format}}
		}
		golden.Equal(t, filepath.Join("testdata", strings.TrimSuffix(sample, filepath.Ext(sample))+".golden"), Run(t, a, in))
	})
}

// Run gives what a yields over in, one event or damage per line, and behind it what it
// did not understand. Lines for a Decode member are framed with syslog.Parse.
func Run(t testing.TB, a *artifact.Artifact, in *artifact.Input) []byte {
	t.Helper()
	var out bytes.Buffer
	take := func(e *event.Event) {
		check(t, a, in, e)
		Print(&out, e)
	}
	if a.Parse != nil {
		parse(t, a, in, &out, take)
	}
	if a.Decode != nil {
		in.R = bytes.NewReader(content(t, in))
		decode(a, in, &out, take)
	}
	return out.Bytes()
}

func parse(t testing.TB, a *artifact.Artifact, in *artifact.Input, out *bytes.Buffer, take func(*event.Event)) {
	for e, err := range a.Parse(context.Background(), in) {
		if err == nil {
			take(&e)
			continue
		}
		var d *evidence.Damage
		if !errors.As(err, &d) {
			t.Fatalf("%s yields an error that is no damage: %v", a.Name, err)
		}
		inside(t, in, d.Ref)
		fmt.Fprintf(out, "damage %q @%d+%d line %d\n", d.Reason, d.Ref.Off, d.Ref.Len, d.Ref.Line)
	}
	in.Seen.Flush()
	fmt.Fprintf(out, "seen %d records, %d unparsed", in.Seen.Records, in.Seen.Unparsed)
	names := []string{}
	for n := range in.Seen.ByProgram {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(out, " %s=%d", n, in.Seen.ByProgram[n])
	}
	out.WriteByte('\n')
}

func decode(a *artifact.Artifact, in *artifact.Input, out *bytes.Buffer, take func(*event.Event)) {
	d := artifact.NewDecoders([]*artifact.Artifact{a})
	r := lines.NewReader(in.R)
	var m artifact.Message
	for l, ok := r.Next(); ok; l, ok = r.Next() {
		f, framed := syslog.Parse(in.Clock, l.Text)
		if !framed {
			fmt.Fprintf(out, "no frame: %q\n", l.Text)
			continue
		}
		m.At, m.Host, m.Program, m.PID, m.Text, m.Repeat = f.At, f.Host, f.Program, f.PID, f.Text, f.Repeat
		m.Transport, m.Raw, m.Ref = "syslog", l.Text, in.Ref
		m.Ref.Off, m.Ref.Len, m.Ref.Line = l.Off, l.Len, l.Num
		known, understood := d.Decode(&m, take)
		switch {
		case !known:
			fmt.Fprintf(out, "not ours: %s line %d\n", f.Program, l.Num)
		case !understood:
			fmt.Fprintf(out, "not understood: %q line %d\n", f.Text, l.Num)
		}
	}
}

// Print writes e as "kind time key=value ... @off+len line n".
func Print(out *bytes.Buffer, e *event.Event) {
	at := e.At.String()
	if at == "" {
		at = "-"
	}
	fmt.Fprintf(out, "%s %s", e.Kind, at)
	for _, x := range e.Attrs {
		if v := string(x.Value); plain(v) {
			fmt.Fprintf(out, " %s=%s", x.Key, v)
		} else {
			fmt.Fprintf(out, " %s=%q", x.Key, v)
		}
	}
	fmt.Fprintf(out, " @%d+%d line %d\n", e.Ref.Off, e.Ref.Len, e.Ref.Line)
}

func plain(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '"' || r == '=' {
			return false
		}
	}
	return true
}

// Fuzz is the fuzz target of a member: whatever the bytes are, no panic, every Ref lies
// inside the input, and only declared kinds are yielded. The samples in testdata and the
// seeds are where it begins. made gives a fresh member for each run.
func Fuzz(f *testing.F, made func() *artifact.Artifact, seeds ...string) {
	samples, err := filepath.Glob("testdata/*.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range samples {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for l := range bytes.Lines(b) {
			f.Add(l)
		}
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := made()
		in := Input(b)
		in.Messages = artifact.NewDecoders([]*artifact.Artifact{a})
		Run(t, a, in)
		if a.Decode != nil {
			unframed(t, a, in, b)
		}
	})
}

// unframed gives b to a as the text of one message of each of its programs, so that a
// mutation need not keep a frame whole.
func unframed(t *testing.T, a *artifact.Artifact, in *artifact.Input, b []byte) {
	m := artifact.Message{Text: b, Raw: b, Repeat: 1, Ref: in.Ref}
	m.Ref.Len, m.Ref.Line = int64(len(b)), 1
	for _, p := range a.Programs {
		m.Program = []byte(p)
		a.Decode(&m, func(e *event.Event) { check(t, a, in, e) })
	}
}

func check(t testing.TB, a *artifact.Artifact, in *artifact.Input, e *event.Event) {
	if !slices.Contains(a.Kinds, e.Kind) && !carries(a) {
		t.Fatalf("%s yields a kind that it does not declare: %s", a.Name, e.Kind)
	}
	inside(t, in, e.Ref)
	for _, x := range e.Attrs {
		if len(x.Value) == 0 || x.Key.String() == "" {
			t.Fatalf("%s yields an empty attribute %q in %s", a.Name, x.Key, e.Kind)
		}
	}
}

// carries tells whether the events of a are those of the decoders it sends messages to.
func carries(a *artifact.Artifact) bool {
	return a.Parse != nil && (len(a.Kinds) == 0 || a.Name == "journald" || a.Name == "journal-export") // as package examine has it
}

func inside(t testing.TB, in *artifact.Input, r evidence.Ref) {
	if r.Off < 0 || r.Len < 0 || r.Off > in.Size || r.Len > in.Size-r.Off {
		t.Fatalf("a Ref lies outside the input of %d bytes: offset %d, length %d", in.Size, r.Off, r.Len)
	}
	if r.Source != in.Ref.Source || r.Path != in.Ref.Path {
		t.Fatalf("a Ref names another source: %s", r)
	}
}

// content gives the input's bytes again.
func content(t testing.TB, in *artifact.Input) []byte {
	b := make([]byte, in.Size)
	if n, err := in.At.ReadAt(b, 0); n < len(b) {
		t.Fatal(err)
	}
	return b
}
