package examine

import (
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"

	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host/pkgdb"
)

// loaders compares the programs of the firmware's partition with those that packages bring for it. What is copied there belongs to no package; but
// signed loaders are copied as they are. What grub-install makes itself is like nothing, and so is what other systems put there.
func (v *verifier) loaders(r *run) error {
	if len(v.bootFiles.loaders) == 0 {
		return nil
	}
	shipped := map[string][]claimed{}
	for p, x := range v.h.owners.All() {
		if name, ok := loaderName(p); ok && x.Algo != pkgdb.NoDigest {
			shipped[name] = append(shipped[name], claimed{p, x})
		}
	}
	fit, buf := 0, make([]byte, 256<<10)
	for i := range v.bootFiles.loaders {
		e := &v.bootFiles.loaders[i]
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if v.h.owners.Of(e.Path) != "" || e.Meta.Size > maxImage {
			continue // packages of some distributions put theirs there themselves: compared with all others
		}
		d := sumsOf(r.ctx, io.NewSectionReader(v.h.File(e), 0, e.Meta.Size), e.Meta.Size, buf, []pkgdb.Algo{pkgdb.MD5, pkgdb.SHA1, pkgdb.SHA256})
		if d.err != nil {
			v.damaged = append(v.damaged, evidence.Damage{Ref: v.h.Ref(e), Reason: "comparing a boot loader: " + d.err.Error()})
			continue
		}
		name, _ := loaderName(e.Path)
		if ships(shipped, &d) || v.twin(r, e.Meta.Size, &d) {
			fit++
			continue
		}
		how := "unknown"
		for j := range shipped[name] {
			c := &shipped[name][j]
			if signed(c.path) && e.Meta.Mtime.Known() && after(e.Meta.Mtime, c.Package.Installed) {
				how = "changed"
			}
		}
		ev := v.bootEvent("efi-file", e, e.Path, e.Path, "before any system, by the machine's firmware")
		ev.AddText(event.SettingName, how)
		ev.AddText(event.FileSHA256, hex.EncodeToString(d.of(pkgdb.SHA256)))
		ev.Raw = []byte(fmt.Sprintf("%s (%d bytes, %s) is like no loader that a package of the machine brings", e.Path, e.Meta.Size, e.Meta.Mtime))
		v.events = append(v.events, ev)
	}
	v.notes = append(v.notes, fmt.Sprintf("boot loaders of the firmware's partition: %d of %d are those of packages", fit, len(v.bootFiles.loaders)))
	return nil
}

// loaderName gives the name of a loader as it is copied: without ".signed", in lower case.
func loaderName(p string) (string, bool) {
	base := strings.ToLower(path.Base(p))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".signed"), ".latest")
	return base, strings.HasSuffix(base, ".efi")
}

// signed tells loaders that are copied as they are.
func signed(p string) bool {
	base := path.Base(p)
	return strings.HasSuffix(base, ".signed") || strings.HasPrefix(base, "shim") || strings.HasPrefix(base, "mm") || strings.HasPrefix(base, "fb")
}

// ships tells whether a loader is one that some package brings, under whatever name.
func ships(shipped map[string][]claimed, d *digests) bool {
	for _, all := range shipped {
		for i := range all {
			if equal, _ := same(&all[i].Expected, d); equal {
				return true
			}
		}
	}
	return false
}

// twin tells whether a loader is that of a file below /usr that no list of digests names.
func (v *verifier) twin(r *run, size int64, d *digests) bool {
	for _, p := range []string{"/usr/lib/shim/shimx64.efi.signed", "/usr/lib/shim/shimx64.efi.signed.latest", "/usr/lib/shim/mmx64.efi", "/usr/lib/shim/fbx64.efi", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi", "/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi", "/boot/grub/x86_64-efi/grub.efi", "/boot/grub/x86_64-efi/core.efi", "/boot/grub2/x86_64-efi/core.efi", "/boot/grub/arm64-efi/grub.efi", "/boot/grub/arm64-efi/core.efi"} {
		x, err := v.h.Lookup(p)
		if err != nil || x.Meta.Type != filesystem.Regular || x.Meta.Size != size {
			continue
		}
		if o := sumsOf(r.ctx, io.NewSectionReader(v.h.File(&x), 0, size), size, make([]byte, 64<<10), []pkgdb.Algo{pkgdb.SHA256}); o.err == nil && string(o.of(pkgdb.SHA256)) == string(d.of(pkgdb.SHA256)) {
			return true
		}
	}
	return false
}
