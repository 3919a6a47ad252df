package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"telltale/report/terminal"
)

// progress shows one line on a terminal: what is being done and how far it is. Elsewhere it is silent.
type progress struct {
	w     *os.File
	what  string
	next  time.Time
	drawn bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	f, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: f}
}

// Stage says what begins.
func (p *progress) Stage(what string) {
	p.what = what
	p.draw("")
}

// Bytes says how far it is.
func (p *progress) Bytes(done, total int64) {
	if total > 0 {
		p.draw(fmt.Sprintf(" %d%%", done*100/total))
	}
}

func (p *progress) draw(tail string) {
	if p.w == nil || time.Now().Before(p.next) {
		return
	}
	p.next = time.Now().Add(100 * time.Millisecond)
	p.drawn = true
	s := []rune(terminal.Escape(p.what))
	fmt.Fprintf(p.w, "\r\x1b[K%s%s", string(s[:min(len(s), 70)]), tail)
}

func (p *progress) done() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
