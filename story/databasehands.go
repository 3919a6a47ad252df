package story

import (
	"fmt"

	"telltale/detect"
	"telltale/evidence"
)

// byDatabaseHands finds the client of a database in whose session a thing appeared that is bad in itself and belongs to the database's account. PostgreSQL does not
// log COPY FROM PROGRAM as distributions set it up, but who was connected.
func (b *builder) byDatabaseHands() {
	for _, e := range b.badByThemselves() {
		if b.made[e] || databaseOf[e.Account] == "" {
			continue
		}
		l := b.onlyClient(e)
		if l == nil || b.suspects[l.Source] != nil && b.suspects[l.Source].strong {
			continue
		}
		text := fmt.Sprintf("While %s was connected to %s as %s, and nobody else from outside, this appeared, which belongs to the account that the database runs as: %s%s.", l.Source, l.Service, l.Account, e.Title, detail(e))
		id := b.claim(text, evidence.Effect, e.First, Likely, append(append([]evidence.Quote{}, e.For...), l.For...), nil)
		w := way{vector: "database-exposed", status: Likely, service: l.Service, account: l.Account, sources: ids(l.Source), first: l.First, last: e.First, claims: ids(id)}
		w.weigh("client-then", id)
		b.stoodOpen(&w)
		s := b.add(l.Source, id, false)
		s.spans = append(s.spans, span{l.First, e.First.Add(grace), e.Account, false})
		b.merge(w)
	}
}

// databaseOf are the services by the accounts that they run as.
var databaseOf = map[string]string{"postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql", "redis": "redis", "valkey": "redis", "mongodb": "mongodb", "mongod": "mongodb"}

// onlyClient gives the login to a database, from outside, within which something of the database's account appeared, if all such logins then are of one address.
func (b *builder) onlyClient(e *detect.Finding) (found *detect.Finding) {
	for _, l := range b.logins() {
		if l.Service != databaseOf[e.Account] || l.Access == nil || b.origin(l.Source) != "external" || !during(l, e) {
			continue
		}
		if found != nil && found.Source != l.Source {
			return nil
		}
		if found == nil || l.First.Before(found.First) {
			found = l
		}
	}
	return found
}
