package story

import (
	"slices"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Here is what tells a person's letters to many from spam that somebody sends with a stolen password.

// manyEach is how many recipients each mail of a run has that nobody writes by hand, and no newsletter has.
const manyEach = 5

func toMany(run *detect.Finding) bool { return run.Told >= manyEach*run.Count }

// maySend tells whether a run of mail may be the account's own person, who writes to many from a new place: it comes from one network only, and nobody tried the
// password before; or from a few, with one recipient each, by an account that was made for it.
func (b *builder) maySend(run, l *detect.Finding) bool {
	if refusedBefore(l) || l.Access.NewAddress && fast(run) {
		return false
	}
	near := true
	for _, ip := range run.Sources {
		near = near && (ip == l.Source || sameNet(ip, l.Source) || b.cameFrom(ip, run.Account, run.First.Add(-24*time.Hour)))
	}
	return near || !b.usedBefore(run) && !toMany(run)
}

// usedBefore tells whether the account of a run of mail was used before that day.
func (b *builder) usedBefore(run *detect.Finding) bool {
	return b.cameFrom("", run.Account, run.First.Add(-24*time.Hour))
}

// cameFrom tells whether an account logged in from an address's network before a time; from anywhere, if that is "".
func (b *builder) cameFrom(ip, account string, before evidence.Time) bool {
	for _, l := range b.logins() {
		if l.Account == account && l.First.Before(before) && (ip == "" || ip == l.Source || sameNet(ip, l.Source)) {
			return true
		}
	}
	return false
}

// aFew is how many tries before a login are anybody's.
const aFew = 2

// aRise is how many times as many tries as usual are more than chance.
const aRise = 3

// refusedBefore tells whether more tries for a login's account, or from its address, were refused shortly before than anybody's are: every mailbox whose name is known
// is guessed at day and night, and what is as usual came before each login.
func refusedBefore(l *detect.Finding) bool {
	a := l.Access
	return a.FailedHere+a.FailedAddress > aFew || a.FailedHere+a.FailedAddress+a.RecentTries > aFew+aRise*a.UsualTries
}

// sentByDoubted tells whether a run of mail is no proof against a suspect: it is all that he is suspected for.
func sentByDoubted(s *suspect) bool {
	return s.doubted && !slices.ContainsFunc(s.logins, refusedBefore)
}

// fastMails in fewer seconds are more than a person's mail program sends.
const fastMails = 100

// fast tells whether so many mails of a run came within so few seconds.
func fast(run *detect.Finding) bool {
	for i := fastMails - 1; i < len(run.When); i++ {
		if run.When[i].Sub(run.When[i-fastMails+1]).Abs() < fastMails*time.Second {
			return true
		}
	}
	return len(run.When) == 0 && run.Count >= fastMails && run.Last.Sub(run.First) < time.Duration(min(run.Count, 1e6))*time.Second
}

// mailOfJob gives the run of mail that the account of a job handed in, begun within a day behind the job: the job, odd by itself, and what it does.
func (b *builder) mailOfJob(job *detect.Finding) *detect.Finding {
	if job.What != detect.Persistence || job.Mechanism == "ssh-key" || job.As == "" {
		return nil
	}
	for _, f := range b.by[detect.MailRun] {
		if d := f.First.Sub(job.First); f.Level >= detect.High && f.Mechanism != "sasl" && f.Account == job.As && d >= 0 && d < 24*time.Hour {
			return f
		}
	}
	return nil
}
