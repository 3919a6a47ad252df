"""Compares a truth file with the journal of its evidence, both ways: every login and every refused password that was
acted must be in the journal at its time, and the journal must hold none that nobody acted. Called by check.sh.
Usage: acts.py truth.json JOURNAL-FOLDER. Prints what does not agree; silence is agreement."""
import datetime
import json
import re
import subprocess
import sys

truth = json.load(open(sys.argv[1]))
lines = subprocess.run(["journalctl", "--directory", sys.argv[2], "--no-pager", "-q", "-o", "json"],
                       capture_output=True, text=True, check=True).stdout.splitlines()
events = []
for line in lines:
    r = json.loads(line)
    m = r.get("MESSAGE")
    if isinstance(m, str) and re.match(r"(Failed password|Accepted)", m):
        events.append((int(r["__REALTIME_TIMESTAMP"]) / 1e6, m))


def seconds(s):
    return datetime.datetime.fromisoformat(s[:26] + "+00:00").timestamp()


used = set()
for a in truth["acts"]:
    who = re.escape(a["account"]) + " from " + re.escape(a["src"]) + " "
    if a["kind"] in ("ssh_guess", "ssh_typo"):
        pattern = "Failed password for (invalid user )?" + who
    elif a["kind"] == "ssh_login":
        pattern = "Accepted (password|publickey) for " + who
    else:
        continue
    for i, (t, m) in enumerate(events):
        if i not in used and seconds(a["start"]) - 1 <= t <= seconds(a["end"]) + 1 and re.match(pattern, m):
            used.add(i)
            break
    else:
        print("no trace:", a["start"], a["kind"], a["account"], a["src"])
for i, (_, m) in enumerate(events):
    if i not in used:
        print("nobody's act:", m)
# What is asked for must be the intruder's own act, by the account that did it.
bad = {a["start"]: a["account"] for a in truth["acts"] if a["by"] == "intruder"}
expect = truth["expect"]
for x in [e["first"] for e in expect["entry"] + expect.get("returns", [])]:
    if x not in bad:
        print("not a time of the intruder's:", x)
for x in expect.get("actions", []):
    if "time" in x and bad.get(x["time"]) != x["account"]:
        print("not an act of the intruder's:", x)
for a in truth["acts"]:
    if a["by"] == "intruder" and a["src"] in truth["must_not"]["addresses"]:
        print("an innocent address did it:", a)
