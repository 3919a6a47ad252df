package btf

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
)

// someBTF describes struct task_struct { int a; struct { struct list_head tasks; }; char comm[16]; } in few types.
func someBTF() []byte {
	names := []byte("\x00task_struct\x00tgid\x00tasks\x00comm\x00")
	at := func(s string) uint32 { return uint32(bytes.Index(names, []byte("\x00"+s+"\x00")) + 1) }
	var types []byte
	put := func(v ...uint32) {
		for _, x := range v {
			types = binary.NativeEndian.AppendUint32(types, x)
		}
	}
	put(0, 1<<24, 4, 32)                            // 1: INT
	put(0, kindStruct<<24|1, 16, at("tasks"), 1, 0) // 2: a structure without a name
	put(at("task_struct"), kindStruct<<24|3, 40, at("tgid"), 1, 0, 0, 2, 64, at("comm"), 1, 24*8)
	b := binary.NativeEndian.AppendUint16(nil, Magic)
	b = append(b, 1, 0)
	for _, v := range []int{HeaderSize, 0, len(types), len(types), len(names)} {
		b = binary.NativeEndian.AppendUint32(b, uint32(v))
	}
	return append(append(b, types...), names...)
}

func TestOffsetsOfMembers(t *testing.T) {
	types, err := Parse(someBTF())
	if err != nil {
		t.Fatal(err)
	}
	o, err := types.Offsets("task_struct", "tgid", "tasks", "comm")
	if err != nil || o["tgid"] != 0 || o["tasks"] != 8 || o["comm"] != 24 {
		t.Errorf("%v %v", o, err)
	}
	if _, err := types.Offsets("task_struct", "none"); err == nil {
		t.Error("a member that is not there")
	}
	if _, err := types.Offsets("none"); err == nil {
		t.Error("a structure that is not there")
	}
	if b, err := os.ReadFile("/sys/kernel/btf/vmlinux"); err == nil {
		types, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		o, err := types.Offsets("task_struct", "tasks", "tgid", "comm")
		t.Log(o["tasks"], o["tgid"], o["comm"], err)
		if err != nil {
			t.Error(err)
		}
	}
}

// TestFields: what a field is, by the running kernel's own description where it has one.
func TestFields(t *testing.T) {
	types, err := Parse(someBTF())
	if err != nil {
		t.Fatal(err)
	}
	if f, err := types.Field("task_struct", "tasks"); err != nil || f != (Field{Off: 8, Size: 4, Count: 1}) {
		t.Errorf("%+v %v", f, err)
	}
	if n, ok := types.Size("task_struct"); n != 40 || !ok {
		t.Error(n, ok)
	}
	if n := Length(someBTF()); n != int64(len(someBTF())) {
		t.Error(n)
	}
	b, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		return
	}
	if types, err = Parse(b); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Field{"comm": {Size: 16, Count: 16}, "mm": {Size: 8, Count: 1, Pointer: true, Struct: "mm_struct"}, "tasks": {Size: 16, Count: 1, Struct: "list_head"}, "tasks.prev": {Size: 8, Count: 1, Pointer: true, Struct: "list_head"}} {
		f, err := types.Field("task_struct", path)
		f.Off = 0
		if err != nil || f != want {
			t.Errorf("%s: %+v %v", path, f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(someBTF())
	f.Add(someBTF()[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		Length(b)
		types, err := Parse(b)
		if err != nil {
			return
		}
		for name := range types.named {
			for _, m := range []string{"tgid", "tasks", "comm", "tasks.next", ""} {
				if x, err := types.Field(name, m); err == nil && (x.Off < 0 || x.Size < 0 || x.Count < 0) {
					t.Errorf("%+v", x)
				}
			}
			types.Size(name)
		}
	})
}
