package vhdx

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	maxLocator = 1 << 20 // bytes
	maxPairs   = 64
	typeVHDX   = "b04aefb7-d19e-4a81-b789-25b8e9445913" // a parent locator that names VHDX files
)

// wide gives UTF-16 up to its first NUL as UTF-8.
func wide(b []byte) string {
	var u []uint16
	for ; len(b) >= 2; b = b[2:] {
		x := binary.LittleEndian.Uint16(b)
		if x == 0 {
			break
		}
		u = append(u, x)
	}
	return string(utf16.Decode(u))
}

// locator gives the keys and values that name the parent.
func (d *disk) locator() (map[string]string, error) {
	r, ok := d.items[itemParent]
	if !ok {
		return nil, errors.New("the image does not name it")
	}
	b, err := extent.Bytes(d.file, r.off, r.size, maxLocator, "parent locator")
	if err != nil {
		return nil, err
	}
	c := bin.Little(b)
	if id := guid(c.Bytes(16)); id != typeVHDX {
		return nil, fmt.Errorf("parent locator of the type %s: %w", id, image.ErrNotSupported)
	}
	count := c.Skip(2).U16()
	pairs := map[string]string{}
	for range min(count, maxPairs) {
		keyAt, valueAt, keySize, valueSize := int(c.U32()&0x7fffffff), int(c.U32()&0x7fffffff), int(c.U16()), int(c.U16())
		key, value := bin.Little(b).Seek(keyAt).Bytes(keySize), bin.Little(b).Seek(valueAt).Bytes(valueSize)
		pairs[wide(key)] = wide(value)
	}
	return pairs, c.Err()
}

// openParent opens what a differencing disk leaves out. What is not there is no error: it is damage where it is wanted.
func (d *disk) openParent(ctx context.Context, b *limit.Budget, chain []string) error {
	pairs, err := d.locator()
	why := "the image does not name it"
	if err != nil {
		why = err.Error()
	}
	ids := []string{strings.ToLower(strings.Trim(pairs["parent_linkage"], "{}")), strings.ToLower(strings.Trim(pairs["parent_linkage2"], "{}"))}
	d.fact("parent", "%s", ids[0])
	found := false
	for _, key := range []string{"relative_path", "absolute_win32_path", "volume_path"} {
		name := pairs[key]
		base, folder := extent.BaseName(name)
		if base == "" {
			continue
		}
		if slices.Contains(chain, base) || len(chain) > maxChain {
			return fmt.Errorf("the chain of parents leads back to %q or has more than %d", base, maxChain)
		}
		f, err := extent.Beside(d.file, name)
		if err != nil {
			if !found {
				why = fmt.Sprintf("%q is not beside the image (%v)", base, err)
			}
			continue
		}
		found = true
		p, err := open(ctx, f, b, chain)
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, limit.ErrLimit)):
			return err
		case err != nil:
			why = fmt.Sprintf("%q cannot be opened (%v)", base, err)
			continue
		case !slices.Contains(ids, p.dataID):
			why = fmt.Sprintf("%q has the data id %s: it is another disk, or was changed since", base, p.dataID)
			continue
		}
		if folder {
			d.note("the image names its parent %q; %q beside it was taken", name, f.Name)
		}
		for _, n := range p.notes {
			d.note("parent %q: %s", f.Name, n)
		}
		d.Parent, d.ParentSize = p, p.Size()
		return nil
	}
	d.missing = "lies in the parent " + ids[0] + ": " + why
	d.note("the parent %s: %s: what lies in it cannot be read", ids[0], why)
	return nil
}
