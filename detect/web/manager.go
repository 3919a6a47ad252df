package web

import (
	"bytes"
	"strings"

	"telltale/event"
)

// deployment is a request by which Tomcat's manager took up an application: its files keep the times that they had in the archive, so that no birth tells of it.
type deployment struct {
	post
	ip, context string // "/mgr"
}

// maxDeployments bounds those that are kept.
const maxDeployments = 1000

// deploys keeps "PUT /manager/text/deploy?path=/mgr" that was answered.
func (f *fold) deploys(ip, p, query []byte, status int64, e *event.Event) {
	if status != 200 || len(f.deployed) >= maxDeployments || !bytes.HasSuffix(p, []byte("/text/deploy")) {
		return
	}
	for _, x := range strings.Split(decode(query), "&") {
		if c, ok := strings.CutPrefix(x, "path=/"); ok && c != "" {
			f.deployed = append(f.deployed, deployment{post{at: e.At, path: string(p), status: status, quote: e.Quote()}, string(ip), "/" + strings.TrimRight(c, "/")})
		}
	}
}

// deployedBefore gives the deployment that a script came by: the newest of its application before it was first asked for.
func (f *fold) deployedBefore(s *script) (found *post, ip string) {
	if s == nil {
		return nil, ""
	}
	for i := range f.deployed {
		d := &f.deployed[i]
		if strings.HasPrefix(s.path, d.context+"/") && !s.first.Before(d.at.Add(-2e9)) && (found == nil || found.at.Before(d.at)) {
			found, ip = &d.post, d.ip
		}
	}
	return found, ip
}
