package state

// Queue is a mail server's queue at one moment.
type Queue struct {
	Name    string      `json:"name"` // "postfix maildrop", "exim4", "sendmail mqueue"
	At      string      `json:"at"`
	Mails   int64       `json:"mails"`
	Last    int64       `json:"last_ten_minutes"` // that came within the ten minutes before, by when their files were made
	Hour    int64       `json:"last_hour"`
	Oldest  string      `json:"oldest"`
	Newest  string      `json:"newest"`
	Senders []QueueUser `json:"senders"` // who handed in those whose files tell it, the busiest first
	More    bool        `json:"more"`    // there are more than were counted
}

// QueueUser is how many mails of a queue one user handed in.
type QueueUser struct {
	UID   uint32 `json:"uid"`
	Mails int64  `json:"mails"`
}
