package persistence

import "telltale/detect"

// bootFile judges what was compared with the machine's packages before: a file that is one of few that fit nothing.
func bootFile(x *hook) judgement {
	switch x.setting {
	case "changed":
		return judgement{"is unlike the file of the machine that it is made from, which is older than it", detect.Medium}
	case "stranger":
		return judgement{"is of no package, and nothing on the machine is like it, while nearly all others are the machine's own", detect.Medium}
	}
	return none()
}
