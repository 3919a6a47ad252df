package pseudo_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"telltale/acquire/pseudo"
)

func TestReadIsBounded(t *testing.T) {
	p := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(p, []byte(" 1234 \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, long := range map[int64]bool{0: true, 6: true, 7: false, 8: false} {
		b, err := pseudo.Read(p, limit)
		if errors.Is(err, pseudo.ErrLong) != long || int64(len(b)) != min(7, limit) {
			t.Errorf("limit %d: %q, %v", limit, b, err)
		}
	}
	if s := pseudo.Line(p); s != "1234" {
		t.Errorf("%q", s)
	}
	if _, err := pseudo.Read("/dev/zero", 100); err == nil {
		t.Error("a file without end was taken as whole")
	}
	if s := pseudo.Line(p + "x"); s != "" {
		t.Errorf("%q", s)
	}
	link := p + ".link"
	if err := os.Symlink(p, link); err != nil {
		t.Skip(err)
	}
	if _, err := pseudo.Read(link, 100); err == nil {
		t.Error("a link was followed")
	}
}
