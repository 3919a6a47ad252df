package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/evidence"
)

// velociraptor opens what its offline collector or a server's export packed: uploads/ACCESSOR/PATH with the files, results with what its queries
// gave, and collection_context.json, client_info.json and uploads.json beside them (Velociraptor, services/launcher and paths/collection.go).
func velociraptor(p *parcel) (*unpacked, error) {
	_, files := p.folder("uploads")
	_, results := p.folder("results")
	flow := object(p.text("collection_context.json"))
	told := flow["session_id"] != nil || flow["client_id"] != nil || flow["artifacts_with_results"] != nil || flow["request"] != nil
	if !told && !p.hasUploads() || !files && !results {
		return nil, nil
	}
	u := &unpacked{state: &State{Kind: kindVelociraptor, Taken: firstTime(flow, "start_time", "create_time", "timestamp")}, tree: newGathered(true), copied: true, at: "/uploads"}
	u.state.Notes = append(u.state.Notes, "owners, modes and change times of files are not kept in it, and modification times only as its zip archive has them; it holds what its artefacts asked for and no more")
	if files {
		if err := p.accessors(u); err != nil {
			return nil, err
		}
	} else {
		u.state.Notes = append(u.state.Notes, "it holds no files of the machine")
	}
	if err := p.rows(u); err != nil {
		return nil, err
	}
	client := object(p.text("client_info.json"))
	u.host = clean([]byte(textOf(client, "hostname", "fqdn")))
	u.state.Kernel = clean([]byte(textOf(client, "kernel_version", "kernelversion", "kernel")))
	asked := p.asked()
	if asked != "" {
		u.state.Notes = append(u.state.Notes, "its results are of: "+asked)
	}
	if first, _, _ := strings.Cut(asked, ","); ran(first) == 0 {
		u.state.Still = true
		u.state.Notes = append(u.state.Notes, "no list of processes or connections was asked for: what ran is not known")
	}
	return u, p.cutShort(u)
}

// hasUploads tells whether uploads.json is Velociraptor's list of what it took.
func (p *parcel) hasUploads() bool {
	line, _, _ := bytes.Cut(p.text("uploads.json"), []byte{'\n'})
	return object(line)["vfs_path"] != nil
}

// accessors takes each accessor's files into the tree. Those of raw disks have paths of their own, which are not the machine's.
func (p *parcel) accessors(u *unpacked) error {
	taken := 0
	for _, n := range []string{"auto", "file"} {
		i, ok := p.folder("uploads/" + n)
		if !ok {
			continue
		}
		if taken++; taken == 1 {
			u.at = "/uploads/" + n
		} else {
			u.at = "/uploads"
		}
		if err := u.tree.add(p.ctx, p.fs, i, percentDecode); err != nil {
			return err
		}
	}
	for _, n := range p.names("uploads") {
		if n != "auto" && n != "file" {
			u.state.Notes = append(u.state.Notes, "not read: uploads/"+n+", files that were read by another way than the machine's own tree")
		}
	}
	return nil
}

// rows joins the times that results tell of collected files.
func (p *parcel) rows(u *unpacked) error {
	u.tree.unit = time.Second
	for _, n := range p.names("results") {
		plain := percentDecodePath(n)
		if !strings.HasSuffix(n, ".json") || !strings.HasPrefix(plain, "Generic.Collectors.File/") && !strings.HasPrefix(plain, "Linux.Search.FileFinder") && !strings.HasPrefix(plain, "Linux.Triage.") {
			continue
		}
		r, ok := p.file("results/" + n)
		if !ok {
			continue
		}
		err := eachRow(p.ctx, r, func(line []byte) error {
			if name, l, ok := metadataRow(line); ok {
				return u.tree.list(name, l, "", true)
			}
			return nil
		})
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if err != nil {
			u.state.Notes = append(u.state.Notes, "results/"+n+" could not be read to the end: "+err.Error())
		}
	}
	return nil
}

// percentDecodePath undoes the name of a file of results, in which a '/' is one, too.
func percentDecodePath(n string) string {
	return strings.NewReplacer("%2F", "/", "%2f", "/", "%20", " ").Replace(n)
}

// asked names the artefacts that gave something, of twenty at most, those of what ran before all.
func (p *parcel) asked() string {
	seen := map[string]bool{}
	var out []string
	names := p.names("results")
	slices.SortStableFunc(names, func(a, b string) int { return ran(b) - ran(a) })
	for _, n := range names {
		name, ok := strings.CutSuffix(percentDecodePath(n), ".json")
		name, _, _ = strings.Cut(name, "/")
		if ok && !seen[name] && len(out) < 20 {
			seen[name] = true
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// ran tells, by 1, results that say what ran.
func ran(name string) int {
	for _, p := range []string{"Linux.Sys.Pslist", "Generic.System.Pstree", "Linux.Network.Netstat"} {
		if strings.HasPrefix(name, p) {
			return 1
		}
	}
	return 0
}

// cutShort counts files of which less was taken than they hold.
func (p *parcel) cutShort(u *unpacked) error {
	r, ok := p.file("uploads.json")
	if !ok {
		return nil
	}
	n := 0
	err := eachRow(p.ctx, r, func(line []byte) error {
		var row struct {
			Size   int64 `json:"file_size"`
			Stored int64 `json:"uploaded_size"`
		}
		if json.Unmarshal(line, &row) == nil && row.Stored < row.Size {
			n++
		}
		return nil
	})
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if err != nil {
		u.state.Notes = append(u.state.Notes, "uploads.json could not be read to the end: "+err.Error())
	}
	if n > 0 {
		u.state.Notes = append(u.state.Notes, fmt.Sprintf("of %d files less was taken than they held, by uploads.json", n))
	}
	return nil
}

// object reads a JSON object; nil where it is none.
func object(b []byte) map[string]any {
	var m map[string]any
	if len(b) == 0 || json.Unmarshal(b, &m) != nil {
		return nil
	}
	return m
}

// textOf looks for the first of several members in an object and in those right within it, upper and lower case alike.
func textOf(m map[string]any, names ...string) string {
	for _, n := range names {
		for k, v := range m {
			if s, ok := v.(string); ok && strings.EqualFold(k, n) && s != "" {
				return s
			}
		}
		for _, v := range m {
			if within, ok := v.(map[string]any); ok {
				for k, v := range within {
					if s, ok := v.(string); ok && strings.EqualFold(k, n) && s != "" {
						return s
					}
				}
			}
		}
	}
	return ""
}

// firstTime gives the first of several members that is a time.
func firstTime(m map[string]any, names ...string) evidence.Time {
	for _, n := range names {
		if ns := jsonTime(m[n]); ns != 0 {
			return evidence.At(time.Unix(0, ns), time.Second)
		}
	}
	return evidence.Time{}
}
