package host

import (
	"fmt"
	"strings"

	"telltale/filesystem"
)

// mount makes hosts of the filesystems found: each that looks like a root becomes one; the others are
// mounted where the root's fstab says, else where their superblock says they were last.
func (in *Input) mount(found []part, o Options) {
	var rest []part
	for _, p := range found {
		in.describe(p)
		if p.of != "" {
			in.Notes = append(in.Notes, fmt.Sprintf("%s is an earlier state of %s, made %s: it is held against the present one, not examined by itself", p.prefix, p.of, p.made))
			in.Earlier = append(in.Earlier, Earlier{Name: p.volume, Of: p.of, Made: p.made, Mount: p.at("/", "")})
			continue
		}
		bases := rootsOf(p.fs)
		if len(bases) == 0 {
			rest = append(rest, p)
			continue
		}
		for _, b := range bases {
			in.Hosts = append(in.Hosts, &Host{Kind: in.Kind, View: View{Source: o.Source, Mounts: []Mount{p.at("/", b)}}})
		}
	}
	for _, h := range in.Hosts {
		rest = in.byTable(h, found, rest)
	}
	for _, p := range rest {
		at := strings.TrimRight(p.fs.Info().LastMounted, "/")
		if len(in.Hosts) == 1 && !in.Hosts[0].Flat && strings.HasPrefix(at, "/") && exists(in.Hosts[0], at) {
			in.Hosts[0].Mounts = append(in.Hosts[0].Mounts, p.at(at, ""))
			in.Notes = append(in.Notes, fmt.Sprintf("%s is examined as %s, where it was mounted last", p.prefix, at))
			continue
		}
		h := &Host{Kind: in.Kind, Flat: true, View: View{Source: o.Source, Mounts: []Mount{p.at("/", "")}}}
		in.Notes = append(in.Notes, fmt.Sprintf("%s is not the root of a server: examined as a folder of files", p.prefix))
		in.Hosts = append(in.Hosts, h)
	}
	for _, h := range in.Hosts {
		h.finish(o)
		in.Notes = append(in.Notes, h.findContainers(o)...)
	}
}

func (p part) at(at, base string) Mount {
	return Mount{At: at, FS: p.fs, Prefix: p.prefix, Base: base, AsWas: p.asWas, Replayed: p.did, Raw: p.raw}
}

func (in *Input) describe(p part) {
	for _, n := range p.fs.Info().Notes {
		in.Notes = append(in.Notes, p.prefix+" "+n)
	}
}

// rootsOf gives where in a filesystem servers' roots lie: at its top, or, where it is divided in subvolumes, in
// one of them that is no snapshot.
func rootsOf(f filesystem.FS) []string {
	if isRoot(f, f.Root()) {
		return []string{""}
	}
	if f.Info().Kind != "btrfs" {
		return nil
	}
	var all, out []string
	findRoots(f, f.Root(), "", 2, &all)
	for _, b := range all {
		if l := strings.ToLower(b); !strings.Contains(l, "snapshot") && !strings.Contains(l, "timeshift") {
			out = append(out, b)
		}
	}
	return out
}

// tableLine is a line of /etc/fstab, fstab(5).
type tableLine struct{ device, at, kind, options string }

// byTable mounts what the host's fstab names, and gives what is left over.
func (in *Input) byTable(h *Host, all, rest []part) []part {
	raw, err := h.ReadFile("/etc/fstab")
	if err != nil {
		return rest
	}
	for _, l := range parseTable(raw) {
		if l.at == "/" || !strings.HasPrefix(l.at, "/") || !exists(h, l.at) || len(h.Mounts) > 64 {
			continue
		}
		for i, p := range all {
			base := l.subvolume()
			if !l.names(p) || p.of != "" || base == "" && h.Mounts[0].FS == p.fs {
				continue
			}
			m := p.at(strings.TrimRight(l.at, "/"), base)
			v := View{Mounts: []Mount{m}}
			if _, err := v.top(m.At); err != nil {
				continue
			}
			h.Mounts = append(h.Mounts, m)
			in.Notes = append(in.Notes, fmt.Sprintf("%s%s is examined as %s, as /etc/fstab says", p.prefix, base, l.at))
			rest = without(rest, all[i].fs)
			break
		}
	}
	return rest
}

func without(ps []part, f filesystem.FS) (out []part) {
	for _, p := range ps {
		if p.fs != f {
			out = append(out, p)
		}
	}
	return out
}

func parseTable(raw []byte) (out []tableLine) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for _, line := range strings.Split(string(raw), "\n") {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") {
			continue
		}
		l := tableLine{device: unescape.Replace(f[0]), at: unescape.Replace(f[1]), kind: f[2]}
		if len(f) > 3 {
			l.options = f[3]
		}
		out = append(out, l)
	}
	return out
}

// names tells whether a line's device is the filesystem. A partition's number alone is believed only
// where the name of a disk stands before it, since disks change theirs.
func (l *tableLine) names(p part) bool {
	i := p.fs.Info()
	key, value, tagged := strings.Cut(l.device, "=")
	switch value = strings.Trim(value, `"`); {
	case tagged && key == "UUID":
		return i.UUID != "" && strings.EqualFold(value, i.UUID)
	case tagged && key == "LABEL":
		return i.Label != "" && value == i.Label
	case strings.HasPrefix(l.device, "/dev/disk/by-uuid/"):
		return i.UUID != "" && strings.EqualFold(l.device[len("/dev/disk/by-uuid/"):], i.UUID)
	case strings.HasPrefix(l.device, "/dev/disk/by-label/"):
		return i.Label != "" && l.device[len("/dev/disk/by-label/"):] == i.Label
	case strings.HasPrefix(l.device, "/dev/mapper/"):
		// device-mapper doubles the hyphens of a name and joins group and volume by one.
		vg, lv, ok := strings.Cut(p.volume, "/")
		mapped := strings.ReplaceAll(vg, "-", "--") + "-" + strings.ReplaceAll(lv, "-", "--")
		return ok && l.device[len("/dev/mapper/"):] == mapped
	case p.volume != "":
		return l.device == "/dev/"+p.volume
	}
	for _, disk := range []string{"/dev/sda", "/dev/vda", "/dev/xvda", "/dev/nvme0n1p", "/dev/mmcblk0p", "/dev/hda"} {
		if n, ok := strings.CutPrefix(l.device, disk); ok && n != "" && (strings.HasPrefix(p.prefix, "gpt:"+n+"!") || strings.HasPrefix(p.prefix, "mbr:"+n+"!") ||
			strings.Contains(p.prefix, "!gpt:"+n+"!") || strings.Contains(p.prefix, "!mbr:"+n+"!")) {
			return true
		}
	}
	return false
}

// subvolume gives where a line's subvolume lies in its filesystem, "" for none.
func (l *tableLine) subvolume() string {
	for _, o := range strings.Split(l.options, ",") {
		if s, ok := strings.CutPrefix(o, "subvol="); ok {
			if s = strings.Trim(s, "/"); s != "" {
				return "/" + s
			}
		}
	}
	return ""
}
