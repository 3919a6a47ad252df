package kernel

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// kept is an Out that keeps what it is given.
type kept struct {
	t       testing.TB
	records map[string][]any
	files   map[string]int64
}

func newKept(t testing.TB) *kept {
	return &kept{t: t, records: map[string][]any{}, files: map[string]int64{}}
}

func (k *kept) Record(file string, v any) error {
	k.records[file] = append(k.records[file], v)
	return nil
}

func (k *kept) File(name string, _ int64, _ time.Time, r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	k.files[name] = n
	return err
}

func (k *kept) Failed(what string, err error) { k.t.Logf("failed: %s: %v", what, err) }

// print logs the first records of a file.
func (k *kept) print(file string, n int) {
	for i, v := range k.records[file] {
		if b, _ := json.Marshal(v); i < n {
			k.t.Logf("%s %s", file, b)
		}
	}
}

// quiet fails for a contradiction that holds: nothing is hidden here.
func (k *kept) quiet() {
	k.t.Helper()
	for _, v := range k.records[state.ContradictionsFile] {
		b, _ := json.Marshal(v)
		if v.(*state.Contradiction).Holds() {
			k.t.Errorf("a false alarm: %s", b)
		} else {
			k.t.Logf("a lead: %s", b)
		}
	}
}

func testBox() *acquire.Box {
	return &acquire.Box{Root: "/", Proc: "/proc", Sys: "/sys", Self: os.Getpid()}
}

func TestTheKernelHere(t *testing.T) {
	for _, step := range []acquire.Step{Facts(Options{Full: true}), Modules(Options{}), Hooks(Options{}), Memory(Options{})} {
		k := newKept(t)
		began := time.Now()
		if err := step.Take(t.Context(), testBox(), k); err != nil {
			t.Fatal(err)
		}
		t.Log(step.Name, time.Since(began), k.files)
		k.print(state.KernelFile, 1)
		k.print(state.ViewFile, 20)
		k.print(state.ModuleFile, 3)
		k.print(state.HookFile, 3)
		k.quiet()
		if step.Name == "kernel" && os.Geteuid() == 0 && (k.files["kernel/kmsg"] == 0 || len(k.records[state.KernelFile]) != 1) {
			t.Error("the log was not kept")
		}
	}
}

// fakeMachine writes the files of a machine with the modules of someModules, one of which its list hides.
func fakeMachine(t *testing.T, files map[string]string) *acquire.Box {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &acquire.Box{Root: dir, Proc: filepath.Join(dir, "proc"), Sys: filepath.Join(dir, "sys")}
}

func TestAHiddenModuleIsFound(t *testing.T) {
	box := fakeMachine(t, map[string]string{
		"proc/modules": "nf_tables 307200 0 - Live 0xffffffffc0800000\n", "proc/kallsyms": someSymbols, "proc/vmallocinfo": someAreas,
		"proc/sys/kernel/tainted": "12288\n", "proc/sys/kernel/osrelease": "5.15.0-1\n",
		"sys/module/nf_tables/initstate": "live\n", "sys/module/hidden/initstate": "live\n", "sys/module/tcp_cubic/parameters/x": "1",
		"sys/kernel/tracing/README": "", "sys/kernel/tracing/available_filter_functions": "evil_kill [hidden]\nnft_do_chain [nf_tables]\n",
	})
	k := newKept(t)
	if err := Modules(Options{}).Take(t.Context(), box, k); err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, v := range k.records[state.ContradictionsFile] {
		c := v.(*state.Contradiction)
		subjects = append(subjects, c.What+" "+c.Subject)
		if c.Holds() != (c.Subject == "hidden") {
			t.Errorf("%+v", c)
		}
	}
	slices.Sort(subjects)
	if want := []string{"module hidden", "module memory", "taint E: unsigned module", "taint O: out-of-tree module"}; !slices.Equal(subjects, want) {
		t.Errorf("%q", subjects)
	}
	if len(box.Modules) != 1 || len(k.records[state.ModuleFile]) != 1 {
		t.Error("the listed module was not written")
	}
}

// One that is loaded while we look is in the list of the next pass.
func TestAModuleThatIsJustLoadedIsNone(t *testing.T) {
	box := fakeMachine(t, map[string]string{"sys/module/late/initstate": "live\n", "sys/kernel/tracing/README": ""})
	k := newKept(t)
	reads := 0
	m := &moduleViews{box: box, out: k, list: bounded.Folders, read: func(path string, limit int) ([]byte, error) {
		if !strings.HasSuffix(path, "/proc/modules") {
			return bounded.Read(path, limit)
		}
		if reads++; reads < 3 {
			return nil, nil
		}
		return []byte("late 1 0 - Live 0x0\n"), nil
	}}
	if err := m.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(k.records[state.ContradictionsFile]); n != 0 {
		t.Errorf("%d contradictions", n)
	}
}

func TestAWipedTaintIsFound(t *testing.T) {
	k := newKept(t)
	f := &facts{box: fakeMachine(t, map[string]string{"proc/sys/kernel/tainted": "0\n"}), out: k, k: &state.Kernel{}}
	r, _ := parseRecord([]byte("4,1,1,-;evil: loading out-of-tree module taints kernel.\n"))
	f.log = append(f.log, r)
	if err := f.wiped(); err != nil {
		t.Fatal(err)
	}
	if len(k.records[state.ContradictionsFile]) != 1 || !k.records[state.ContradictionsFile][0].(*state.Contradiction).Holds() {
		t.Errorf("%v", k.records)
	}
}

// What the kernel's memory has and its lists leave out is found, where the memory can be read.
func TestAProcessHiddenFromItsListIsFoundInMemory(t *testing.T) {
	c, err := newCore(testBox())
	if err != nil {
		t.Skip(err)
	}
	defer c.file.Close()
	k := newKept(t)
	c.out = k
	self := strconv.Itoa(os.Getpid())
	err = c.compare(t.Context(), "process", c.tasks, func() (map[string]string, error) {
		all, err := c.listedTasks()
		delete(all, self)
		return all, err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.print(state.ViewFile, 3)
	k.print(state.ContradictionsFile, 3)
	if n := len(k.records[state.ContradictionsFile]); n != 1 {
		t.Fatalf("%d contradictions", n)
	}
	if got := k.records[state.ContradictionsFile][0].(*state.Contradiction); !got.Holds() || got.PID != os.Getpid() {
		t.Errorf("%+v", got)
	}
}
