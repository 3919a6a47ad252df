// Package filetype tells what a file is by its first bytes, not by its name.
package filetype

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// Head is how many bytes of a file are enough.
const Head = 4 << 10

// Kinds of files, as Of gives them. Where there are families ("image", "archive") the kind names the family.
const (
	ELF     = "elf"
	Script  = "script"
	PHP     = "php"
	Archive = "archive"
	Image   = "image"
	Media   = "media"
	PDF     = "pdf"
	SQLite  = "sqlite"
	Capture = "capture"
	Key     = "private-key"
	Journal = "journal"
	Text    = "text"
	Zeros   = "zeros"
	Empty   = "empty"
	Data    = "data"
)

// magic are the marks that files begin with.
var magic = []struct {
	off  int
	mark string
	kind string
}{
	{0, "\x7fELF", ELF}, {0, "\x1f\x8b", Archive}, {0, "BZh", Archive}, {0, "\xfd7zXZ\x00", Archive}, {0, "\x28\xb5\x2f\xfd", Archive}, {0, "PK\x03\x04", Archive}, {0, "7z\xbc\xaf\x27\x1c", Archive},
	{0, "Rar!\x1a\x07", Archive}, {257, "ustar", Archive}, {0, "!<arch>\n", Archive}, {0, "\xed\xab\xee\xdb", Archive}, {0, "\x04\x22\x4d\x18", Archive},
	{0, "\x89PNG\r\n", Image}, {0, "\xff\xd8\xff", Image}, {0, "GIF8", Image}, {0, "BM", Image}, {0, "II*\x00", Image}, {0, "MM\x00*", Image}, {8, "WEBP", Image}, {0, "\x00\x00\x01\x00", Image},
	{0, "OggS", Media}, {0, "ID3", Media}, {4, "ftyp", Media}, {0, "fLaC", Media}, {0, "RIFF", Media}, {0, "%PDF-", PDF}, {0, "SQLite format 3\x00", SQLite},
	{0, "\xd4\xc3\xb2\xa1", Capture}, {0, "\xa1\xb2\xc3\xd4", Capture}, {0, "\x0a\x0d\x0d\x0a", Capture}, {0, "LPKSHHRH", Journal},
}

// Of tells a file's kind, and of a script what runs it ("sh", "python3").
func Of(head []byte) (kind, runs string) {
	if len(head) == 0 {
		return Empty, ""
	}
	kind = Data
	for _, m := range magic {
		if len(head) >= m.off+len(m.mark) && string(head[m.off:m.off+len(m.mark)]) == m.mark {
			kind = m.kind
			break
		}
	}
	if bytes.HasPrefix(head, []byte("#!")) {
		return Script, interpreter(head)
	}
	if kind != ELF && hasPHP(head) { // also behind the mark of an image: that is how uploads are passed off
		return PHP, ""
	}
	if kind != Data {
		return kind, ""
	}
	switch {
	case bytes.HasPrefix(head, []byte("-----BEGIN")) && bytes.Contains(head[:min(len(head), 80)], []byte("PRIVATE KEY-----")):
		return Key, ""
	case zeros(head):
		return Zeros, ""
	case text(head):
		return Text, ""
	}
	return Data, ""
}

// hasPHP tells code of PHP: "<?php", or "<?=" at the beginning.
func hasPHP(b []byte) bool {
	return bytes.HasPrefix(b, []byte("<?=")) || bytes.Contains(bytes.ToLower(b), []byte("<?php"))
}

// interpreter gives what the first line of a script names, without folder, and what env is told to run.
func interpreter(b []byte) string {
	line, _, _ := bytes.Cut(b[2:min(len(b), 256)], []byte("\n"))
	words := strings.Fields(string(line))
	for len(words) > 0 {
		name := path.Base(words[0])
		words = words[1:]
		if name == "env" || strings.HasPrefix(name, "-") || strings.Contains(name, "=") {
			continue
		}
		if utf8.ValidString(name) && len(name) <= 32 {
			return name
		}
		break
	}
	return ""
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// text tells bytes that are characters of UTF-8 without controls that no text has. The last character may be cut.
func text(b []byte) bool {
	for i := 0; i < len(b); {
		c := b[i]
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b || c == 0x7f {
			return false
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && len(b)-i >= utf8.UTFMax {
			return false
		}
		i += n
	}
	return true
}

// named are the kinds that extensions promise.
var named = map[string]string{".jpg": Image, ".jpeg": Image, ".png": Image, ".gif": Image, ".bmp": Image, ".webp": Image, ".ico": Image, ".svg": Text, ".pdf": PDF, ".txt": Text, ".log": Text, ".md": Text, ".css": Text,
	".csv": Text, ".conf": Text, ".cfg": Text, ".ini": Text, ".json": Text, ".xml": Text, ".html": Text, ".htm": Text, ".mp3": Media, ".mp4": Media, ".zip": Archive, ".gz": Archive, ".tgz": Archive}

// Disguised tells whether a file that is code bears a name that promises something harmless, and what it promises.
func Disguised(name, kind string) (promised string, yes bool) {
	promised = named[strings.ToLower(path.Ext(name))]
	switch {
	case promised == "":
		return "", false
	case kind == ELF:
		return promised, true
	case kind == PHP && promised != Text, kind == Script && promised != Text && promised != Archive:
		return promised, true
	}
	return "", false
}
