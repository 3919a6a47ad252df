package tomcat

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// attacks are words of exceptions and of what visitors send that show that a request ran commands, looked up names in a directory of the
// intruder's, evaluated expressions or read objects that somebody made up.
var attacks = [...]string{
	"${jndi:", "java.lang.ProcessBuilder", "java.lang.ProcessImpl", "java.lang.UNIXProcess", "Cannot run program", "java.lang.Runtime.exec", "java.io.InvalidClassException", "java.io.ObjectInputStream.readObject",
	"java.io.StreamCorruptedException", "ognl.OgnlException", "ognl.Ognl.", "com.opensymphony.xwork2.ognl", "org.apache.jasper.JasperException", "JspException", "com.sun.jndi.", "javax.naming.CommunicationException", "com.sun.rowset.JdbcRowSetImpl",
	"org.apache.commons.collections.functors.", "TemplatesImpl", "org.springframework.expression.spel", "javax.el.ELException", "freemarker.template.utility.Execute", "class.module.classLoader",
}

func attack(t []byte) bool {
	for _, a := range attacks {
		if bytes.Contains(t, []byte(a)) {
			return true
		}
	}
	return false
}

// tell makes events of a record. What concerns accounts is read from the end of the whole of it, for a name may hold newlines and whatever else a
// visitor likes; that a name looks like a record of its own cannot be told.
func tell(m *artifact.Message, rec *record, yield func(*event.Event)) {
	if len(rec.mark) > 0 {
		e := m.Event(event.HTTPError)
		e.Add(event.ServiceName, service)
		e.AddText(event.LogLevel, rec.head.level)
		e.Add(event.Message, bytes.TrimLeft(rec.mark, "\t "))
		yield(e)
	}
	from := rec.head.from
	is := func(c class) bool { return from == c || from == anyClass }
	switch { // the first that knows the message
	case is(realm) && account(m, yield):
	case is(hostConfig) && deployed(m, yield):
	case is(managerServlet) && managed(m, yield):
	case is(valve) && denied(m, yield):
	default:
		life(m, from, yield)
	}
}

// account reads
//
//	An attempt was made to authenticate the locked user [USER]       "USER" before Tomcat 8.5
//	Username [USER] NOT successfully authenticated                   at level FINE
//	Username [USER] successfully authenticated
func account(m *artifact.Message, yield func(*event.Event)) bool {
	t := bytes.TrimRight(m.Text, "\n")
	k, reason := event.AuthFailed, []byte(nil)
	user, ok := said.Rest(t, "An attempt was made to authenticate the locked user ")
	switch {
	case ok:
		reason = []byte("account locked")
		if n := len(user); n > 1 && (user[0] == '[' && user[n-1] == ']' || user[0] == '"' && user[n-1] == '"') {
			user = user[1 : n-1]
		} else {
			user = nil // cut off, or mixed with other words
		}
	default:
		rest, ok := said.Rest(t, "Username ")
		if !ok || len(rest) == 0 || rest[0] != '[' {
			return false
		}
		if name, ok := bytes.CutSuffix(rest, []byte("] NOT successfully authenticated")); ok {
			user = name[1:]
		} else if name, ok := bytes.CutSuffix(rest, []byte("] successfully authenticated")); ok && bytes.IndexByte(name, '\n') < 0 {
			k, user = event.AuthAccepted, name[1:]
		} else {
			return true
		}
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, user)
	e.Add(event.AuthReason, reason)
	yield(e)
	return true
}

// deployed reads
//
//	Deploying web application archive [/opt/tomcat/webapps/shop.war]
//	Deployment of web application archive [/opt/tomcat/webapps/shop.war] has finished in [812] ms
//	Undeploying context [/shop]
//
// without brackets before Tomcat 8.5, and "archive shop.war" without a directory before 7.
func deployed(m *artifact.Message, yield func(*event.Event)) bool {
	t, _, _ := said.Cut(m.Text, "\n")
	var path []byte
	what, ok := said.Rest(t, "Deploying ")
	if !ok {
		if what, ok = said.Rest(t, "Deployment of "); ok {
			what, _, ok = said.CutLast(what, " has finished in ")
		}
	}
	switch {
	case ok:
		for _, p := range [...]string{"web application archive ", "web application directory ", "deployment descriptor ", "configuration descriptor "} {
			if rest, of := said.Rest(what, p); of {
				path = bytes.TrimSuffix(bytes.TrimPrefix(rest, []byte("[")), []byte("]"))
			}
		}
		if path == nil {
			return false
		}
	case !said.BeginsAny(t, []string{"Undeploying context ", "Reloading context ", "Error deploying web application "}):
		return false
	}
	e := m.Event(event.Deployed)
	e.Add(event.ServiceName, service)
	e.Add(event.FilePath, path)
	e.Add(event.Message, t[:min(len(t), maxMessage)])
	yield(e)
	return true
}

// managed reads what the manager's servlets write to their context's log, "HTMLManager: deploy: Deploying web application '/shop'".
func managed(m *artifact.Message, yield func(*event.Event)) bool {
	t, _, _ := said.Cut(m.Text, "\n")
	name, what, ok := said.Cut(t, ": ")
	if !ok || !bytes.HasSuffix(name, []byte("Manager")) || bytes.IndexByte(name, ' ') >= 0 {
		return false
	}
	if !said.BeginsAny(what, []string{"deploy: ", "undeploy: ", "install: ", "remove: ", "upload: ", "reload: ", "restart: ", "start: ", "stop: ", "add: "}) {
		return false
	}
	e := m.Event(event.Deployed)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, t[:min(len(t), maxMessage)])
	yield(e)
	return true
}

// denied reads "Denied request for [/manager/html] based on property [203.0.113.9]": the address stands last and is the server's word, unless it looks names up.
func denied(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "Denied request for [")
	if !ok {
		return false
	}
	_, property, ok := said.CutLast(rest, "] based on property [")
	address := said.Address(bytes.TrimSuffix(property, []byte("]")))
	if !ok || address == nil {
		return true
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, address)
	e.Add(event.AuthReason, []byte("address not allowed"))
	yield(e)
	return true
}

// life reads what the server says of itself.
func life(m *artifact.Message, from class, yield func(*event.Event)) {
	t, _, _ := said.Cut(m.Text, "\n")
	k := event.Unknown
	of := func(c class) bool { return from == c || from == anyClass }
	switch {
	case of(catalina) && bytes.HasPrefix(t, []byte("Server startup in ")):
		k = event.ServiceStarted
	case of(standardService) && bytes.HasPrefix(t, []byte("Stopping service ")):
		k = event.ServiceStopped
	case of(standardServer) && bytes.HasPrefix(t, []byte("A valid shutdown command was received")), of(standardContext) && bytes.HasPrefix(t, []byte("Reloading Context with name ")):
		k = event.ProgramSaid
	default:
		return
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, t)
	yield(e)
}
