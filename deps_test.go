package telltale_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the folders bottom to top; a folder imports only lower floors, and folders of one floor
// never import each other. ARCHITECTURE.md says why.
var floors = [][]string{
	{"evidence", "rules"},
	{"event", "internal"},
	{"image", "volume", "filesystem", "memory", "store"},
	{"host", "acquire", "casefile", "detect"},
	{"artifact", "story"},
	{"examine", "report"},
	{"ui"},
	{"lab"},
	{"cmd"},
}

// nevers are imports that are forbidden although the floor would allow them.
var nevers = map[string][]string{
	"image":      {"event"},
	"volume":     {"event"},
	"filesystem": {"event"},
	"memory":     {"event"},
	"detect":     {"host", "filesystem", "image", "volume", "memory", "store"},
	"artifact":   {"store", "detect"},
	"acquire":    {"image", "volume", "memory", "store"},
}

// families are the folders whose members may import their contract and not each other; all/ lists them.
var families = []string{"image", "volume", "filesystem", "memory", "artifact", "detect", "report"}

// restricted are imports and calls that need a reason; the reason is what the test says.
var restricted = []struct{ pattern, why, except string }{
	{"io.ReadAll(", "reads without a bound: evidence may be without end", ""},
	{"bufio.NewScanner(", "stops at the first line over 64 KiB: use internal/lines", ""},
	{"\"debug/elf\"", "is not hardened against hostile files", ""},
	{"os.DirFS(", "follows links to the examiner's own disk: use filesystem/tree", ""},
	{"func init()", "hides what a program is made of: use an explicit list", ""},
	{"\"os/exec\"", "nothing is run but in lab and tests", "lab/"},
	{"regexp.MustCompile", "ten times slower than a scanner by hand: not on the paths that read evidence", ""},
	{"recover()", "only internal/guard recovers", "internal/guard/"},
	{"slog.Default(", "the logger is passed in", ""},
	{"filepath.Glob(", "marks folders as read, and a running machine is left as it was", "lab/ cmd/telltale/lab.go"},
}

func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for i, names := range floors {
		for _, n := range names {
			floor[n] = i
		}
	}
	seen := 0
	walk(t, func(path string, src []byte) {
		from, rest, _ := strings.Cut(filepath.ToSlash(path), "/")
		at, ok := floor[from]
		if !ok {
			t.Errorf("%s: the folder %q stands on no floor", path, from)
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil || !strings.HasPrefix(p, "telltale/") {
				continue
			}
			seen++
			to, member, _ := strings.Cut(strings.TrimPrefix(p, "telltale/"), "/")
			if to == from {
				if family(from) && !strings.HasPrefix(rest, "all/") && member != "" && !strings.HasPrefix(rest, member+"/") && !strings.HasPrefix(member, "internal/") && !helper(member) && !strings.HasSuffix(path, "_test.go") {
					t.Errorf("%s imports its sibling %s: members of a family do not know each other", path, p)
				}
				continue
			}
			if floor[to] >= at && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s imports %s, which stands on floor %d, not below its own floor %d", path, p, floor[to], at)
			}
			for _, n := range nevers[from] {
				if n == to {
					t.Errorf("%s imports %s: never", path, p)
				}
			}
		}
	})
	if seen < 50 {
		t.Fatalf("only %d imports of ours were seen: the test looks at the wrong place", seen)
	}
}

func family(name string) bool {
	for _, f := range families {
		if f == name {
			return true
		}
	}
	return false
}

// helper names the folders within families that are for members' tests.
func helper(member string) bool { return strings.HasSuffix(member, "test") }

func TestFamiliesAreListed(t *testing.T) {
	for _, fam := range families {
		entries, err := os.ReadDir(fam)
		if err != nil {
			continue // not built yet
		}
		list, err := os.ReadFile(filepath.Join(fam, "all", "all.go"))
		if err != nil {
			t.Errorf("%s has no list of its members: %v", fam, err)
			continue
		}
		for _, e := range entries {
			n := e.Name()
			if !e.IsDir() || n == "all" || n == "internal" || n == "testdata" || helper(n) || fam == "filesystem" && trees[n] || fam == "image" && n == "split" || fam == "memory" && n == "kernel" {
				continue
			}
			if !strings.Contains(string(list), strconv.Quote("telltale/"+fam+"/"+n)) {
				t.Errorf("%s/%s is not in %s/all/all.go", fam, n, fam)
			}
			tests, _ := filepath.Glob(filepath.Join(fam, n, "*_test.go"))
			if len(tests) == 0 {
				t.Errorf("%s/%s has no test", fam, n)
			}
			if (fam == "artifact" || fam == "filesystem" || fam == "volume" || fam == "image" || fam == "memory") && !mentions(tests, "func Fuzz") {
				t.Errorf("%s/%s decodes evidence and has no fuzz target", fam, n)
			}
		}
	}
}

// trees are the filesystems that lie on no block source: package host opens them by what it is given.
// image/split is no member for a like reason: a part of a disk shows by its name, not by its bytes. memory/kernel is none
// either: it is no format, it reads what lies in the memory.
var trees = map[string]bool{"tree": true, "tarball": true, "ziparchive": true, "overlay": true, "live": true}

func mentions(files []string, s string) bool {
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), s) {
			return true
		}
	}
	return false
}

func TestRestrictedCalls(t *testing.T) {
	walk(t, func(path string, src []byte) {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
			return
		}
		for _, r := range restricted {
			if slices.ContainsFunc(strings.Fields(r.except), func(p string) bool { return strings.HasPrefix(filepath.ToSlash(path), p) }) {
				continue
			}
			for i, line := range strings.Split(string(src), "\n") {
				if code, _, _ := strings.Cut(line, "//"); strings.Contains(code, r.pattern) {
					t.Errorf("%s:%d uses %s: %s", path, i+1, r.pattern, r.why)
				}
			}
		}
	})
}

// walk calls f for every Go file below the floors.
func walk(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (p == ".git" || p == "testdata" || strings.HasPrefix(p, "practice")) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".go" || !strings.ContainsRune(filepath.ToSlash(p), '/') {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f(p, src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
