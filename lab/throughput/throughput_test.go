package throughput

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	for _, k := range Kinds() {
		var a, b bytes.Buffer
		n, err := k.Write(&a, 200_000)
		if err != nil || n != int64(a.Len()) || n < 200_000 || n > 203_000 {
			t.Errorf("%s: %d bytes told, %d written, %v", k.Name, n, a.Len(), err)
		}
		if _, err := k.Write(&b, 200_000); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: the same seed gave another log", k.Name)
		}
		if !strings.HasSuffix(a.String(), "\n") {
			t.Errorf("%s: the log ends within a line", k.Name)
		}
	}
}

// TestFullDisk ends where nothing more can be written.
func TestFullDisk(t *testing.T) {
	full := errors.New("no space left")
	if _, err := Kinds()[0].Write(failing{full}, 1<<40); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestMissingProgram(t *testing.T) {
	if r := run(t.Context(), "auth", 1, "x", "telltale-no-such-program"); r.Skipped == "" || r.Rate != 0 {
		t.Errorf("a program that is not there was measured: %+v", r)
	}
}
