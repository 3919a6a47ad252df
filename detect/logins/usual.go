package logins

import "time"

// usualDays is how long an account has to be guessed at before what is usual for it can be told.
const usualDays = 2 * 24 * time.Hour

// usualTries gives how many of the tries for an account, which were refused over a time, fall into as long as belongs to one campaign with a login, rounded up.
func usualTries(n int64, over time.Duration) int64 {
	if n <= 0 || over < usualDays {
		return 0
	}
	spans := int64(over / (recentSeconds * time.Second))
	return n/spans + min(1, n%spans)
}
