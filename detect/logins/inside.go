package logins

import (
	"telltale/event"
)

// idLen is how much of a container's id its account's name shows.
const idLen = 12

// accountOf gives the name of the account that an event is about. An account of a container is another than the host's of the same name.
func accountOf(e *event.Event) []byte {
	user, id := e.Get(event.UserName), e.Get(event.ContainerID)
	if len(user) == 0 || len(id) == 0 {
		return user
	}
	return append(append(append(make([]byte, 0, len(user)+len(inContainer)+idLen), user...), inContainer...), id[:min(len(id), idLen)]...)
}

const inContainer = " in the container "
