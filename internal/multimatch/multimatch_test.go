package multimatch

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// find gives the numbers of the words in text, each once.
func find(s *Set, text string) []int32 {
	return slices.Compact(all(s, text))
}

// all gives them as often as they stand there.
func all(s *Set, text string) []int32 {
	var out []int32
	s.Find([]byte(text), func(w int32) { out = append(out, w) })
	slices.Sort(out)
	return out
}

func TestFind(t *testing.T) {
	s, err := New([]string{"he", "she", "hers", "", "union select", "/etc/passwd"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int32{
		"ushers":                    {0, 1, 2},
		"":                          nil,
		"h e":                       nil,
		"id=1 UNION Select 2":       {4},
		"GET /x?f=../../etc/passwd": {5},
		"GET /x?f=../../etc/passw":  nil,
		"SHE\xff\x00he":             {0, 1},
	} {
		if got := find(s, text); !slices.Equal(got, want) {
			t.Errorf("in %q: %v, not %v", text, got, want)
		}
	}
}

// TestAgainstContains compares with a plain search over random texts of few letters, where words overlap most.
func TestAgainstContains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abAB"[r.IntN(4)]
		}
		return string(b)
	}
	for n := range 20000 {
		words := make([]string, 1+r.IntN(8))
		for i := range words {
			words[i] = text(1 + n%5 + r.IntN(5)) // those of three bytes and more go through the sieve
		}
		s, err := New(words)
		if err != nil {
			t.Fatal(err)
		}
		in := text(r.IntN(40)) + strings.Repeat(" ", n%7) + text(r.IntN(30))
		var want []int32
		for i, w := range words {
			for at := range len(in) {
				if strings.HasPrefix(strings.ToLower(in[at:]), strings.ToLower(w)) {
					want = append(want, int32(i))
				}
			}
		}
		if got := all(s, in); !slices.Equal(got, want) {
			t.Fatalf("%q in %q: %v, not %v", words, in, got, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	var words []string
	for i := range 40000 {
		w := make([]byte, 40)
		r := rand.New(rand.NewPCG(uint64(i), 3))
		for j := range w {
			w[j] = byte(r.IntN(256))
		}
		words = append(words, string(w))
	}
	if _, err := New(words); err != ErrTooLarge {
		t.Errorf("the table's bound does not hold: %v", err)
	}
}

func BenchmarkFind(b *testing.B) {
	words := make([]string, 2000)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range words {
		w := make([]byte, 8+r.IntN(10))
		for j := range w {
			w[j] = byte('a' + r.IntN(26))
		}
		words[i] = string(w)
	}
	s, err := New(words)
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(strings.Repeat(`192.0.2.7 - - [02/Jan/2024:03:04:05 +0000] "GET /index.php?id=12&page=about HTTP/1.1" 200 5123 "https://example.org/" "Mozilla/5.0"`, 8))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		s.Find(line, func(int32) {})
	}
}

// BenchmarkSieve is a line that holds none of a few words, as nearly all are.
func BenchmarkSieve(b *testing.B) {
	s, err := New([]string{"dcc_job_summary", ":)] fail login", ":)] ok login"})
	if err != nil {
		b.Fatal(err)
	}
	line := []byte("Jan  2 03:04:05 web1 sshd[123]: Failed password for invalid user admin from 203.0.113.66 port 51234 ssh2")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		s.Find(line, func(int32) {})
	}
}
