package views

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

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
		ID: id, Parent: parent, Dev: front[2], Root: unescape(front[3]), At: unescape(front[4]),
		Options: front[5] + "," + back[2], Type: back[0], Source: unescape(back[1]),
	}, nil
}

// unescape undoes what mangle() of fs/seq_file.c does: space, tab, newline and backslash stand as \ooo.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
