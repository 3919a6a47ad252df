package views

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// parseMounts reads /proc/PID/mountinfo as proc(5) has it:
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//	id parent dev root at options [tags] - type source options-of-the-filesystem
//
// Lines that are otherwise are counted, not guessed at.
func parseMounts(b []byte) (mounts []*state.Mount, bad int) {
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if len(line) == 0 {
			continue
		}
		m, err := parseMount(string(line))
		if err != nil {
			bad++
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts, bad
}

func parseMount(line string) (*state.Mount, error) {
	head, tail, ok := strings.Cut(line, " - ")
	front, back := strings.Fields(head), strings.Split(tail, " ")
	if !ok || len(front) < 6 || len(back) < 3 {
		return nil, fmt.Errorf("mountinfo line %q has another form", line)
	}
	id, err := strconv.Atoi(front[0])
	if err != nil {
		return nil, fmt.Errorf("mountinfo line %q: %w", line, err)
	}
	parent, err := strconv.Atoi(front[1])
	if err != nil {
		return nil, fmt.Errorf("mountinfo line %q: %w", line, err)
	}
	return &state.Mount{
		ID: id, Parent: parent, Dev: front[2], Root: procfs.Unescape(front[3]), At: procfs.Unescape(front[4]),
		Options: front[5] + "," + back[2], Type: back[0], Source: procfs.Unescape(back[1]),
	}, nil
}
