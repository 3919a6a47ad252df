package throughput

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Row is one measurement.
type Row struct {
	Log     string  `json:"log"`
	Bytes   int64   `json:"bytes"` // of the lines, unpacked
	Program string  `json:"program"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"megabytes_per_second"`
	Memory  int64   `json:"memory_bytes"` // the most that was resident
	Skipped string  `json:"skipped"`      // why it was not measured, "" if it was
}

// Plan is what to measure.
type Plan struct {
	Self  string // the telltale to run
	Dir   string // for the logs; about twice the size of the largest
	Size  int64  // of each log
	Kinds []Kind
	Plain bool
	Gzip  bool
	Tools bool
	Done  func(Row)
}

// tool is a program beside ours that does a comparable job. In its words LOG stands for the log's path.
type tool struct {
	name  string
	kinds string // that it can read, "" for all
	gzip  bool
	words []string
}

var tools = []tool{
	{"grep -c", "", false, []string{"grep", "-c", "sshd.*Failed", "LOG"}},
	{"zcat | grep -c", "", true, []string{"sh", "-c", `zcat "$0" | grep -c "sshd.*Failed"`, "LOG"}},
	{"goaccess -o json", "access", false, []string{"goaccess", "--no-global-config", "--log-format=COMBINED", "-o", "json", "-f", "LOG"}},
	{"lnav, count of lines", "", false, []string{"lnav", "-n", "-N", "-c", ";select count(*) from all_logs", "-c", ":write-csv-to -", "LOG"}},
}

// Measure makes each log, runs the programs over it, one after another, and removes it.
func Measure(ctx context.Context, p Plan) error {
	for _, k := range p.Kinds {
		for _, zipped := range []bool{false, true} {
			if zipped && !p.Gzip || !zipped && !p.Plain {
				continue
			}
			if err := p.measure(ctx, k, zipped); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plan) measure(ctx context.Context, k Kind, zipped bool) (err error) {
	dir, err := os.MkdirTemp(p.Dir, "throughput-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree := filepath.Join(dir, "evidence")
	log := filepath.Join(tree, k.Path)
	if zipped {
		log += ".2.gz"
	}
	n, err := write(log, k, p.Size, zipped)
	if err != nil {
		return err
	}
	name := k.Name
	if zipped {
		name += ".gz"
	}
	p.Done(run(ctx, name, n, "telltale examine", p.Self, "examine", "-q", "--json", "--case", filepath.Join(dir, "case"), tree))
	for _, t := range tools {
		if !p.Tools || t.gzip != zipped || t.kinds != "" && t.kinds != k.Name || ctx.Err() != nil {
			continue
		}
		words := append([]string{}, t.words...)
		words[len(words)-1] = log
		p.Done(run(ctx, name, n, t.name, words...))
	}
	return ctx.Err()
}

func write(path string, k Kind, size int64, zipped bool) (n int64, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if !zipped {
		return k.Write(f, size)
	}
	z := gzip.NewWriter(f)
	n, err = k.Write(z, size)
	return n, errors.Join(err, z.Close())
}

// run measures one program over a log that was read once already, when it was written.
func run(ctx context.Context, log string, n int64, program string, words ...string) Row {
	r := Row{Log: log, Bytes: n, Program: program}
	if _, err := exec.LookPath(words[0]); err != nil {
		r.Skipped = words[0] + " is not installed"
		return r
	}
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	var said strings.Builder
	c.Stdout, c.Stderr = io.Discard, &said
	from := time.Now()
	err := c.Run()
	took := time.Since(from).Seconds()
	// grep ends with 1 where it finds nothing: it has read all the same.
	if x := new(exec.ExitError); err != nil && !(errors.As(err, &x) && x.ExitCode() == 1 && strings.Contains(program, "grep")) {
		line, _, _ := strings.Cut(said.String(), "\n")
		r.Skipped = fmt.Sprintf("it failed: %v: %s", err, line)
		return r
	}
	r.Seconds, r.Rate, r.Memory = took, float64(n)/1e6/took, resident(c.ProcessState)
	return r
}
