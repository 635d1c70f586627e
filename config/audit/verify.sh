#!/bin/sh
# Checks a change log of Portcullis without Portcullis: a POSIX shell, coreutils, grep, sed, awk,
# gzip, openssl.
#
#     verify.sh [--since CHECKPOINT]... [--key KEY] FOLDER
#
# FOLDER        the folder of the log, or a copy of it; nothing in it is written
# --since FILE  a checkpoint that was kept elsewhere: the log has to continue it
# --key KEY     the log's public key, known from elsewhere (`portcullis log checkpoint --key`): it
#               has to have signed the checkpoints of --since, or else the log's own last one
#
# Checks what verify.py beside it checks, except keys that stand twice in a line, and comes to the
# same answer. Slow (some thousand entries a second) and needs room for twice the log in TMPDIR.
#
# Exit code: 0 whole, 1 broken, 2 typed wrong, 3 could not be checked.
set -u
export LC_ALL=C
KINDS=' accepted asked birth break-glass config decision drift genesis outcome policy pruned recovered refusal seal segment settled tidy '

usage() { sed -n '2,/^set/{/^#/!d;s/^# \{0,1\}//;p;}' "$0"; exit "$1"; }
cannot() { echo "could not be checked: $*"; exit 3; }
broken() { echo "broken: $*"; exit 1; }
beginning() { echo "broken at entry 0, line 1, byte 0: $*"; exit 1; }
cut_off="no entry says that those before it were taken away: the beginning was cut off"
# Breaks at the line in hand. Before it stand $count entries.
broken_here() { echo "broken at entry $count, line $number, byte $begin: $*"; exit 1; }
broken_dead() { echo "broken at entry $count, line $dead_line, byte $dead: it is no whole line of the log with its own hash, and no entry after it declares it"; exit 1; }

since= key=
while [ $# -gt 0 ]; do
  case $1 in
    --since) [ $# -gt 1 ] || usage 2 >&2; since="$since$2
"; shift 2 ;;
    --key) [ $# -gt 1 ] || usage 2 >&2; key=$2; shift 2 ;;
    -h | --help) usage 0 ;;
    --) shift; break ;;
    -*) usage 2 >&2 ;;
    *) break ;;
  esac
done
[ $# = 1 ] || usage 2 >&2
folder=$1
[ -d "$folder" ] || cannot "$folder is no folder"
T=$(mktemp -d) || cannot "no room for temporary files"
trap 'rm -rf "$T"' EXIT
trap 'exit 3' HUP INT TERM
mkdir "$T/h" "$T/b" "$T/l"

# --- Bytes. Binary goes through files and `printf` with octal numbers; a shell cannot hold it.

# Hexadecimal lines to octal escapes for printf.
octal() {
  awk 'BEGIN { for (i = 0; i < 256; i++) of[sprintf("%02x", i)] = sprintf("\\%03o", i) }
    { out = ""; for (i = 1; i < length($0); i += 2) out = out of[substr($0, i, 2)]; print out }'
}
bytes() { printf "$(printf '%s\n' "$1" | octal)"; }
hash() { sha256sum | cut -c1-64; }
# The hash of each line of octal escapes, a thousand at a time.
hash_lines() {
  i=1000
  while read -r escaped; do
    printf "$escaped" >"$T/h/$i"
    i=$((i + 1))
    [ $i -lt 2000 ] || { (cd "$T/h" && sha256sum -- * && rm -f -- *) | cut -c1-64; i=1000; }
  done
  [ $i = 1000 ] || (cd "$T/h" && sha256sum -- * && rm -f -- *) | cut -c1-64
}
# So many bytes of the log from this one on.
stretch() { tail -c "+$(($1 - base + 1))" "$T/log" | head -c "$2"; }

# --- Signed notes (C2SP signed-note): a text, an empty line, a line for each signature.

# Splits a note into its text and its signature lines.
note() {
  empty=$(grep -n '^$' "$1" | tail -n 1 | cut -d: -f1)
  [ -n "$empty" ] && [ -z "$(tail -c 1 "$1")" ] || return 1
  head -n $((empty - 1)) "$1" >"$T/body" && tail -n "+$((empty + 1))" "$1" >"$T/by"
  [ -s "$T/by" ] && ! grep -qv '^— [^ +][^ +]* [A-Za-z0-9+/][A-Za-z0-9+/]*=*$' "$T/by"
}
# A key is NAME+ID+BASE64, and its id follows from the others.
is_key() {
  public=${1#*+} && public=${public#*+} && id=${1#*+} && id=${id%%+*}
  printf %s "$public" | base64 -d >"$T/key" 2>/dev/null || return 1
  [ "$(head -c 1 "$T/key" | od -An -tx1 | tr -d ' ')" = 01 ] && [ "$(($(wc -c <"$T/key")))" = 33 ] || return 1
  [ "$({ printf '%s\n' "${1%%+*}"; cat "$T/key"; } | hash | cut -c1-8)" = "$id" ]
}
# Whether a key signed the note that was split last: yes, no (it is not named), forged, unknown.
signed() {
  is_key "$1" || { echo unknown; return; }
  answer=no
  while read -r _ by signature; do
    [ "$by" = "${1%%+*}" ] || continue
    printf %s "$signature" | base64 -d >"$T/signature" 2>/dev/null || continue
    [ "$(head -c 4 "$T/signature" | od -An -tx1 | tr -d ' ')" = "$id" ] || continue
    command -v openssl >/dev/null || { answer=unknown; continue; }
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c +2 "$T/key"; } >"$T/der"
    tail -c +5 "$T/signature" >"$T/raw"
    answer=yes
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/der" -rawin -in "$T/body" -sigfile "$T/raw" \
      >"$T/why" 2>&1 || { answer=forged; break; }
  done <"$T/by"
  echo $answer
}

# A checkpoint: origin, size, root. Leaves its note split as $T/$2.body and $T/$2.by.
checkpoint() {
  [ -r "$1" ] || cannot "could not read $1"
  note "$1" || cannot "$1 is no checkpoint: no signed note"
  [ "$(sed -n '2{/^0$/p;/^[1-9][0-9]*$/p;}' "$T/body")" ] && [ -n "$(sed -n 1p "$T/body")" ] &&
    [ "$(sed -n 3p "$T/body" | base64 -d 2>/dev/null | wc -c)" -eq 32 ] || cannot "$1 is no checkpoint"
  mv "$T/body" "$T/$2.body" && mv "$T/by" "$T/$2.by" && echo "$2 $1" >>"$T/given"
}

: >"$T/given"
printf %s "$since" >"$T/since"
while IFS= read -r file; do checkpoint "$file" "since$(($(wc -l <"$T/given")))"; done <"$T/since"
[ -z "$key" ] || is_key "$key" || cannot "$key is no Ed25519 key of a log"

# --- The files of the log as one, and a copy without control characters, which no entry has.

: >"$T/log" && : >"$T/files"
unpacked= summary= first=0 base=0
digits() { echo "$1" | sed 's/^0*\(.\)/\1/'; }
ls "$folder" | grep -E '^[0-9]{20}\.jsonl(\.gz)?$' | cut -c1-20 | sort -u >"$T/names"
oldest=$(digits "$(head -n 1 "$T/names")")
# Where old entries were taken away: what stays of them. Of files left over by who was stopped in the
# middle, none counts.
if [ "${oldest:-0}" != 0 ]; then
  for name in $(ls "$folder" | grep -E '^[0-9]{20}-[0-9]{20}\.jsonl\.gz$' | sort); do
    first=$(digits "$(echo "$name" | cut -c1-20)") base=$(digits "$(echo "$name" | cut -c22-41)")
    if [ "$first" -ge "$oldest" ]; then summary=$name; break; fi
  done
  [ -n "$summary" ] || first=0 base=0
fi
for name in $(cat "$T/names"); do
  [ "$(digits "$name")" -ge "$first" ] || continue
  echo "$((base + $(wc -c <"$T/log"))) $(digits "$name")" >>"$T/files"
  if [ -f "$folder/$name.jsonl" ]; then
    cat "$folder/$name.jsonl" >>"$T/log" || cannot "could not read $name.jsonl"
  elif gzip -dc "$folder/$name.jsonl.gz" >"$T/part" 2>"$T/why"; then
    cat "$T/part" >>"$T/log"
  else
    unpacked=$name.jsonl.gz
    break
  fi
done
[ -s "$T/names" ] || [ -n "$summary" ] || cannot "$folder holds no log"
[ "$(head -n 1 "$T/files")" = "$base $first" ] || beginning "$cut_off"
tr '\000-\011\013-\037' '[\001*]' <"$T/log" >"$T/text"
ended=$(($(wc -l <"$T/log")))

# --- A row for each line: where it is, what it says, what its hash is and should be.

rows() { awk -v ended="$2" -v at="$3" '{
    begin = at; at += length($0) + 1; n = length($0)
    printf "%.0f %.0f ", begin, n
    claimed = "-"; prev = "-"; seq = "-"; kind = "-"; ts = "-"; earlier = 0; log_name = "-"
    if (NR <= ended && n < 60000 && substr($0, n - 74, 9) == ",\"hash\":\"" && substr($0, n - 1) == "\"}") {
      claimed = substr($0, n - 65, 64)
      if (substr($0, n - 148, 9) == ",\"prev\":\"" && substr($0, n - 75, 1) == "\"") prev = substr($0, n - 139, 64)
      if (match($0, /^\{"v":1,"log":"[^"\\]*","seq":[0-9]+,"type":"[a-z-]+","ts":"[-0-9T:.]+Z",/)) {
        head = substr($0, 1, RLENGTH); rest = substr($0, RLENGTH + 1)
        split(head, part, "\"")
        log_name = part[6]; seq = part[9]; gsub(/[^0-9]/, "", seq); kind = part[12]; ts = part[16]
        gsub(/[^0-9]/, "", ts); if (length(ts) != 17) kind = "-"
        earlier = (rest ~ /^"ts_before_prev":true,/)
      }
    }
    if (claimed !~ /^[0-9a-f]+$/) claimed = "-"
    if (prev !~ /^[0-9a-f]+$/) prev = "-"
    print claimed, prev, seq, kind, ts, earlier, log_name
  }' "$T/$1" >"$T/rows"; }
# The hash of each line of a text, and its hash in the tree.
hashes_of() {
: >"$T/hashes" && : >"$T/leaves"
if [ -s "$T/$1" ]; then (cd "$T" && split -a 6 -l 1000 "$1" chunk.); fi
for chunk in "$T"/chunk.*; do
  [ -f "$chunk" ] || continue
  rows=$(awk 'END { print NR }' "$chunk")
  i=1000
  while [ $i -lt $((1000 + rows)) ]; do i=$((i + 1)); printf '\000' >"$T/l/$i"; done
  awk -v to="$T" 'BEGIN { ORS = "" }
    { body = to "/b/" 1000 + NR; leaf = to "/l/" 1000 + NR
      print substr($0, 1, length($0) - 75) >body; print $0 >>leaf; close(body); close(leaf) }' "$chunk"
  (cd "$T/b" && sha256sum -- * && rm -f -- *) | cut -c1-64 >>"$T/hashes"
  (cd "$T/l" && sha256sum -- * && rm -f -- *) | cut -c1-64 >>"$T/leaves"
  rm -f "$chunk"
done
}

# --- Attachments: who names what is missing or was changed. `whole` is a record and names others.

named() {
  awk -v of="${2:-0}" '{ rest = $0
    while (match(rest, /"(att|whole)":"[0-9a-f]+"/)) {
      split(substr(rest, RSTART, RLENGTH), part, "\"")
      if (length(part[4]) == 64) print of ? of : NR, part[2], part[4]
      rest = substr(rest, RSTART + RLENGTH) } }' "$1"
}
(cd "$folder/att" 2>/dev/null && find . -type f -exec sha256sum {} +) | sed 's, *\./, ,' >"$T/att"
: >"$T/all"
attached() {
named "$T/$1" >"$T/named"
awk '$2 == "whole" { print $1, $3 }' "$T/named" | while read -r number name; do
  [ ! -f "$folder/att/$name" ] || named "$folder/att/$name" "$number"
done >"$T/inner"
awk -v att="$T/att" 'BEGIN { while ((getline <att) > 0) is[$2] = $1 }
  is[$3] != $3 { print $1, ($3 in is && is[$3] != "" ? "changed " : "missing ") $3 }' "$T/named" "$T/inner" |
  sort -n -u -k1,1 >"$T/bad"
cut -d' ' -f3 "$T/named" "$T/inner" >>"$T/all"
}

# --- What stays of entries that were taken away: a line of each, or its hash in the tree.

: >"$T/L0" && : >"$T/seals" && : >"$T/spans"
head=0000000000000000000000000000000000000000000000000000000000000000 origin= kept=0 pruned=
changed() { beginning "the summary of the entries that were taken away is not as it was: $*"; }
last_of() { tail -n 1 "$T/summary" | sed -n "s/^.*\"$1\":\"\{0,1\}\([0-9a-f]*\).*/\1/p"; }
if [ -n "$summary" ]; then
  gzip -dc "$folder/$summary" >"$T/summary" 2>"$T/why" || changed "it cannot be unpacked"
  [ -s "$T/summary" ] && [ -z "$(tail -c 1 "$T/summary")" ] || changed "it does not end"
  tail -n 1 "$T/summary" | grep -qxE '\{"type":"end","first":[0-9]+,"offset":[0-9]+,"after":"[0-9a-f]{64}","size":[0-9]+,"root":"[0-9a-f]{64}"\}' ||
    changed "the last line"
  [ "$(last_of first) $(last_of offset)" = "$first $base" ] && [ "$(($(wc -l <"$T/summary")))" = $((first + 1)) ] ||
    changed "numbers"
  head -n "$first" "$T/summary" | tr '\000-\011\013-\037' '[\001*]' >"$T/old"
  grep -v '^{"type":"gone",' "$T/old" >"$T/kept" || changed "it keeps nothing"
  kept=$(($(wc -l <"$T/kept")))
  rows kept "$kept" 0 && hashes_of kept && paste -d' ' "$T/hashes" "$T/leaves" "$T/rows" >"$T/table"
  # A row of the table: hash, leaf, begin, length, claimed, prev, seq, kind, ts, earlier, name.
  awk -v table="$T/table" -v kinds="$KINDS" -v seals="$T/seals" -v spans="$T/spans" '
    { number = NR - 1; print "-" >>spans }
    /^\{"type":"gone",/ {
      if ($0 !~ /^\{"type":"gone","seq":[0-9]+,"leaf":"[0-9a-f]+"\}$/) exit wrong = 1
      split($0, part, "\""); seq = part[7]; gsub(/[^0-9]/, "", seq)
      if (!number || seq != number "" || length(part[10]) != 64) exit wrong = 1
      print part[10]; next }
    { getline row <table; split(row, it, " "); if (!number) name = it[11]
      if (it[1] != it[5] || it[7] != number "" || !index(kinds, " " it[8] " ") || it[11] != name) exit wrong = 1
      if ((it[8] == "genesis") != !number) exit wrong = 1
      if (it[8] == "seal") print number, NR, "old" >>seals
      print it[2] }
    END { exit wrong }' "$T/old" >"$T/L0" || changed "a line"
  attached old
  [ ! -s "$T/bad" ] || changed "an attachment is $(head -n 1 "$T/bad" | cut -d' ' -f2-)"
  origin=$(sed -n 1p "$T/table" | cut -d' ' -f11) head=$(last_of after)
fi
rows text "$ended" "$base" && hashes_of text
attached text
attachments=$(sort -u "$T/all" | wc -l)

# --- The walk through all lines.

paste -d' ' "$T/hashes" "$T/leaves" "$T/rows" | awk -v bad="$T/bad" '
  BEGIN { while ((getline <bad) > 0) of[$1] = $2 "=" $3 } { print (NR in of ? of[NR] : "-"), $0 }' >"$T/table"
# A field of the record in line $number: the last one of that name.
where=text
text_of() { sed -n "${number}p" "$T/$where" | sed -n "s/^.*,\"$1\":\"\([^\"]*\)\",.*/\1/p"; }
number_of() { sed -n "${number}p" "$T/$where" | sed -n "s/^.*,\"$1\":\([0-9]*\),.*/\1/p"; }
# Whether the entry in hand declares exactly the dead bytes, but for a line feed added to end them.
declares() {
  length_told=$(number_of length)
  [ "$kind/$(text_of cause)/$(number_of offset)" = "recovered/torn/$dead" ] || return 1
  case $(tail -c "+$((length_told + 1))" "$T/dead" | od -An -tx1 | tr -d ' ') in '' | 0a) ;; *) return 1 ;; esac
  [ "$length_told" -le "$(($(wc -c <"$T/dead")))" ] && [ "$(head -c "$length_told" "$T/dead" | hash)" = "$(text_of sha256)" ]
}
count=$first number=0 declared=0 earlier_told=0 dead= last=
exec 3<"$T/files"
read -r file_begin file_first <&3 || :
while read -r bad actual leaf begin length claimed prev seq kind ts earlier name <&4; do
  number=$((number + 1))
  if [ -n "$dead" ] && [ "$claimed" = "$actual" ] && [ "$kind/$seq/$prev" != "segment/$count/$head" ] && ! declares; then
    actual=behind-a-hole # whole, and does not count
  fi
  if [ "$claimed" != "$actual" ]; then
    [ -n "$dead" ] || { dead=$begin dead_line=$number; : >"$T/dead"; }
    stretch "$begin" "$((length + (number <= ended)))" >>"$T/dead"
    [ "$(($(wc -c <"$T/dead")))" -le $((8 << 20)) ] || broken_dead
    continue
  fi
  case $KINDS in *" $kind "*) ;; *) cannot "entry $count, line $number is as it was written and cannot be read" ;; esac
  # A file begins with its own line; the one after it declares what is dead before it.
  [ "$seq" = "$count" ] || broken_here "this is entry $seq"
  [ "$prev" = "$head" ] || broken_here "it does not continue the entry before it"
  case $kind in genesis) [ "$count" = 0 ] ;; *) [ "$count" != 0 ] ;; esac || broken_here "a log begins with its genesis and has one"
  [ "${origin:-$name}" = "$name" ] || broken_here "it belongs to the log $name"
  if [ "$kind" = recovered ]; then
    [ -n "$dead" ] || [ "$(text_of cause)" != torn ] || broken_here "it declares damage that is not what stands before it"
    declared=$((declared + 1))
  fi
  if [ "$begin" = "$file_begin" ]; then
    [ "$count" = 0 ] || [ "$kind" = segment ] || broken_here "a file of the log begins with it, and it is no record segment"
    [ "$file_first" = "$count" ] || broken_here "the name of its file says $file_first"
    read -r file_begin file_first <&3 || file_begin=-
  elif [ "$kind" = segment ]; then broken_here "no file begins with it"
  fi
  if [ "$kind" = segment ] && { [ "$(number_of first)" != "$count" ] || [ "$(number_of offset)" != "$begin" ]; }; then
    broken_here "it says that its file begins elsewhere"
  fi
  case $bad in
    missing=*) broken_here "its attachment ${bad#*=} is missing" ;;
    changed=*) broken_here "its attachment ${bad#*=} was changed" ;;
  esac
  if [ -n "$last" ] && [ "$ts" -lt "$last" ] && [ "$earlier" = 0 ]; then
    broken_here "its time is before that of the entry before it, and it does not say so"
  elif [ -n "$last" ] && [ "$ts" -gt "$last" ] && [ "$earlier" = 1 ]; then
    broken_here "it says that its time is before that of the entry before it; it is not"
  fi
  earlier_told=$((earlier_told + earlier))
  [ "$kind" != seal ] || echo "$count $number text" >>"$T/seals"
  [ "$kind" != pruned ] || [ "$(number_of first)" != "$first" ] || pruned=$number
  echo "$leaf" >>"$T/L0"
  echo "$begin $length" >>"$T/spans"
  [ "$kind" = segment ] || dead=
  head=$actual origin=$name last=$ts count=$((count + 1))
done 4<"$T/table"
if [ -n "$unpacked" ]; then number=$((number + 1)) begin=$((base + $(wc -c <"$T/log"))); broken_here "its file $unpacked cannot be unpacked"; fi
[ -z "$dead" ] || [ "$(($(wc -l <"$T/dead")))" = 0 ] || broken_dead
[ "$count" -gt 0 ] || cannot "$folder holds no whole entry"

# --- The tree: file Lk holds the roots of all complete subtrees of 2^k leaves.

k=0
while [ "$(($(wc -l <"$T/L$k")))" -gt 1 ]; do
  awk 'NR % 2 { left = $0; next } { print "01" left $0 }' "$T/L$k" | octal | hash_lines >"$T/L$((k + 1))"
  k=$((k + 1))
done
root() {
  k=0 found=
  while [ $(($1 >> k)) -gt 0 ]; do
    if [ $((($1 >> k) & 1)) = 1 ]; then
      peak=$(sed -n "$(($1 >> k))p" "$T/L$k")
      if [ -n "$found" ]; then found=$(bytes "01$peak$found" | hash); else found=$peak; fi
    fi
    k=$((k + 1))
  done
  [ -n "$found" ] || found=$(printf '' | hash)
  bytes "$found" | base64
}

# --- The entry that says what was taken away, and the checkpoint that was published before.

if [ -n "$summary" ]; then
  [ -n "$pruned" ] || beginning "$cut_off"
  number=$pruned size=$(last_of size)
  [ "$(number_of offset) $(text_of after) $(text_of summary) $(number_of size) $(text_of root)" = \
    "$base $(last_of after) $(hash <"$T/summary") $size $(last_of root)" ] ||
    beginning "the entry that says what was taken away names another summary"
  [ "$size" -ge "$first" ] && [ "$size" -le "$count" ] && [ "$(root "$size")" = "$(bytes "$(last_of root)" | base64)" ] ||
    beginning "the entries are not those that the published checkpoint covers"
fi

# --- Seals: signed, by the key that the one before it named, over the entries before it.

[ ! -e "$folder/checkpoint" ] || checkpoint "$folder/checkpoint" own
[ -z "$key" ] || [ -s "$T/given" ] || cannot "there is no checkpoint that KEY could have signed; give one with --since"
expected= first_key= seals=0
: >"$T/keys"
while read -r count_then number where; do
  wrong() { echo "broken at entry $count_then: the seal in it: $*"; exit 1; }
  size=$(number_of size) hex=$(text_of root) key_of=$(text_of key) next=$(text_of next)
  sed -n "${number}p" "$T/$where" | sed -n 's/.*,"note":"\(.*\)","prev":"[0-9a-f]*","hash":"[0-9a-f]*"}$/\1/p' |
    awk '{ gsub(/\\n/, "\n"); printf "%s", $0 }' >"$T/note"
  note "$T/note" && is_key "$key_of" && is_key "$next" || wrong "its note or its keys cannot be read"
  printf '%s\n%s\n%s\nnext %s\n' "$origin" "$size" "$(bytes "$hex" | base64)" "$next" | cmp -s - "$T/body" ||
    wrong "its note says something else than its fields"
  case $(signed "$key_of") in no | forged) wrong "its key did not sign it" ;; esac
  [ "${expected:-$key_of}" = "$key_of" ] || wrong "its key is not the one that the seal before it names"
  [ "$size" -le "$count_then" ] && [ "$size" -ge $((count_then - 4096)) ] || wrong "it covers $size entries, which are not those before it"
  [ "$(root "$size")" = "$(bytes "$hex" | base64)" ] || wrong "its root is not that of the $size entries before it"
  printf '%s\n%s\n' "$key_of" "$next" >>"$T/keys"
  expected=$next first_key=${first_key:-$key_of} seals=$((seals + 1)) last_seal="$count_then covers $size"
done <"$T/seals"

# --- Checkpoints.

said() { told="$told$*
"; }
told=
while read -r which file; do
  mv "$T/$which.body" "$T/body" && mv "$T/$which.by" "$T/by"
  covers=$(sed -n 2p "$T/body")
  [ "$(sed -n 1p "$T/body")" = "$origin" ] || broken "$file: it is of the log $(sed -n 1p "$T/body")"
  [ "$covers" -le "$count" ] || broken "$file: it covers $covers entries and the log has $count: its end was cut off"
  [ "$(root "$covers")" = "$(sed -n 3p "$T/body")" ] || broken "$file: the first $covers entries are not those it covers"
  by_whom="who signed it is not known here"
  if [ -n "$key" ] && { [ "$which" != own ] || [ -z "$since" ]; }; then echo "$key"; else cat "$T/keys"; fi >"$T/asked"
  while read -r one; do
    case $(signed "$one") in
      yes) by_whom="signed by $one" ;;
      forged) broken "$file: a signature on it is forged" ;;
      no) [ "$one" != "$key" ] || broken "$file: the key given did not sign it" ;;
    esac
  done <"$T/asked"
  said "checked: $file: its $covers entries are those of this log; $by_whom"
done <"$T/given"

# --- Tiles (C2SP tlog-tiles): 256 hashes of a level of the tree, or 256 entries, a file.

tiles=0 unknown=0 skipped=0
(cd "$folder" && [ ! -d tile ] || find tile -type f | sort) >"$T/tiles"
while read -r tile; do
  of=$(echo "$tile" | sed -n 's#^tile/\(entries\|[1-9]\{0,1\}[0-9]\)/\(\(x[0-9]\{3\}/\)*[0-9]\{3\}\)\(\.p/\([1-9][0-9]*\)\)\{0,1\}$#\1 \2 \5#p')
  if [ -z "$of" ]; then unknown=$((unknown + 1)); continue; fi
  set -- $of
  width=${3:-256} index=$(echo "$2" | tr -d 'x/' | sed 's/^0*\(.\)/\1/')
  from=$((index * 256 + 1)) to=$((index * 256 + width))
  case $1 in entries) here=$T/spans ;; *) here=$T/L$((8 * $1)) ;; esac
  [ -f "$here" ] && [ "$(($(wc -l <"$here")))" -ge "$to" ] || broken "$tile: it holds more than the log"
  if [ "$1" = entries ] && sed -n "${from},${to}p" "$here" | grep -q '^-'; then skipped=$((skipped + 1)); continue; fi
  sed -n "${from},${to}p" "$here" | if [ "$1" = entries ]; then
    while read -r begin length; do bytes "$(printf %04x "$length")"; stretch "$begin" "$length"; done
  else
    octal | while read -r escaped; do printf "$escaped"; done
  fi | cmp -s - "$folder/$tile" || broken "$tile: it is not what the lines make"
  tiles=$((tiles + 1))
done <"$T/tiles"

# --- What was found.

echo "whole, $count entries of $origin, head $head"
[ "$earlier_told" = 0 ] || echo "the clock stood earlier than at the entry before at $earlier_told entries, which say so"
echo "checked: every line: hash, chain, numbers, name, files, damage, attachments, time"
[ "$attachments" = 0 ] || echo "checked: $attachments attachments"
[ "$declared" = 0 ] || echo "checked: damage in $declared places, declared by the entries after it"
echo "checked: root $(root "$count") of $count entries"
[ "$seals" = 0 ] || echo "checked: $seals seals, the last in entry $last_seal entries; first key $first_key"
printf %s "$told"
[ "$tiles" = 0 ] || echo "checked: $tiles tiles"
[ -z "$summary" ] || echo "checked: entries 0 to $((first - 1)) were taken away; $kept stay whole in the summary, of the others their hashes"
[ -z "$summary" ] || echo "not checked: whether the summary leaves something out: hold it against the archived files"
[ "$skipped" = 0 ] || echo "not checked: $skipped tiles of entries some of which were taken away; verify.py does"
[ "$unknown" = 0 ] || echo "not checked: $unknown files among the tiles that are none"
[ -z "$dead" ] || echo "not checked: an append at byte $dead that has not ended; the next entry will declare it"
command -v openssl >/dev/null || echo "not checked: signatures, for want of openssl"
[ "$seals" != 0 ] || echo "not checked: who wrote it: it has no seal"
[ -n "$since" ] || echo "not checked: whether its end was cut off: give a checkpoint from elsewhere with --since"
echo "not checked: keys that stand twice in a line; verify.py does"
echo "not checked: the refs of the repository"
echo "not checked: signatures of statements, push certificates and witnesses"
echo "not checked: fields of records not named here"
