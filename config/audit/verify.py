#!/usr/bin/env python3
"""Checks a change log of Portcullis without Portcullis: Python 3.8, its standard library, openssl.

    verify.py [--since CHECKPOINT]... [--key KEY] FOLDER

FOLDER        the folder of the log, or a copy of it; nothing in it is written
--since FILE  a checkpoint that was kept elsewhere: the log has to continue it
--key KEY     the log's public key, known from elsewhere (`portcullis log checkpoint --key`): it has
              to have signed the checkpoints of --since, or else the log's own last one

Checked: each line's own hash, the chain, dense numbers, one genesis, one name, where files begin,
keys that stand once, damage that is declared, attachments, time that does not go back; the tree of
all entries (RFC 6962), every seal with its signature and the key that the one before it named,
checkpoints, and tiles where there are some. The format is in docs/log.md. Holds the log in memory.
Ed25519 is left to `openssl`; without it, signatures are said to be not checked.

Exit code: 0 whole, 1 broken, 2 typed wrong, 3 could not be checked.
"""
import base64, getopt, gzip, hashlib, json, os, re, shutil, struct, subprocess, sys, tempfile, zlib
from datetime import datetime

LINE_MAX, DEAD_MAX, SEAL_DISTANCE_MAX, CLOCK_BACK_TOLD_MS = 60000, 8 << 20, 4096, 60000
KINDS = """accepted asked birth break-glass config decision drift genesis outcome policy recovered
    pruned refusal seal segment settled tidy""".split()

NAMED = re.compile(rb'"(?:att|whole)":"([0-9a-f]{64})"')
CUT_OFF = "no entry says that those before it were taken away: the beginning was cut off"
TIME = re.compile(r"[0-9]{4}-..-..T..:..:..\.[0-9]{3}Z")

class Broken(Exception):
    """The log is not as it was written. `place`: entry, line and byte, as far as there is one."""
    def __init__(self, why, place=()):
        super().__init__(why)
        self.why, self.place = why, place

class Cannot(Exception):
    """It could not be found out."""

def sha(data):
    return hashlib.sha256(data).digest()

def read(path, opened=open):
    try:
        with opened(path, "rb") as file:
            return file.read()
    except OSError as fault:
        if fault.errno is None:
            raise EOFError("no gzip")
        raise Cannot(f"could not read {path}: {fault.strerror or fault}")

# The lines.

def files(folder):
    """The log's files as one; where each begins: offset to the number it is named by; what of them
    cannot be unpacked, which ends it; the summary of the entries before them, if some were taken away."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    found, summary, offset = {}, None, 0
    for name in sorted(names, reverse=True):  # a plain file after its packed one
        if re.fullmatch(r"[0-9]{20}\.jsonl(\.gz)?", name):
            found[int(name[:20])] = name
    if found and min(found):
        for name in sorted(names):  # of files left over by who was stopped in the middle, none counts
            of = re.fullmatch(r"([0-9]{20})-([0-9]{20})\.jsonl\.gz", name)
            if of and int(of[1]) >= min(found):
                summary, offset = name, int(of[2])
                found = {first: name for first, name in found.items() if first >= int(of[1])}
                break
    if not found and not summary:
        raise Cannot(f"{folder} holds no log")
    if min(found, default=1) != (int(summary[:20]) if summary else 0):
        raise Broken(CUT_OFF, (0, 1, 0))
    data, begins = bytearray(offset), {}
    for first, name in sorted(found.items()):
        begins[len(data)] = first
        try:
            data += read(os.path.join(folder, name), gzip.open if name.endswith(".gz") else open)
        except (EOFError, zlib.error, struct.error):
            return bytes(data), begins, name, summary
    return bytes(data), begins, None, summary

class Log:
    """A walk through all lines. Afterwards it knows where entries stand, the tree, the seals."""

    def __init__(self, folder):
        self.folder, self.count, self.head, self.origin = folder, 0, "0" * 64, None
        self.data, self.begins, unpacked, summary = files(folder)
        self.json = json.JSONDecoder(object_pairs_hook=self.once)
        self.line = self.begin = self.end = self.declared = 0
        self.dead, self.dead_bytes, self.before = None, b"", None  # bytes that are no entry: line, byte, fault
        self.attachments, self.set_back, self.levels, self.spans, self.seals = set(), [], [], [], []
        self.kept, self.last, self.pruned = 0, None, None
        if summary:
            self.end = min(self.begins)
            self.opening(os.path.join(folder, summary))
        while self.end < len(self.data):
            self.begin, self.line = self.end, self.line + 1
            self.end = self.data.find(b"\n", self.begin) + 1 or len(self.data)
            self.look(self.data[self.begin:self.end])
        if unpacked:
            self.line, self.begin = self.line + 1, self.end
            raise self.broken(f"its file {unpacked} cannot be unpacked")
        if b"\n" in self.dead_bytes:
            raise self.undeclared()
        if not self.count:
            raise Cannot(f"{folder} holds no whole entry")
        if self.last:
            self.opened()

    def opening(self, path):
        """What stays of entries that were taken away: a line of each, or its hash in the tree."""
        try:
            text = read(path, gzip.open)
            self.summary, lines = sha(text).hex(), text.split(b"\n")
            for line in lines[:-2]:
                gone = re.fullmatch(rb'\{"type":"gone","seq":([0-9]+),"leaf":"([0-9a-f]{64})"\}', line)
                if gone and int(gone[1]) != self.count or bool(gone) > self.count:
                    raise ValueError("numbers")
                self.leaf(bytes.fromhex(gone[2].decode()) if gone else self.old(line))
                self.spans.append(None)
                self.count += 1
            last = json.loads(lines[-2])
            if lines[-1] or sorted(last) != ["after", "first", "offset", "root", "size", "type"] or last.pop("type") != "end":
                raise ValueError("the last line")
            if (last["first"], last["offset"], self.begins.get(self.end)) != (self.count, self.end, self.count):
                raise ValueError("its name")
        except (EOFError, zlib.error, struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, Broken) as fault:
            raise Broken(f"the summary of the entries that were taken away is not as it was: {fault}", (0, 1, 0))
        self.last, self.head = last, last["after"]

    def old(self, line):
        """A line that the summary keeps as it was written."""
        if line[-75:-66] != b',"hash":"' or sha(line[:-75]).hex().encode() + b'"}' != line[-66:]:
            raise ValueError("a line")
        self.doubles = []
        entry = self.json.decode(line.decode())
        if entry["seq"] != self.count or entry["type"] not in KINDS or self.doubles:
            raise ValueError("a line")
        if (entry["type"] == "genesis") != (self.count == 0) or self.origin not in (None, entry["log"]):
            raise ValueError("a line")
        self.attached(line, entry.get("short", {}).get("whole", "").encode())
        self.origin, self.kept = entry["log"], self.kept + 1
        if entry["type"] == "seal":
            self.seals.append(entry)
        return sha(b"\0" + line)

    def opened(self):
        """The entry that says what was taken away, and the checkpoint that was published before."""
        wrong, told = None, {"summary": self.summary, **self.last}
        if not self.pruned:
            wrong = CUT_OFF
        elif any(self.pruned.get(key) != value for key, value in told.items()):
            wrong = "the entry that says what was taken away names another summary"
        elif not self.last["first"] <= self.last["size"] <= self.count or self.root(self.last["size"]).hex() != self.last["root"]:
            wrong = "the entries are not those that the published checkpoint covers"
        if wrong:
            raise Broken(wrong, (0, 1, 0))

    def broken(self, why):
        return Broken(why, (self.count, self.line, self.begin))

    def undeclared(self):
        return Broken(f"{self.dead[2]}, and no entry after it declares it", (self.count, *self.dead[:2]))

    def look(self, line):
        """A line: the SHA-256 of what stands before `,"hash":"` has to stand behind it."""
        formed = line[-76:-67] == b',"hash":"' and line[-3:] == b'"}\n' and len(line) <= LINE_MAX
        if formed and sha(line[:-76]).hex().encode() == line[-67:-3]:
            return self.entry(line[:-1])
        fault = "its hash is not that of its bytes" if formed else "it is no whole line of the log"
        self.dead = self.dead or (self.line, self.begin, fault)
        self.bury(line)

    def bury(self, line):
        self.dead_bytes += line
        if len(self.dead_bytes) > DEAD_MAX:
            raise self.undeclared()

    def once(self, pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            self.doubles.append(max(keys, key=keys.count))
        return found

    def entry(self, line):
        self.doubles = []
        try:
            entry = self.json.decode(line.decode())
            if b"\\ud" in line.lower():  # half a surrogate pair is no text, and Python reads it
                json.dumps(entry, ensure_ascii=False).encode()
            if entry["v"] != 1 or entry["type"] not in KINDS:
                raise Cannot(f"entry {self.count}: this script does not know its version or its kind")
            header = entry["type"] == "segment" and (entry["seq"], entry["prev"]) == (self.count, self.head)
            if self.dead and not header and not self.declares(entry):
                return self.bury(line + b"\n")  # behind a hole: whole, and does not count
            self.accept(entry)
            if self.doubles:
                raise self.broken(f"the key {self.doubles[0]} stands in it twice")
            self.attached(line, entry.get("short", {}).get("whole", "").encode())
            self.time(entry)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise Cannot(f"entry {self.count} is as it was written and cannot be read: {fault!r}")
        if entry["type"] != "segment":  # a file begins with its own line, the one after it declares
            self.dead, self.dead_bytes = None, b""
        self.head, self.origin = entry["hash"], entry["log"]
        if entry["type"] == "seal":
            self.seals.append(entry)
        if self.last and entry["type"] == "pruned" and entry["first"] == self.last["first"]:
            self.pruned = entry
        self.spans.append((self.begin, self.end - 1))
        self.leaf(sha(b"\0" + line))
        self.count += 1

    def accept(self, entry):
        """Its place in the chain, and in the files."""
        first, kind, wrong = self.begins.get(self.begin), entry["type"], None
        if entry["seq"] != self.count:
            wrong = f"this is entry {entry['seq']}"
        elif entry["prev"] != self.head:
            wrong = "it does not continue the entry before it"
        elif (kind == "genesis") != (self.count == 0):
            wrong = "a log begins with its genesis and has one"
        elif self.origin not in (None, entry["log"]):
            wrong = f"it belongs to the log {entry['log']}"
        elif kind == "recovered" and entry["cause"] == "torn" and not self.dead:
            wrong = "it declares damage that is not what stands before it"
        elif (kind == "segment") != (first is not None and self.count > 0):
            wrong = "files of the log but the first begin with a record `segment`, and no other line is one"
        elif first not in (None, self.count):
            wrong = f"the name of its file says {first}"
        elif kind == "segment" and (entry["first"], entry["offset"]) != (self.count, self.begin):
            wrong = "it says that its file begins elsewhere"
        if wrong:
            raise self.broken(wrong)
        self.declared += kind == "recovered"

    def declares(self, entry):
        """Whether it declares exactly the dead bytes, but for a line feed that was added to end them."""
        if (entry["type"], entry.get("cause"), entry.get("offset")) != ("recovered", "torn", self.dead[1]):
            return False
        torn, added = self.dead_bytes[:entry["length"]], self.dead_bytes[entry["length"]:]
        return len(torn) == entry["length"] and added in (b"", b"\n") and sha(torn).hex() == entry["sha256"]

    def attached(self, text, whole):
        """Every attachment that is named; the one called `whole` is a record, and names others. (In
        JSON no text can hold these quotes without a backslash.)"""
        for name in NAMED.findall(text):
            if name in self.attachments:
                continue
            path = os.path.join(self.folder, "att", name.decode())
            if not os.path.exists(path):
                raise self.broken(f"its attachment {name.decode()} is missing")
            data = read(path)
            if sha(data).hex().encode() != name:
                raise self.broken(f"its attachment {name.decode()} was changed")
            self.attachments.add(name)
            if name == whole:
                self.attached(data, None)

    def time(self, entry):
        """Time goes back only where an entry says so; a clock that was set back is told."""
        if not TIME.fullmatch(entry["ts"]):
            raise ValueError(entry["ts"])
        now = datetime.fromisoformat(entry["ts"][:-1]), entry["boot"], entry["mono_us"] // 1000
        if self.before:
            gone = round((now[0] - self.before[0]).total_seconds() * 1000)
            if gone < 0 and not entry.get("ts_before_prev"):
                raise self.broken("its time is before that of the entry before it, and it does not say so")
            if gone > 0 and entry.get("ts_before_prev"):
                raise self.broken("it says that its time is before that of the entry before it; it is not")
            same_boot = now[1] == self.before[1]
            back = (now[2] - self.before[2] if same_boot else 0) - gone
            if back > CLOCK_BACK_TOLD_MS:
                self.set_back.append(f"the clock went back {back // 60000} minutes at entry {self.count}")
        self.before = now

    def leaf(self, hash):
        """`levels[k][i]` is the root of the i-th 2^k leaves, where those are complete."""
        for level in self.levels:
            level.append(hash)
            if len(level) % 2:
                return
            hash = sha(b"\1" + level[-2] + level[-1])
        self.levels.append([hash])

    def root(self, size):
        found = None
        for height, level in enumerate(self.levels):
            if size >> height & 1:
                peak = level[(size >> height) - 1]
                found = sha(b"\1" + peak + found) if found else peak
        return found or sha(b"")

# Signed notes, checkpoints and seals (C2SP signed-note, tlog-checkpoint).

def unbase64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("no base64")
    return data

def public(key):
    """Name, id and bytes of a key NAME+ID+BASE64, whose id follows from the others."""
    name, id, rest = key.split("+", 2)
    data = unbase64(rest)
    if data[:1] != b"\1" or len(data) != 33 or sha(name.encode() + b"\n" + data)[:4].hex() != id:
        raise ValueError(f"{key} is no Ed25519 key of a log")
    return name, bytes.fromhex(id), data[1:]

def note(text):
    """The signed text, and its signatures: name, id, bytes."""
    body, rest = text[:text.rindex("\n\n") + 1], text[text.rindex("\n\n") + 2:]
    if re.search("[\0-\x09\x0b-\x1f\x7f]", body) or not rest.endswith("\n"):
        raise ValueError("no signed note")
    signatures = []
    for line in rest[:-1].split("\n"):
        name, data = re.fullmatch("\u2014 ([^ +]+) (.+)", line).groups()
        signatures.append((name, unbase64(data)[:4], unbase64(data)[4:]))
    return body, signatures

def checkpoint(path):
    try:
        body, signatures = note(read(path).decode())
        origin, size, root = body.split("\n")[:3]
        if not origin or not re.fullmatch("0|[1-9][0-9]*", size) or len(unbase64(root)) != 32:
            raise ValueError("no origin, size and root")
    except (ValueError, AttributeError) as fault:
        raise Cannot(f"{path} is no checkpoint: {fault}")
    return origin, int(size), unbase64(root), body, signatures

def signed(body, signatures, key):
    """Whether the key signed it: yes, no (it is not named), forged, or None: nobody can tell here."""
    name, id, raw = public(key)
    for by in [data for other, its, data in signatures if (other, its) == (name, id)]:
        if shutil.which("openssl") is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            parts = {"key": bytes.fromhex("302a300506032b6570032100") + raw, "text": body.encode(), "by": by}
            for part, data in parts.items():
                with open(os.path.join(folder, part), "wb") as file:
                    file.write(data)
            asked = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile by"
            done = subprocess.run(asked.split(), cwd=folder, capture_output=True)
        return "yes" if done.returncode == 0 else "forged"
    return "no"

def seal_fault(log, seal, expected):
    """What is wrong with a seal."""
    try:
        size, root = seal["size"], bytes.fromhex(seal["root"])
        body, signatures = note(seal["note"])
        public(seal["next"])
        text = f"{log.origin}\n{size}\n{base64.b64encode(root).decode()}\nnext {seal['next']}\n"
        if body != text:
            return "its note says something else than its fields"
        if signed(body, signatures, seal["key"]) in ("no", "forged"):
            return "its key did not sign it"
    except (ValueError, AttributeError) as fault:
        return f"its note or its keys cannot be read: {fault}"
    if expected not in (None, seal["key"]):
        return "its key is not the one that the seal before it names"
    if not seal["seq"] - SEAL_DISTANCE_MAX <= size <= seal["seq"]:
        return f"it covers {size} entries, which are not those before it"
    return None if log.root(size) == root else f"its root is not that of the {size} entries before it"

def checkpoint_told(log, path, found, key, keys):
    """Holds a checkpoint against the log; returns what is to be said, or breaks."""
    origin, size, root, body, signatures = found
    if origin != log.origin:
        raise Broken(f"{path}: it is of the log {origin}")
    if size > log.count:
        raise Broken(f"{path}: it covers {size} entries and the log has {log.count}: its end was cut off")
    if log.root(size) != root:
        raise Broken(f"{path}: the first {size} entries are not those it covers")
    said = {one: signed(body, signatures, one) for one in ([key] if key else keys)}
    if "forged" in said.values():
        raise Broken(f"{path}: a signature on it is forged")
    if key and said[key] == "no":
        raise Broken(f"{path}: the key given did not sign it")
    by = next((f"signed by {one}" for one in said if said[one] == "yes"), "who signed it is not known here")
    return f"{path}: its {size} entries are those of this log; {by}"

# Tiles (C2SP tlog-tiles).

def tile_fault(log, path, level, index, width, data):
    end = index * 256 + width
    if level == "entries" and None in log.spans[end - width:end]:
        lines, at = [], 0  # some were taken away: by their hashes
        while at < len(data):
            to = at + 2 + int.from_bytes(data[at:at + 2], "big")
            lines, at = lines + [sha(b"\0" + data[at + 2:to])], to
        wanted = data if lines == log.levels[0][end - width:end] else None
    elif level == "entries":
        lines = [log.data[begin:to] for begin, to in log.spans[end - width:end]]
        wanted = b"".join(len(line).to_bytes(2, "big") + line for line in lines)
    else:
        lines = log.levels[8 * int(level)][end - width:end] if 8 * int(level) < len(log.levels) else []
        wanted = b"".join(lines)
    if len(lines) < width:
        return "it holds more than the log"
    return None if data == wanted else "it is not what the lines make"

def tiles(log):
    checked, unknown, top = 0, 0, os.path.join(log.folder, "tile")
    for folder, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            short = os.path.relpath(path, log.folder)
            of = re.fullmatch(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])((?:/x[0-9]{3})*/[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", short)
            if not of or int(of[3] or 1) > 255:
                unknown += 1
                continue
            fault = tile_fault(log, short, of[1], int(re.sub("[x/]", "", of[2])), int(of[3] or 256), read(path))
            if fault:
                raise Broken(f"{short}: {fault}")
            checked += 1
    return checked, unknown

# All of it.

def audit(folder, since=(), key=None):
    """Checks a log. Returns exit code, place of the first break (entry, line, byte), lines to print."""
    done, left = [], []
    try:
        if key:
            try:
                public(key)
            except ValueError as fault:
                raise Cannot(f"{key}: {fault}")
        given = [(path, checkpoint(path)) for path in since]
        log = Log(folder)
        own = os.path.join(folder, "checkpoint")
        if os.path.exists(own):
            given.append((own, checkpoint(own)))
        if key and not given:
            raise Cannot("there is no checkpoint that KEY could have signed; give one with --since")
        expected = None
        for seal in log.seals:
            fault = seal_fault(log, seal, expected)
            if fault:
                raise Broken(f"the seal in it: {fault}", (seal["seq"],))
            expected = seal["next"]
        keys = list(dict.fromkeys(one for seal in log.seals for one in (seal["key"], seal["next"])))
        done.append("every line: hash, chain, numbers, name, files, keys, damage, attachments, time")
        done += [f"{len(log.attachments)} attachments"] if log.attachments else []
        done += [f"damage in {log.declared} places, declared by the entries after it"] if log.declared else []
        done.append(f"root {base64.b64encode(log.root(log.count)).decode()} of {log.count} entries")
        if log.seals:
            first, last = log.seals[0], log.seals[-1]
            done.append(f"{len(log.seals)} seals, the last in entry {last['seq']} covers {last['size']} entries; first key {first['key']}")
        for at, (path, found) in enumerate(given):
            asked = key if at < len(since) or not since else None
            done.append(checkpoint_told(log, path, found, asked, keys))
        checked, unknown = tiles(log)
        done += [f"{checked} tiles"] if checked else []
        left += [f"{unknown} files among the tiles that are none"] if unknown else []
    except Cannot as fault:
        return 3, (), [f"could not be checked: {fault}"]
    except Broken as fault:
        where = ", ".join(f"{word} {number}" for word, number in zip(("entry", "line", "byte"), fault.place))
        return 1, fault.place, [f"broken{' at ' if where else ''}{where}: {fault.why}"]
    if log.dead:
        left.append(f"an append at byte {log.dead[1]} that has not ended; the next entry will declare it")
    left += [] if shutil.which("openssl") else ["signatures, for want of openssl"]
    if log.last:
        done.append(f"entries 0 to {log.last['first'] - 1} were taken away; {log.kept} stay whole in the summary, of the others their hashes")
        left.append("whether the summary leaves something out: hold it against the archived files")
    left += [] if log.seals else ["who wrote it: it has no seal"]
    left += [] if since else ["whether its end was cut off: give a checkpoint from elsewhere with --since"]
    left += ["the refs of the repository", "signatures of statements, push certificates and witnesses", "fields of records not named here"]
    says = [f"whole, {log.count} entries of {log.origin}, head {log.head}"]
    return 0, (), says + log.set_back + [f"checked: {it}" for it in done] + [f"not checked: {it}" for it in left]

def main(arguments):
    try:
        options, places = getopt.getopt(arguments, "h", ["since=", "key=", "help"])
    except getopt.GetoptError as fault:
        options, places = [], [str(fault)] * 2
    if len(places) != 1 or any(name in ("-h", "--help") for name, _ in options):
        asked = any(name in ("-h", "--help") for name, _ in options)
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    key = [value for name, value in options if name == "--key"][-1:]
    code, _, lines = audit(places[0], [value for name, value in options if name == "--since"], *key)
    print("\n".join(lines))
    return code

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
