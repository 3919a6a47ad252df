package ewf_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"telltale/image"
	"telltale/image/ewf"
	"telltale/image/imagetest"
	"telltale/internal/golden"
)

func TestSamples(t *testing.T) {
	folder := imagetest.Samples(t)
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		d := open(t, imagetest.Mem(folder, name))
		content, lost := imagetest.Salvage(t, d)
		fmt.Fprintf(&out, "%s: %d bytes, sha256 %x, %d lost\n", name, d.Size(), sha256.Sum256(content), len(lost))
		i := d.(image.Describer).Info()
		for _, f := range i.Facts {
			fmt.Fprintf(&out, "  %s: %s\n", f.Name, f.Value)
		}
		fmt.Fprintf(&out, "  made %s, notes %q\n", i.Made, i.Notes)
	}
	golden.Equal(t, "testdata/samples.golden", out.Bytes())
}

func FuzzRead(f *testing.F) {
	folder := imagetest.Samples(f)
	maps.Copy(folder, (&ex01{method: 1, pack: deflate}).set(imagetest.Content(13, 20*exChunk), 12))
	imagetest.Fuzz(f, ewf.Format().Open, folder)
}

func FuzzVerify(f *testing.F) {
	folder, _ := written(f, imagetest.Content(14, 5*32768), ewf.Options{Compression: ewf.Fast})
	b := folder["case.E01"]
	f.Add(uint32(100), byte(7))
	f.Fuzz(func(t *testing.T, at uint32, x byte) {
		damaged := slices.Clone(b)
		damaged[int(at)%len(b)] ^= x
		d, err := ewf.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"case.E01": damaged}, "case.E01"), nil)
		if err != nil || d.Size() > 1<<24 {
			return
		}
		if _, err := d.(image.Verifier).Verify(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	})
}
