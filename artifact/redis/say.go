package redis

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

var service, replicaOf, loaded = []byte("redis"), []byte("replicaof"), []byte("module")

// decode reads a message that came by syslog, where redis puts its text alone, or one that the journal took from its
// output, where it has a stamp of its own. The journal's time is the better one: it knows its zone.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	text, pid := m.Text, m.PID
	own := artifact.Message{}
	if stamp(&logclock.Clock{}, text, &own) {
		m.Text, m.PID = own.Text, own.PID // the pid of the child that saves, where the journal has its parent's
	}
	if say(m, yield) {
		return true
	}
	m.Text, m.PID = text, pid // as others expect it
	return false
}

// telling are the beginnings of messages that tell in themselves what the server was made to do.
var telling = []string{
	"DB saved on disk", "Background saving started by pid ", "RDB: ", "Fork CoW for RDB: ", "Failed opening .rdb for saving: ",
	"MASTER <-> REPLICA sync started", "MASTER <-> SLAVE sync started", "MASTER <-> REPLICA sync: receiving ", "MASTER <-> SLAVE sync: receiving ",
	"Full resync from master: ", "Wrong signature trying to load DB from file", "Failed trying to load the MASTER synchronization DB", "Full resync requested by ",
	"CONFIG REWRITE executed with success", "CONFIG REWRITE failed: ",
	"WARNING: Redis does not require authentication", "Warning: no config file specified",
}

// routine are the beginnings of messages that tell nothing of a stranger.
var routine = []string{
	"Background saving ", "Background append only file rewriting", "Background AOF rewrite", "AOF ", "Residual parent diff", "Concatenating ", "SYNC append only file rewrite", "Parent agreed to stop",
	"Asynchronous AOF fsync", "DB loaded from ", "DB ", "Loading RDB produced by", "Done loading RDB", "RDB age ", "RDB memory usage", "Reading RDB ", "Saving the final RDB snapshot", "Calling fsync() on the AOF",
	"Configuration loaded", "Server initialized", "Ready to accept connections", "The server is now ready to accept connections", "oO0OoO0OoO0Oo", "Running mode=", "monotonic clock: ",
	"Increased maximum number of open files", "You requested maxclients", "Redis can't set maximum open files", "Current maximum open files", "supervised by systemd", "WARNING", "Removing the pid file",
	"Removing the unix socket", "Non blocking connect for SYNC", "Master ", "MASTER <-> ", "Partial resynchronization", "Trying a partial resynchronization", "Successful partial resynchronization", "Connection with ", "Discarding previously cached master",
	"Caching the disconnected master", "Reconnecting to MASTER", "Unable to connect to MASTER", "Synchronization with ", "Starting BGSAVE for SYNC", "Waiting for end of BGSAVE", "Delay next BGSAVE", "Diskless rdb transfer",
	"Streamed replication", "Replication backlog", "Before turning into a ", "Setting secondary replication ID", "Error condition on socket for SYNC", "Failover auth", "Cluster state changed",
	"Node configuration loaded", "Sentinel ", "+", "-", "Reading from client", "Failed listening on", "Could not create server TCP", "Creating AOF", "Successfully created", "Successfully renamed", "Removing the history file", "Fork CoW for AOF",
}

// say makes of a message what it tells. What a client names (a file, a module, a master) stands among the server's own words.
func say(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) == 0 {
		return true
	}
	for _, read := range [...]func(*artifact.Message, func(*event.Event)) bool{unsaved, unmoved, moduled, replicates, connects, closes, life} {
		if read(m, yield) {
			return true
		}
	}
	// A stranger's replica takes the whole data. Its address may be one that it gave for itself (REPLCONF ip-address),
	// so that it is no proof of where it stands.
	if said.BeginsAny(t, telling) || bytes.HasSuffix(t, []byte(" asks for synchronization")) {
		yield(told(m))
		return true
	}
	return changes(t) || said.BeginsAny(t, routine)
}

// changes tells "10 changes in 300 seconds. Saving...".
func changes(t []byte) bool {
	n := said.Number(t)
	return len(n) > 0 && bytes.HasPrefix(t[len(n):], []byte(" changes in "))
}

// told gives the event of a message, with its words.
func told(m *artifact.Message) *event.Event {
	e := m.Event(event.DatabaseCommand)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, m.Text)
	return e
}

// dirMark is before the server's directory. A file's name holds no '/' (CONFIG SET dbfilename refuses it), so that the
// first of these is the server's own.
const dirMark = " (in server root dir /"

// unsaved reads "Failed opening the RDB file NAME (in server root dir DIR) for saving: REASON": somebody pointed the server
// to a place where it may not write. Since 7.0 it names the temporary file that it would have renamed.
func unsaved(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "Failed opening the RDB file ")
	if !ok {
		if rest, ok = said.Rest(m.Text, "Failed opening the temp RDB file "); !ok {
			return false
		}
	}
	e := told(m)
	if name, rest, ok := said.Cut(rest, dirMark); ok {
		if dir, _, ok := said.CutLast(rest, ") for saving: "); ok {
			e.Add(event.FilePath, join(dir, name))
		}
	}
	yield(e)
	return true
}

// unmoved reads "Error moving temp DB file TEMP on the final destination NAME (in server root dir DIR): REASON".
func unmoved(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "Error moving temp DB file ")
	if !ok {
		return false
	}
	e := told(m)
	if _, name, ok := said.Cut(rest, "on the final destination "); ok {
		if name, rest, ok := said.Cut(name, dirMark); ok {
			if dir, _, ok := said.CutLast(rest, "): "); ok {
				e.Add(event.FilePath, join(dir, name))
			}
		}
	}
	yield(e)
	return true
}

// join makes a path of a directory without its first '/' and a name.
func join(dir, name []byte) []byte {
	p := append(make([]byte, 0, len(dir)+len(name)+2), '/')
	if len(dir) > 0 {
		p = append(append(p, dir...), '/')
	}
	return append(p, name...)
}

// moduled reads
//
//	Module 'NAME' loaded from PATH
//	Module PATH failed to load: REASON
//	Module PATH does not export RedisModule_OnLoad() symbol. Module not loaded.
//	Module PATH initialization failed. Module not loaded
//	Module NAME unloaded
func moduled(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "Module ")
	if !ok {
		return false
	}
	var name, path []byte
	if quoted, ok := said.Rest(rest, "'"); ok {
		name, path, ok = said.Cut(quoted, "' loaded from ")
		if !ok {
			return false
		}
	} else if p, _, ok := said.Cut(rest, " failed to load: "); ok {
		path = p
	} else if p, _, ok := said.CutLast(rest, " does not export "); ok {
		path = p
	} else if p, _, ok := said.CutLast(rest, " initialization failed. "); ok {
		path = p
	} else if !bytes.HasSuffix(rest, []byte(" unloaded")) {
		return false
	} else {
		name = rest[:len(rest)-len(" unloaded")]
	}
	e := told(m)
	e.Add(event.FilePath, path)
	if len(name) > 0 {
		e.Add(event.SettingName, loaded)
		e.Add(event.SettingValue, name)
	}
	yield(e)
	return true
}

// replicates reads "REPLICAOF HOST:PORT enabled (user request from 'CLIENT')", before 5.0 "SLAVE OF", and "MASTER MODE enabled
// (user request from 'CLIENT')". The host is any text of the client's, so that the server's words are the last of their kind.
func replicates(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "REPLICAOF ")
	if !ok {
		if rest, ok = said.Rest(m.Text, "SLAVE OF "); !ok {
			rest, ok = said.Rest(m.Text, "MASTER MODE")
		}
	}
	master, from, enabled := said.CutLast(rest, " enabled (user request")
	if !ok || !enabled {
		return ok
	}
	e := told(m)
	if len(master) > 0 {
		e.Add(event.SettingName, replicaOf)
		e.Add(event.SettingValue, master)
	}
	if c, ok := said.Rest(from, " from '"); ok {
		client(e, bytes.TrimSuffix(c, []byte("')")))
	}
	yield(e)
	return true
}

// client reads "id=5 addr=IP:PORT laddr=IP:PORT fd=8 name=NAME ... cmd=COMMAND user=USER ...". The client chooses its name
// only, which holds no blanks, and it chooses of the accounts one that there is.
func client(e *event.Event, c []byte) {
	address(e, field(c, " addr="))
	e.Add(event.UserName, field(c, " user="))
}

func field(c []byte, name string) []byte {
	_, v, _ := said.Cut(c, name)
	v, _ = said.FirstWord(v)
	return v
}

// closes reads "Client closed connection CLIENT" (loglevel verbose), where it tells the client's last command: of those that
// write files, load code or fetch data.
func closes(m *artifact.Message, yield func(*event.Event)) bool {
	c, ok := said.Rest(m.Text, "Client closed connection")
	if !ok {
		return false
	}
	switch string(field(c, " cmd=")) {
	case "config", "config|set", "module", "module|load", "module|loadex", "slaveof", "replicaof", "save", "bgsave", "flushall", "eval", "debug", "migrate", "restore":
		e := told(m)
		client(e, c)
		yield(e)
	}
	return true
}

// connects reads "Connecting to MASTER HOST:PORT", "Accepted IP:PORT" (loglevel verbose) and "Possible SECURITY ATTACK detected. ...
// Connection from IP:PORT aborted."
func connects(m *artifact.Message, yield func(*event.Event)) bool {
	if master, ok := said.Rest(m.Text, "Connecting to MASTER "); ok {
		e := told(m)
		e.Add(event.SettingName, replicaOf)
		e.Add(event.SettingValue, master)
		yield(e)
		return true
	}
	if from, ok := said.Rest(m.Text, "Accepted "); ok {
		e := m.Event(event.ConnectionSeen)
		e.Add(event.ServiceName, service)
		address(e, from)
		yield(e)
		return true
	}
	if rest, ok := said.Rest(m.Text, "Possible SECURITY ATTACK detected. "); ok {
		e := told(m)
		if _, from, ok := said.CutLast(rest, " Connection from "); ok {
			address(e, bytes.TrimSuffix(from, []byte(" aborted.")))
		}
		yield(e)
		return true
	}
	return false
}

// address adds "IP:PORT". The port is always there, and releases before 3.2 write IPv6 addresses without brackets; a
// socket's path is no address.
func address(e *event.Event, from []byte) {
	ip, port, ok := said.CutLast(from, ":")
	if ip = said.Address(ip); ok && ip != nil {
		e.Add(event.SourceIP, ip)
		e.Add(event.SourcePort, said.Number(port))
	}
}

// life reads what the server says of its own life.
func life(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	k := event.Unknown
	switch {
	case bytes.HasSuffix(t, []byte(", just started")) && bytes.Contains(t, []byte(" version=")), bytes.HasPrefix(t, []byte("Server started, Redis version ")):
		k = event.ServiceStarted
	case bytes.HasSuffix(t, []byte(" is now ready to exit, bye bye...")):
		k = event.ServiceStopped
	case t[0] == 'U' && bytes.HasPrefix(t, []byte("User requested shutdown")), t[0] == 'R' && bytes.HasPrefix(t, []byte("Received ")) && bytes.Contains(t, []byte(" scheduling shutdown")):
		k = event.ProgramSaid
	case bytes.Contains(t, []byte(" crashed by signal: ")): // what a try at the server's memory leaves
		k = event.ProgramSaid
	default:
		return false
	}
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, t)
	yield(e)
	return true
}
