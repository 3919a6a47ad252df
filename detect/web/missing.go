package web

// notThere tells an answer that whoever looks for holes gets again and again. A client with an old password is asked for the right one, a form is told what is
// wrong in it, and a program that asks too often to wait: they know what they ask for.
func notThere(status int64, method []byte) bool {
	switch status {
	case 401, 409, 412, 413, 422, 423, 429:
		return false
	case 400:
		return string(method) == "GET" || string(method) == "HEAD" || len(method) == 0
	}
	return status >= 400 && status < 500
}
