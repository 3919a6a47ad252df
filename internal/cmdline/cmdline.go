// Package cmdline takes command lines apart as a shell does, and tells which other machines they reach for. Nothing is expanded or run: a word
// with a variable in it names nothing. Lines come from histories, sudo and the audit, and may be crafted; what is longer than
// the bounds is cut. Sources: POSIX.1-2017 XCU 2, and the manual pages of the programs.
package cmdline

import (
	"path"
	"strings"
)

// Bounds of one line.
const (
	maxLine  = 16 << 10 // bytes
	maxWords = 1024
	maxDepth = 4 // of lines within lines: bash -c "sudo sh -c '...'"
)

// Command is one simple command: words with their quotes taken off, and the files that it is led from and to.
type Command struct{ Words, In, Out []string }

// Name is the program's name without its folder, "" where there is none.
func (c *Command) Name() string {
	if len(c.Words) == 0 {
		return ""
	}
	return path.Base(c.Words[0])
}

// Parse gives the simple commands of a line, those that others start (sudo, sh -c, timeout ...) in their place.
func Parse(line string) (out []Command) {
	parse(line, 0, &out)
	return out
}

func parse(line string, depth int, out *[]Command) {
	for _, c := range split(line[:min(len(line), maxLine)]) {
		inner, text := unwrap(c.Words)
		c.Words = inner
		if text != "" && depth < maxDepth {
			parse(text, depth+1, out)
		}
		if len(c.Words)+len(c.In)+len(c.Out) > 0 && len(*out) < maxWords {
			*out = append(*out, c)
		}
	}
}

// splitter is the state within one line.
type splitter struct {
	out   []Command
	now   Command
	word  []byte
	begun bool // a word has begun, if only with a quote
	to    byte // '<' or '>': the next word is a file
	words int
}

func split(line string) []Command {
	var s splitter
	for i := 0; i < len(line); {
		i = s.next(line, i)
	}
	s.endCommand()
	return s.out
}

// next takes what stands at i and gives where to go on.
func (s *splitter) next(line string, i int) int {
	switch c := line[i]; c {
	case '\\':
		if i+1 < len(line) {
			if line[i+1] != '\n' {
				s.add(line[i+1])
			}
			return i + 2
		}
	case '\'', '"':
		return s.quoted(line, i)
	case ' ', '\t', '\r':
		s.endWord()
	case ';', '|', '\n', '(', ')', '`':
		s.endCommand()
	case '&':
		if i+1 < len(line) && line[i+1] == '>' { // &> file
			return i + 1
		}
		s.endCommand()
	case '#':
		if s.begun {
			s.add(c)
			break
		}
		for i < len(line) && line[i] != '\n' {
			i++
		}
		return i
	case '<', '>':
		return s.redirect(line, i)
	case '$':
		if i+1 < len(line) && line[i+1] == '(' {
			s.endCommand()
			return i + 2
		}
		s.add(c)
	default:
		s.add(c)
	}
	return i + 1
}

func (s *splitter) add(c byte) {
	s.word = append(s.word, c)
	s.begun = true
}

// quoted takes a quoted part of a word. Without a closing quote it goes to the line's end.
func (s *splitter) quoted(line string, i int) int {
	q := line[i]
	s.begun = true
	for i++; i < len(line) && line[i] != q; i++ {
		if q == '"' && line[i] == '\\' && i+1 < len(line) {
			i++
		}
		s.add(line[i])
	}
	return i + 1
}

// redirect takes "2>", ">>", "<", ">&" and what they mean for the next word.
func (s *splitter) redirect(line string, i int) int {
	if strings.Trim(string(s.word), "0123456789") == "" { // the number of what is redirected
		s.word, s.begun = s.word[:0], false
	}
	s.endWord()
	s.to = line[i]
	if s.to == '<' && i+1 < len(line) && line[i+1] == '(' { // <(command)
		s.to = 0
		s.endCommand()
		return i + 2
	}
	for i++; i < len(line) && strings.IndexByte("<>&|", line[i]) >= 0; i++ {
	}
	return i
}

func (s *splitter) endWord() {
	if !s.begun {
		return
	}
	w := string(s.word)
	s.word, s.begun = s.word[:0], false
	if s.words++; s.words > maxWords {
		return
	}
	switch s.to {
	case '<':
		s.now.In = append(s.now.In, w)
	case '>':
		s.now.Out = append(s.now.Out, w)
	default:
		s.now.Words = append(s.now.Words, w)
	}
	s.to = 0
}

func (s *splitter) endCommand() {
	s.endWord()
	s.to = 0
	if len(s.now.Words)+len(s.now.In)+len(s.now.Out) > 0 {
		s.out = append(s.out, s.now)
	}
	s.now = Command{}
}

// starters are programs that start what follows their options; the options that take a value are named by their letters.
var starters = map[string]string{"sudo": "ugphCTRDrt", "doas": "uC", "nohup": "", "setsid": "", "nice": "n", "ionice": "cnpPu", "time": "fo", "exec": "a", "command": "", "builtin": "", "stdbuf": "ioe", "chroot": "", "timeout": "sk", "env": "uCS", "sshpass": "pfdP",
	"proxychains": "f", "proxychains4": "f", "torsocks": "", "torify": "", "busybox": "", "unbuffer": "", "watch": "n", "catchsegv": "", "then": "", "do": "", "else": "", "if": "", "elif": "", "while": "", "until": "", "!": "", "{": ""}

// unwrap takes off what only starts another program; text is a line that a shell is given.
func unwrap(w []string) (inner []string, text string) {
	for { // each round takes a word at least
		for len(w) > 0 && assignment(w[0]) {
			w = w[1:]
		}
		if len(w) == 0 {
			return nil, ""
		}
		name := path.Base(w[0])
		values, ok := starters[name]
		if !ok {
			break
		}
		w = options(w[1:], values)
		if (name == "timeout" || name == "chroot") && len(w) > 0 { // the time, the folder
			w = w[1:]
		}
	}
	switch name := path.Base(w[0]); name {
	case "sh", "bash", "dash", "zsh", "ksh", "ash", "su", "runuser":
		for i, x := range w[1:] {
			if len(x) > 1 && x[0] == '-' && x[1] != '-' && x[len(x)-1] == 'c' && i+2 < len(w) {
				return w[:1], w[i+2]
			}
		}
	case "eval":
		return w[:1], strings.Join(w[1:], " ")
	}
	return w, ""
}

// assignment tells NAME=value before a command.
func assignment(w string) bool {
	k, _, ok := strings.Cut(w, "=")
	return ok && k != "" && k[0] != '-' && strings.IndexFunc(k, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// options gives what follows a program's own options.
func options(w []string, values string) []string {
	for len(w) > 0 && len(w[0]) > 1 && w[0][0] == '-' {
		x := w[0]
		w = w[1:]
		if x == "--" {
			break
		}
		if x[1] != '-' && strings.IndexByte(values, x[len(x)-1]) >= 0 && len(x) == 2 && len(w) > 0 {
			w = w[1:]
		}
	}
	return w
}
