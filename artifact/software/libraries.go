package software

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"path"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// The bounds of one file of Composer's.
const (
	maxInstalled = 32 << 20 // bytes
	maxLibraries = 5_000
)

// composer gives the artefact of what Composer installed.
func composer() *artifact.Artifact {
	return &artifact.Artifact{Name: "composer-installed", Doc: "libraries of PHP that Composer installed", Spec: "Composer src/Composer/Repository/FilesystemRepository.php", Kinds: []event.Kind{event.SoftwareSeen}, Parse: installed,
		Files: []string{"{webroot}/vendor/composer/installed.json", "{webroot}/**/vendor/composer/installed.json", "/{var/www,srv,opt}/**/vendor/composer/installed.json", "{home}/**/vendor/composer/installed.json"}}
}

// installed reads {"packages": [{"name": ..., "version": ...}]}, or in Composer 1 the list alone.
func installed(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if packaged(in.Path) {
			return
		}
		d := json.NewDecoder(io.LimitReader(in.R, maxInstalled))
		err := toList(d)
		n := 0
		for ; err == nil && d.More() && ctx.Err() == nil; n++ {
			if n >= maxLibraries {
				err = errors.New("more libraries than are read of one file")
				break
			}
			var raw json.RawMessage
			var p struct{ Name, Version string }
			if err = d.Decode(&raw); err != nil || json.Unmarshal(raw, &p) != nil || p.Name == "" || !sound(p.Version) {
				continue
			}
			f := found{name: strings.ToLower(p.Name), version: p.Version, off: int(d.InputOffset()) - len(raw), n: len(raw)}
			if !yield(seen(in, Packagist, f, raw), nil) {
				return
			}
		}
		if err != nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: "read what Composer installed: " + err.Error()})
		}
	}
}

// toList goes to the list of packages.
func toList(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil || t == json.Delim('[') {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key == "packages" {
			_, err = d.Token()
			return err
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
	}
	return errors.New("no list of packages")
}

// jars gives the artefact of Java's libraries whose faults let strangers in. The name of the archive is the name that Maven gave it.
func jars() *artifact.Artifact {
	var files []string
	for _, n := range libraries() {
		files = append(files, "/{opt,srv,home,usr/local,var}/**/"+n+"-*.jar")
	}
	return &artifact.Artifact{Name: "java-libraries", Doc: "libraries of Java whose faults are known to let strangers in", Spec: "Maven repository layout; APPNOTE.TXT 4.3.7", Files: files, Kinds: []event.Kind{event.SoftwareSeen}, Parse: jar}
}

func libraries() []string { return []string{"log4j-core", "struts2-core", "spring-beans"} }

func jar(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		head, err := headOf(in.R, 4)
		if err != nil || string(head) != "PK\x03\x04" || packaged(in.Path) {
			return
		}
		base := strings.TrimSuffix(path.Base(in.Path), ".jar")
		for _, n := range libraries() {
			if v, ok := strings.CutPrefix(base, n+"-"); ok && sound(v) {
				yield(seen(in, Maven, found{name: n, version: v, n: len(head)}, []byte(base+".jar")), nil)
			}
		}
	}
}
