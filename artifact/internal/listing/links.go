package listing

import (
	"strconv"
	"strings"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/state"
)

// link takes a line of ls -l apart: "lrwxrwxrwx 1 root root 0 Nov 23 08:45 /proc/812/exe -> /usr/sbin/sshd". The target may hold anything, the name of a link of /proc cannot.
func link(t []byte) (mode, name, target string, ok bool) {
	left, target, ok := strings.Cut(string(t), " -> ")
	f := strings.Fields(left)
	if !ok || len(f) < 6 || len(f[0]) < 10 || f[0][0] != 'l' {
		return "", "", "", false
	}
	return f[0], f[len(f)-1], target, true
}

// procLink takes "/proc/812/fd/3" apart.
func procLink(name string) (pid int, what string, ok bool) {
	rest, ok1 := strings.CutPrefix(name, "/proc/")
	n, what, ok2 := strings.Cut(rest, "/")
	pid, ok3 := pidOf(n)
	return pid, what, ok1 && ok2 && ok3
}

// ProcLinks reads ls -l of links of /proc: exe, cwd, fd, and ls -l of whole directories of them, each under its name and a colon.
func ProcLinks(r *Reader) (func([]byte) bool, func()) {
	dir, files := "", map[int]int{}
	if pid, ok := pathPID(r.in.Path); ok {
		dir = "/proc/" + strconv.Itoa(pid) + "/fd"
	}
	return func(t []byte) bool {
		s := string(t)
		if strings.HasPrefix(s, "/proc/") && strings.HasSuffix(s, ":") {
			dir = strings.TrimSuffix(s, ":")
			return true
		}
		if strings.HasPrefix(s, "total ") || strings.HasPrefix(s, "d") {
			return true
		}
		mode, name, target, ok := link(t)
		if !ok {
			return false
		}
		if !strings.HasPrefix(name, "/") {
			name = dir + "/" + name
		}
		pid, what, ok := procLink(name)
		if !ok {
			return false
		}
		if files[pid] >= maxFiles || len(files) > maxLines/8 {
			return true
		}
		files[pid]++
		e := r.process(pid)
		if r.linked(e, mode, what, target) {
			r.yield(e)
		}
		return true
	}, nil
}

// linked adds what a link tells; it gives false where that is nothing.
func (r *Reader) linked(e *event.Event, mode, what, target string) bool {
	switch {
	case what == "exe":
		Executable(r.in, e, target)
	case what == "cwd":
		dir, gone := strings.CutSuffix(target, " (deleted)")
		e.AddText(event.WorkingDirectory, state.Text([]byte(dir), maxText))
		if gone {
			e.AddText(event.ProcessTrait, "dir-gone")
		}
	case strings.HasPrefix(what, "fd/"):
		fd := what[len("fd/"):]
		if _, err := strconv.ParseUint(fd, 10, 31); err != nil {
			return false
		}
		file, gone := strings.CutSuffix(target, " (deleted)")
		words := fd + " " + state.Text([]byte(file), maxText)
		if gone {
			words += " deleted"
		}
		if mode[2] == 'w' {
			words += " write"
		}
		e.AddText(event.ProcessFile, words)
	default:
		return false
	}
	return true
}

// Hashes reads sha256sum of /proc/PID/exe. Digests of other lengths are passed over: nobody asks for them.
func Hashes(r *Reader) (func([]byte) bool, func()) {
	return func(t []byte) bool {
		sum, name, ok := strings.Cut(string(t), " ")
		pid, what, link := procLink(strings.TrimLeft(name, " *"))
		if !ok || !link || what != "exe" || strings.Trim(sum, "0123456789abcdefABCDEF") != "" {
			return false
		}
		if len(sum) == 64 {
			e := r.process(pid)
			e.AddText(event.FileSHA256, strings.ToLower(sum))
			r.yield(e)
		}
		return true
	}, nil
}

// maxNamed is how many hidden processes are named in one telling.
const maxNamed = 20

// Hidden reads numbers of processes that a collector found in /proc and not in a list of ps that it asked for afterwards. It asked once for each: a
// process that ended in between looks just so, and a busy server has many. They are told as one lead.
func Hidden(r *Reader) (func([]byte) bool, func()) {
	var named []string
	var ref evidence.Ref
	n := 0
	return func(t []byte) bool {
			s := strings.TrimSpace(string(t))
			if _, ok := pidOf(s); !ok {
				return false
			}
			if n == 0 {
				ref = r.ref
			}
			if n++; len(named) < maxNamed {
				named = append(named, s)
			}
			return true
		}, func() {
			if n == 0 {
				return
			}
			subject := strings.Join(named, ", ")
			if n > len(named) {
				subject += " and " + strconv.Itoa(n-len(named)) + " others"
			}
			r.ref, r.raw = ref, []byte(named[0])
			e := r.event(event.Contradiction)
			e.AddText(event.RecordType, "process")
			e.AddText(event.FilePath, subject)
			e.AddText(event.Message, "asked once by the collector: a process that ended meanwhile looks the same")
			e.AddText(event.ViewShown, "proc-readdir")
			e.AddText(event.ViewMissing, "ps")
			e.AddInt(event.EventCount, 1)
			e.AddText(event.LogLevel, "lead")
			r.yield(e)
		}
}
