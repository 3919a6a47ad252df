package examine

import (
	"bytes"
	"hash/maphash"

	"telltale/internal/carve"
	"telltale/internal/logclock"
)

// A line that no log has may never have stood in the log that its neighbours stand in: what was found can be a log that holds more, and was rotated
// away (syslog holds kern.log's lines among others, a log server's one log those of many hosts), and the log that lives an extract of it. So the lines
// of such a place are held against who speaks in the log that lives.

// Bounds of telling an extract.
const (
	maxVoices      = 1 << 12 // hosts, and programs, that are kept of one log
	fewGaps        = 3       // rows in a place from which on a log about one address alone is an extract
	manyGaps       = 10      // rows, and addresses in them, from which on a log with less than a third of the lines is one
	extractsFactor = 2
)

// voices is who speaks in a living log.
type voices struct {
	hosts, programs map[uint64]struct{}
	broken          bool // it could not be read to its end: what seems to be missing may lie there
}

// voiceOf gives the host and the program of a line of syslog.
func voiceOf(b []byte) (host, program []byte, ok bool) {
	if len(b) > 0 && b[0] == '<' {
		if i := bytes.IndexByte(b[:min(len(b), 6)], '>'); i > 0 {
			b = bytes.TrimPrefix(b[i+1:], []byte("1 "))
		}
	}
	var c logclock.Clock
	_, n := c.BSD(b)
	if n == 0 {
		_, n = c.ISO(b)
	}
	if n == 0 || n >= len(b) {
		return nil, nil, false
	}
	host, rest, ok := bytes.Cut(bytes.TrimLeft(b[n:], " "), []byte(" "))
	if i := bytes.IndexAny(rest, "[: "); i >= 0 {
		rest = rest[:i]
	}
	return host, rest, ok && len(host) > 0 && len(rest) > 0
}

// hear takes in a line of a living log.
func (v *voices) hear(seed maphash.Seed, b []byte) {
	host, program, ok := voiceOf(b)
	if !ok {
		return
	}
	if v.hosts == nil {
		v.hosts, v.programs = map[uint64]struct{}{}, map[uint64]struct{}{}
	}
	if len(v.hosts) < maxVoices {
		v.hosts[maphash.Bytes(seed, host)] = struct{}{}
	}
	if len(v.programs) < maxVoices {
		v.programs[maphash.Bytes(seed, program)] = struct{}{}
	}
}

// foreign tells whether a line cannot have stood in a log: its host never speaks there, or its program speaks in other logs alone.
// A program that speaks nowhere may have been silenced.
func (s *shovel) foreign(family int32, b []byte) bool {
	host, program, ok := voiceOf(b)
	own := s.voices[family]
	if !ok || own.hosts == nil {
		return false
	}
	if _, known := own.hosts[maphash.Bytes(s.seed, host)]; !known && len(own.hosts) < maxVoices {
		return true
	}
	p := maphash.Bytes(s.seed, program)
	if _, known := own.programs[p]; known || len(own.programs) >= maxVoices {
		return false
	}
	for _, v := range s.voices {
		if _, known := v.programs[p]; known {
			return true
		}
	}
	return false
}

// site is where lines were found together, as lines of one log: a deleted file, or a row in raw space.
type site struct{ origin, start, family int32 }

// census is what was found in a site.
type census struct {
	stand, gone, rows int
	heard, missed     map[uint16]struct{} // addresses that lines that stand, and that are gone, are about
	foreign           bool
}

// extract tells whether the log that lives is an extract of what was found, not what is left of it.
func (t *census) extract() bool {
	return t.foreign || t.rows >= fewGaps && len(t.heard) == 1 && len(t.missed) > 1 ||
		t.rows >= manyGaps && len(t.missed) >= manyGaps && t.gone >= extractsFactor*t.stand
}

// tallies counts all sites. read gives the text of a line, nil where it cannot be read.
func (s *shovel) tallies(removed map[int32][]oldRun, read func(l *carved) []byte) map[site]*census {
	out := map[site]*census{}
	for f, runs := range removed {
		for _, run := range runs {
			k := s.siteOf(run.from, f)
			t := out[k]
			if t == nil {
				t = &census{heard: map[uint16]struct{}{}, missed: map[uint16]struct{}{}}
				out[k] = t
			}
			t.rows++
			for i := run.from; i < run.to; i++ {
				l := &s.lines[i]
				t.gone++
				if l.about != 0 {
					t.missed[l.about] = struct{}{}
				}
				if run.closed && !t.foreign && l.form == carve.Syslog {
					t.foreign = s.foreign(f, read(l))
				}
			}
		}
	}
	for i := range s.lines {
		l := &s.lines[i]
		if l.family < 0 {
			continue
		}
		if t := out[s.siteOf(int32(i), l.family)]; t != nil {
			if t.stand++; l.about != 0 {
				t.heard[l.about] = struct{}{}
			}
		}
	}
	return out
}

func (s *shovel) siteOf(i, family int32) site {
	o := s.lines[i].origin
	if s.origins[o].file != "" {
		return site{o, 0, family}
	}
	return site{o, s.lines[i].start, family}
}
