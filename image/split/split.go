// Package split joins a raw disk image that was cut into parts (name.001, name.002, ...;
// from .000; .aa, .ab as split(1) names them) back into one. A part shows by its name
// alone, so this is no member that a probe could find: whoever opens a file asks Joined
// first and probes what it gives. Sizes are in bytes.
package split

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"telltale/image"
)

// maxParts bounds the search for parts; three digits end at 999, three letters at 17,576.
const maxParts = 20_000

// Joined gives the whole of which f is the first part, told by its name and by the next part
// lying beside it. The notes say what was joined, and what is odd about it. The whole keeps
// the first part's name without its number.
func Joined(f image.File) (whole image.File, notes []string, ok bool) {
	stem, ext, ok := first(f.Name)
	if !ok || f.Beside == nil || f.Size < 0 {
		return f, nil, false
	}
	j := &joined{parts: []image.File{f}, ends: []int64{f.Size}}
	at := ext
	for len(j.parts) < maxParts {
		at, ok = next(at)
		if !ok {
			break
		}
		p, err := f.Beside(stem + at)
		if err != nil || p.Size < 0 || j.size() > 1<<62-p.Size {
			break
		}
		j.parts, j.ends = append(j.parts, p), append(j.ends, j.size()+p.Size)
	}
	if len(j.parts) < 2 {
		return f, nil, false
	}
	notes = j.notes(ext, lastExt(ext, len(j.parts)))
	if n := gap(f, stem, at); n != "" {
		notes = append(notes, n)
	}
	return image.File{ReaderAt: io.NewSectionReader(j, 0, j.size()), Size: j.size(), Name: strings.TrimSuffix(stem, "."), Beside: f.Beside}, notes, true
}

// first takes the name of a first part apart: the part's mark is its last three or more
// characters behind the last dot, or behind an "x" of split(1)'s own.
func first(name string) (stem, mark string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	stem, mark = name[:i+1], name[i+1:]
	if i <= 0 || strings.ContainsAny(name, "/\\\x00") {
		return "", "", false
	}
	switch n := len(mark); {
	case n >= 2 && n <= 5 && (strings.Trim(mark, "0") == "" || strings.Trim(mark[:n-1], "0") == "" && mark[n-1] == '1'):
		return stem, mark, true
	case n >= 2 && n <= 4 && (strings.Trim(mark, "a") == "" || strings.Trim(mark, "A") == ""):
		return stem, mark, true
	}
	return "", "", false
}

// next counts a mark up; it ends with all nines or all z.
func next(mark string) (string, bool) {
	b := []byte(mark)
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case '9':
			b[i] = '0'
		case 'z':
			b[i] = 'a'
		case 'Z':
			b[i] = 'A'
		default:
			b[i]++
			return string(b), true
		}
	}
	return "", false
}

func lastExt(mark string, parts int) string {
	for range parts - 1 {
		mark, _ = next(mark)
	}
	return mark
}

// gap looks a little further for parts behind the one that is missing.
func gap(f image.File, stem, missing string) string {
	at, ok := missing, missing != ""
	for range 10 {
		if at, ok = next(at); !ok || at == "" {
			return ""
		}
		if _, err := f.Beside(stem + at); err == nil {
			return fmt.Sprintf("the part %q is missing, though %q is there: what is behind it was not joined", stem+missing, stem+at)
		}
	}
	return ""
}

type joined struct {
	parts []image.File
	ends  []int64 // where each part ends in the whole
}

func (j *joined) size() int64 { return j.ends[len(j.ends)-1] }

func (j *joined) notes(from, to string) []string {
	list := []string{fmt.Sprintf("joined %d parts, .%s to .%s, of %d bytes each, the last of %d: %d bytes together",
		len(j.parts), from, to, j.parts[0].Size, j.parts[len(j.parts)-1].Size, j.size())}
	for _, p := range j.parts[1 : len(j.parts)-1] {
		if p.Size != j.parts[0].Size {
			list = append(list, fmt.Sprintf("the part %q has %d bytes, the first has %d: something may be missing", p.Name, p.Size, j.parts[0].Size))
			if len(list) > 20 {
				break
			}
		}
	}
	if n := len(j.parts); j.parts[n-1].Size > j.parts[0].Size {
		list = append(list, fmt.Sprintf("the last part %q is bigger than the first", j.parts[n-1].Name))
	}
	return list
}

// ReadAt reads across the parts; a part that ends early gives its error there.
func (j *joined) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > off })
	for n < len(p) {
		if i == len(j.parts) {
			return n, io.EOF
		}
		start := j.ends[i] - j.parts[i].Size
		want := int(min(int64(len(p)-n), j.ends[i]-off))
		got, err := j.parts[i].ReadAt(p[n:n+want], off-start)
		n, off = n+got, off+int64(got)
		if got < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, fmt.Errorf("read part %q: %w", j.parts[i].Name, err)
		}
		i++
	}
	return n, nil
}
