package extent

import (
	"fmt"
	"io"
	"strings"

	"telltale/image"
	"telltale/internal/limit"
)

// Bytes reads n bytes of f at off; both may be any numbers from the evidence. What is beyond the
// file or over most is an error, before anything is allocated.
func Bytes(f image.File, off, n, most int64, what string) ([]byte, error) {
	if n < 0 || n > most {
		return nil, fmt.Errorf("%s of %q has %d bytes: %w", what, f.Name, n, limit.ErrLimit)
	}
	if off < 0 || off > f.Size || n > f.Size-off {
		return nil, fmt.Errorf("%s of %q: %d bytes at %d go beyond the file of %d", what, f.Name, n, off, f.Size)
	}
	b := make([]byte, n)
	if got, err := f.ReadAt(b, off); got < len(b) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %s of %q at %d: %w", what, f.Name, off, err)
	}
	return b, nil
}

// BaseName gives the last part of a path as an image writes it, of either kind of separator, and
// whether there was a folder before it.
func BaseName(path string) (base string, folder bool) {
	i := strings.LastIndexAny(path, `/\`)
	return path[i+1:], i >= 0
}

// Beside opens what an image names: only its base name, only beside the image.
func Beside(f image.File, path string) (image.File, error) {
	base, _ := BaseName(path)
	if base == "" || base == "." || base == ".." || strings.ContainsRune(base, 0) {
		return image.File{}, fmt.Errorf("%q is no name of a file", path)
	}
	if f.Beside == nil {
		return image.File{}, fmt.Errorf("%q did not come as a file of a folder", f.Name)
	}
	return f.Beside(base)
}
