package host

import (
	"fmt"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/internal/lines"
)

// uac opens a collection of UAC 2 and 3 (tclahr/uac): uac.log, "[root]" with the files, bodyfile/bodyfile.txt, live_response.
func uac(p *parcel) (*unpacked, error) {
	log, ok := p.file("uac.log")
	if !ok {
		return nil, nil
	}
	root, files := p.folder("[root]")
	_, live := p.folder("live_response")
	said := readUACLog(lines.NewReader(log))
	if !files && !live || !said.ours {
		return nil, nil
	}
	u := &unpacked{state: &State{Kind: kindUAC, Taken: said.first}, tree: newGathered(p.copied), at: "/[root]", copied: p.copied}
	if files {
		if err := u.tree.add(p.ctx, p.fs, root, nil); err != nil {
			return nil, err
		}
	} else {
		u.state.Notes = append(u.state.Notes, "it holds no files of the machine")
	}
	if err := p.bodyfile(u); err != nil {
		return nil, err
	}
	u.host = clean(p.text("live_response/network/hostname.txt"))
	if u.host == "" {
		u.host = clean(p.text("live_response/network/uname_-n.txt"))
	}
	u.state.Kernel = kernelOf(clean(p.text("live_response/system/uname_-a.txt")))
	u.state.Notes = append(u.state.Notes, "listings were made by the machine's own ps, ss, lsof and ls, which an intruder may have replaced: they are what the machine said",
		"arguments and variables of processes shorter than four letters are left out of it, for strings(1) took them")
	if len(p.names("live_response/process"))+len(p.names("live_response/network")) == 0 {
		u.state.Still = true
		u.state.Notes = append(u.state.Notes, "it holds no live_response of processes or network: what ran is not known")
	}
	if said.failed > 0 {
		u.state.Notes = append(u.state.Notes, fmt.Sprintf("%d of its steps failed, by the lines ERR of its uac.log: what they would have told is missing", said.failed))
	}
	return u, nil
}

// bodyfile joins what it says of files, collected or not.
func (p *parcel) bodyfile(u *unpacked) error {
	r, ok := p.file("bodyfile/bodyfile.txt")
	if !ok {
		u.state.Notes = append(u.state.Notes, "it holds no bodyfile: change times are not known, nor which files the machine had beside those that were collected")
		return nil
	}
	odd := 0
	err := eachRow(p.ctx, r, func(line []byte) error {
		name, target, l, ok := body(line)
		if !ok {
			odd++
			return nil
		}
		return u.tree.list(name, l, target, false)
	})
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if err != nil {
		u.state.Notes = append(u.state.Notes, "its bodyfile could not be read to the end: "+err.Error())
	}
	u.copied = false
	u.state.Notes = append(u.state.Notes, fmt.Sprintf("its times are seconds, and change times are only in bodyfile.txt; %d files are known by that list alone, without content", u.tree.listed))
	if odd > 0 {
		u.state.Notes = append(u.state.Notes, fmt.Sprintf("%d lines of its bodyfile have no form that is known", odd))
	}
	return nil
}

// uacLog is what uac.log tells.
type uacLog struct {
	ours   bool
	first  evidence.Time
	failed int
}

// maxLogLines bounds the lines of a collector's log that are read.
const maxLogLines = 5_000_000

// readUACLog reads lines "2026-11-23 08:45:43 +0000 INF text"; older versions write the levels in full.
func readUACLog(lr *lines.Reader) (x uacLog) {
	for l, ok := lr.Next(); ok && l.Num < maxLogLines; l, ok = lr.Next() {
		s := string(l.Text)
		if len(s) < 26 {
			continue
		}
		at, err := time.Parse("2006-01-02 15:04:05 -0700", s[:25])
		level, _, _ := strings.Cut(strings.TrimLeft(s[25:], " "), " ")
		switch level {
		case "INF", "CMD", "DBG", "INFO", "COMMAND", "DEBUG":
		case "ERR", "ERROR":
			x.failed++
		default:
			continue
		}
		if err != nil {
			continue
		}
		if !x.ours {
			x.ours, x.first = true, evidence.At(at, time.Second)
		}
	}
	return x
}

// kernelOf takes the name of the machine out of what uname -a said: "Linux host 6.1.0 #1 SMP ... x86_64 GNU/Linux".
func kernelOf(s string) string {
	f := strings.Fields(s)
	if len(f) < 3 || f[0] != "Linux" {
		return ""
	}
	return strings.Join(append(f[:1:1], f[2:]...), " ")
}
